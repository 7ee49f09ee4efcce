"""WebRTC: viewers' connections on top of aiortc, and the signalling that makes them."""
