"""Cameras, video files, audio, images, rows and windows: bytes in, bytes out."""
