"""Several worker processes behind one address: media flows from the workers, only HTTP passes through here."""
