"""Avatars before other backgrounds than their own: rooms, colours, pictures, a blur, or nothing at all."""
