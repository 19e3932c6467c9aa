"""Video files: frames and audio in and out."""
