"""Read pickles of NumPy arrays in dictionaries and lists without running their code.

Every global a pickle may name is replaced by a stand-in of ours: even NumPy's own ``__setstate__``,
which trusts what it is given, never sees the pickle's data.
"""

import io
import pickle
import re
from typing import Any

import numpy as np

from stylezoo.errors import WeightsError
from stylezoo.weights import pickle_machine
from stylezoo.weights.limits import check_stored

_LONGEST_PATH = 500


class _Dtype:
    """Stand-in for ``numpy.dtype``: plain numbers only."""

    def __init__(self, code: str, align: bool, copy: bool) -> None:
        if not re.fullmatch(r"[fiu][1248]|b1", code):
            raise pickle.UnpicklingError(f"arrays of dtype {code!r} are not accepted")
        self.code = code
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, order, *rest = state
        # subarray, field names, fields, item size, alignment, flags: as a plain number has them.
        if version != 3 or order not in ("<", ">", "|") or rest != [None, None, None, -1, -1, 0]:
            raise pickle.UnpicklingError("arrays of such a dtype state are not accepted")
        self.order = order


class _Subtype:
    """Stand-in for ``numpy.ndarray``, which NumPy's pickles pass to ``_reconstruct``."""


class _Array:
    """Stand-in for the result of ``numpy.core.multiarray._reconstruct``: an array to be filled."""

    value: np.ndarray | None = None

    def __init__(self, subtype: type, shape: tuple[int, ...], code: bytes) -> None:
        if subtype is not _Subtype:
            raise pickle.UnpicklingError("only arrays of type numpy.ndarray are accepted")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, dtype, is_fortran, data = state
        if version != 1 or not isinstance(dtype, _Dtype) or not isinstance(data, bytes):
            raise pickle.UnpicklingError("an array is not stored as plain bytes")
        flat = np.frombuffer(data, dtype=dtype.order + dtype.code)
        self.value = flat.reshape(shape, order="F" if is_fortran else "C")


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,  # NumPy 2's name of it
    ("numpy", "ndarray"): _Subtype,
    ("numpy", "dtype"): _Dtype,
}


def _find_global(module: str, name: str) -> type:
    try:
        return _STAND_INS[module, name]
    except KeyError:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def unpickle_arrays(data: bytes) -> dict[str, np.ndarray]:
    """Read a pickle of nested dictionaries and lists of arrays.

    Args:
        data: The pickle. Arrays must be of a plain numeric dtype.

    Returns:
        The arrays by their keys joined with ``/``, such as ``VGG16_0/Conv_0/kernel``; a list's keys are
        0, 1, ...

    Raises:
        WeightsError: If the pickle is damaged, names anything but NumPy's array constructors (none of
            it is run), or holds something else than arrays in lists and dictionaries with string
            keys.
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        root = pickle_machine.load(io.BytesIO(data), _find_global)
        _flatten(root, "", arrays, set())
        check_stored((array.size for array in arrays.values()), len(data))
    # A damaged pickle raises nearly anything.
    except Exception as error:
        raise WeightsError(f"Not a pickle of plain NumPy arrays: {error}") from error
    return arrays


def _flatten(node: object, path: str, arrays: dict[str, np.ndarray], seen: set[int]) -> None:
    """Add the arrays of a node to ``arrays``; ``seen`` has the identities of lists and dictionaries."""
    if isinstance(node, _Array) and node.value is not None:
        arrays[path] = node.value
        return
    if id(node) in seen or len(path) > _LONGEST_PATH:
        raise pickle.UnpicklingError("a list or dictionary is used twice, or nested too deep")
    seen.add(id(node))
    if isinstance(node, list):
        node = {str(index): child for index, child in enumerate(node)}
    if not isinstance(node, dict) or not all(isinstance(key, str) for key in node):
        raise pickle.UnpicklingError(
            f"{path or 'its root'} is neither an array nor a list or dictionary"
        )
    for key, child in node.items():
        _flatten(child, f"{path}/{key}" if path else key, arrays, seen)
