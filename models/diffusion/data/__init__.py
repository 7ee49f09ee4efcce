"""Training data of the ROI denoiser: rendered by us, deterministic by seed."""
