"""A compact parametric 3-D head, made by code alone, that renders training data with its truth."""
