"""Taps of a classifier's head."""

SCORES = "scores"
"""The tap of a classifier's scores before the softmax, where the weights have a head."""

LOG_PROBABILITIES = "log_probabilities"
"""The tap of the logarithm of a classifier's softmax, where the weights have a head."""

HEAD = (SCORES, LOG_PROBABILITIES)
"""The taps of a classifier's head."""
