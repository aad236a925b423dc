"""Limits of the pictures that exported models are shown; no TensorFlow, since flags have them as defaults."""

# Longest side of what a model is shown of a picture file, px, unless the request says otherwise.
DEFAULT_MAX_SIDE = 1024
# The largest side that a request may ask for, px.
LARGEST_SIDE = 2048
# Picture files of more pixels are refused by what their header says.
DEFAULT_MAX_PIXELS = 16_000_000
