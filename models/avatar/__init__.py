"""Avatars: the illustrated rig, its painted layers, and the packs they are served from."""
