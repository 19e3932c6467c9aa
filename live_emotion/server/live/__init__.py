"""Live sessions over a WebSocket: frames in, faces out; what each saw, and who else listens."""
