"""The packages that only video needs, which are an extra of this one's."""

import importlib
from typing import Any

_DISTRIBUTIONS = {"av": "PyAV", "cv2": "OpenCV"}


def optional(module: str, purpose: str) -> Any:
    """Return a module of the extra ``video``.

    Args:
        module: ``"av"`` or ``"cv2"``.
        purpose: What needs it, for the message.

    Raises:
        ModuleNotFoundError: If it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"{purpose} needs {_DISTRIBUTIONS[module]}, which is not installed. "
            'Run: pip install "stylezoo[video]"',
            name=module,
        ) from None
