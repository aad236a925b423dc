"""The exceptions of this library that are not Python's own."""


class StylezooError(Exception):
    """The base of this library's own exceptions; the command line reports each in one line."""


class WeightsError(StylezooError):
    """Weights can't be found, fetched or trusted."""


class ExportError(StylezooError, ValueError):
    """An export can't be made, is damaged, or does not do what its model does."""
