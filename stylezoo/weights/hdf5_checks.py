"""What an HDF5 file must be before its numbers are read: plain, whole, and no larger than it looks."""

import math
from collections.abc import Iterator

import h5py

from stylezoo.errors import WeightsError
from stylezoo.weights.limits import check_stored

_NUMBERS = "fiub"  # kinds of dtypes


def check_plain(file: h5py.File, num_bytes: int) -> int:
    """Check that reading all data sets of a file takes no other file and not much more memory than it.

    HDF5 gives a data set the shape that it declares, whether anything of it is stored or not. Chunks
    count as they are read: whole.

    Args:
        file: The open file.
        num_bytes: Its size.

    Returns:
        How many numbers it has.

    Raises:
        WeightsError: If something leads out of the file, is neither plain numbers nor one text, or
            the file declares more numbers than it can hold.
    """
    sizes = list(_sizes(file, set()))
    check_stored(sizes, num_bytes)
    return sum(sizes)


def text_attribute(node: h5py.Group, name: str, default: str = "") -> str:
    """Return an attribute that must be one text; of many, HDF5 may store one and repeat it.

    Raises:
        WeightsError: If it is something else.
    """
    if name not in node.attrs:
        return default
    if node.attrs.get_id(name).shape != ():
        raise WeightsError(f"its attribute {name} must be one text")
    return str(node.attrs[name])


def _sizes(group: h5py.Group, seen: set[object]) -> Iterator[int]:
    """Yield the numbers of each data set as often as it is linked to; enter each group once."""
    if group.id in seen:
        return
    seen.add(group.id)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise WeightsError(f"{group.name}/{name} is a link out of the file")
        node = group[name]
        if isinstance(node, h5py.Group):
            yield from _sizes(node, seen)
        elif isinstance(node, h5py.Dataset):
            yield _size(node)


def _size(dataset: h5py.Dataset) -> int:
    if dataset.external or dataset.is_virtual:
        raise WeightsError(f"{dataset.name} is stored in another file")
    if dataset.dtype.kind in _NUMBERS:
        return max(dataset.size or 0, math.prod(dataset.chunks or ()))
    if dataset.shape != ():
        raise WeightsError(f"{dataset.name} must be numbers. Received: dtype={dataset.dtype}")
    return dataset.dtype.itemsize
