"""From finished frames and sound to encoded packets: one encoder per stream and codec, fanned out to all viewers."""
