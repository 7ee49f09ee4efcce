"""A viewer without a screen: connects like a browser, gives out decoded frames, sound and messages."""

from client.viewer.signalling import HttpSignaller, OfferRefused, Signaller
from client.viewer.viewer import HeadlessViewer, HeardSound, SeenFrame, ViewerError

__all__ = ["HeadlessViewer", "HeardSound", "HttpSignaller", "OfferRefused", "SeenFrame", "Signaller", "ViewerError"]
