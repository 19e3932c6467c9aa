"""The networks and their checkpoints: the only room that imports torch."""
