"""live-emotion."""
