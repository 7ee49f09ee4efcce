"""Where a session goes besides its viewers: recordings, and servers it is published to."""
