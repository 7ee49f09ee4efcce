"""The browser page (`web/`) and the Python SDK with its headless viewer."""
