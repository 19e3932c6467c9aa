"""The report page of a video and its charts."""
