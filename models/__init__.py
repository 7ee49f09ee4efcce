"""What computes pixels, sound and language, behind the ports of `realtime.ports`."""
