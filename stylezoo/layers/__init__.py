"""Keras layers of this project, registered so that saved models load without `custom_objects`."""

from stylezoo.layers.preprocessing import PREPROCESSINGS, Preprocess

__all__ = ["PREPROCESSINGS", "Preprocess"]
