"""The truth about use: active users, sessions, retention, for every product with events."""
