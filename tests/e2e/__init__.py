"""End-to-end tests: a real server process and a person's view of it, in a real headless Chromium."""
