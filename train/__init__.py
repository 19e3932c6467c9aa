"""Training of the emotion networks, from folders of faces to checkpoints that run live."""
