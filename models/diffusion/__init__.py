"""ROI diffusion: a small denoiser that repairs, inside a region, what warping cannot do."""
