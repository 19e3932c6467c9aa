"""Faces -> probabilities of emotions -> what is shown of them."""
