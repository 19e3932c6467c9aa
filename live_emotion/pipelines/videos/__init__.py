"""Video files: one, several, on several processes and machines."""
