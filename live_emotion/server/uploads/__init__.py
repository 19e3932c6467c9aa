"""Images and videos that are sent: read within limits, looked at, and analysed."""
