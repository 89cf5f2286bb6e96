"""The receiver, as a process of its own, called by a real HTTP client."""
