"""Training of the ROI denoiser: stages, losses, legs that can be resumed, evaluation and export."""
