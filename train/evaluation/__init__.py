"""Scores, calibration and pictures of weights."""
