"""Semantic cache: an equivalent question reuses the answer a language model prepared before."""
