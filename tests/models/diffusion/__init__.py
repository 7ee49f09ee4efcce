"""Tests of the ROI denoiser."""
