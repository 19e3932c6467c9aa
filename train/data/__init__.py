"""Images, labels and splits -> faces with targets."""
