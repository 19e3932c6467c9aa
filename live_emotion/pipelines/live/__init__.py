"""The live session: its loop, its keys, its cameras and its recordings."""
