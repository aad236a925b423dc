"""Taps of a classifier's head."""

# Taps where the weights have a head: before the softmax, and its logarithm.
SCORES = "scores"
LOG_PROBABILITIES = "log_probabilities"
HEAD = (SCORES, LOG_PROBABILITIES)
