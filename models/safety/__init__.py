"""Safety: rule packs per region, the filter that is always on, and its audit log."""
