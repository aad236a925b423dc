"""The one error of this folder, in a module of its own so that it is cheap to import."""


class WeightsError(Exception):
    """Pretrained weights can't be had, or are not what they should be. The message is one line."""
