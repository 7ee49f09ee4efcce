"""The door for weights that users bring: painters of regions, nets for the mouth, style packs."""
