"""Painted regions and style packs, as the server offers them."""
