"""What goes wrong with exports."""


class ExportError(ValueError):
    """An export that can't be made, is damaged, or doesn't do what its model does."""
