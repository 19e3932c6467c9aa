"""A training run: network, steps, state, history."""
