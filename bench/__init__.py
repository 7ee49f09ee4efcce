"""Benchmarks: `python -m bench.NAME --json PATH`; `python -m bench` runs all and prints one table."""
