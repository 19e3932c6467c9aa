"""Where the faces of a picture are: MediaPipe's models, and what is made of their answers."""
