"""What computes the ROI denoiser: ONNX Runtime or torch behind one port, weights and their card, micro-batches."""
