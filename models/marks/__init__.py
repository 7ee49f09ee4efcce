"""What a picture says about itself: the visible label that it was made by a machine."""
