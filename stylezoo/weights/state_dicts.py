"""Read PyTorch's state dictionaries from ``.pth`` and ``.safetensors`` files, without PyTorch.

``torch.save`` writes a pickle and, beside it, the numbers. As in ``unpickler``, every global that the
pickle may name is replaced by a stand-in of ours, which only records its arguments.

Numbers are not copied before a check of all tensors: they are views of the file's bytes until then.
"""

import functools
import io
import math
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from stylezoo.errors import WeightsError
from stylezoo.weights import pickle_machine
from stylezoo.weights.limits import check_stored

_ZIP = b"PK\x03\x04"
# What `torch.save` wrote before PyTorch 1.6 starts with: the pickled number 0x1950A86A20F9469CFC6C.
_STREAM = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_STREAM_PROTOCOL = 1001
_TAR = b"ustar"  # at byte 257: what PyTorch wrote before 0.1.10
# Keys under which training scripts keep the state dictionary beside the optimiser's.
_WRAPPERS = ("state_dict", "model")
_MOST_NUMBERS = 64  # of a tensor's offset, shape and strides
_PARALLEL = "module."  # what `DataParallel` puts before every name

# Bfloat16, which NumPy has not, is read as its bits.
_BFLOAT16 = "bf16"
_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": _BFLOAT16,
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_SAFETENSORS = {
    "F64": "f8",
    "F32": "f4",
    "F16": "f2",
    "BF16": _BFLOAT16,
    "I64": "i8",
    "I32": "i4",
    "I16": "i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}


class _Storage(NamedTuple):
    """A pickle's description of an array of numbers outside it."""

    key: str
    code: str
    size: int


class _Tensor(NamedTuple):
    """A pickle's description of a view of a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Dict(dict[object, object]):
    """Stand-in for ``collections.OrderedDict``."""

    def __init__(self, pairs: Any = ()) -> None:
        super().__init__({pickle_machine.check_key(key): value for key, value in pairs})

    def __setstate__(self, state: object) -> None:
        """Ignore ``_metadata``, the versions of PyTorch's layers."""


def _rebuild_tensor(
    storage: object, offset: object, shape: object, strides: object, *_: object
) -> _Tensor:
    """Record the arguments of ``torch._utils._rebuild_tensor`` and ``_rebuild_tensor_v2``."""
    numbers = (offset, *_tuple(shape), *_tuple(strides))
    if (
        not isinstance(storage, _Storage)
        or len(numbers) > _MOST_NUMBERS
        or not all(type(n) is int and 0 <= n < 2**63 for n in numbers)
    ):
        raise pickle.UnpicklingError("a tensor is not stored as PyTorch does")
    return _Tensor(storage, numbers[0], _tuple(shape), _tuple(strides))


def _tuple(value: object) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (None,)


def _rebuild_parameter(data: object, *_: object) -> object:
    return data


_STAND_INS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): _Dict,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,  # before PyTorch 0.4
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch.nn.parameter", "Parameter"): _rebuild_parameter,
} | {("torch", name): code for name, code in _STORAGES.items()}


def _find_global(module: str, name: str) -> Any:
    try:
        return _STAND_INS[module, name]
    except KeyError:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


def _load_persistent(pid: Any) -> _Storage:
    # ("storage", type, key, device, size), and a view in the older form, which nobody has made.
    kind, code, key, _, size, *view = pid
    if (
        kind != "storage"
        or code not in _STORAGES.values()
        or type(key) is not str
        or type(size) is not int
        or view not in ([], [None])
    ):
        raise pickle.UnpicklingError("it refers to something else than a storage")
    return _Storage(key, code, size)


_load = functools.partial(
    pickle_machine.load, find_global=_find_global, load_persistent=_load_persistent
)


def is_torch(contents: bytes) -> bool:
    """Return whether a file begins as any version of ``torch.save`` writes it."""
    return contents.startswith((_ZIP, _STREAM)) or _is_tar(contents)


def is_safetensors(contents: bytes) -> bool:
    """Return whether a file begins as safetensors do: 8 bytes of length, then JSON."""
    return contents[8:9] == b"{"


def from_torch(contents: bytes) -> dict[str, np.ndarray]:
    """Read the tensors of a ``.pth`` or ``.pt`` file.

    The zip files of PyTorch 1.6 and later are understood, and the streams of 0.1.10 to 1.5, which
    torchvision's older downloads are. The state dictionary may be the value of a key ``state_dict``
    or ``model``, and its names may all begin with ``module.``.

    Args:
        contents: The file's bytes.

    Returns:
        The arrays by PyTorch's names; those of floating point are float32.

    Raises:
        WeightsError: If the file is damaged, is older, names a global that state dictionaries don't
            need (none of it is run), or holds something else.
    """
    if _is_tar(contents):
        raise WeightsError(
            "a file of PyTorch before 0.1.10, which is not understood: load it with PyTorch, and "
            "save its state dictionary again with torch.save"
        )
    try:
        root, read = _read_zip(contents) if contents.startswith(_ZIP) else _read_stream(contents)
        tensors = _state_dict(root)
        check_stored((math.prod(tensor.shape) for tensor in tensors.values()), len(contents))
        return {name: _array(name, tensor, read) for name, tensor in tensors.items()}
    except WeightsError:
        raise
    # A damaged pickle raises nearly anything.
    except Exception as error:
        raise WeightsError(f"not a file of plain PyTorch tensors: {error}") from error


def from_safetensors(contents: bytes) -> dict[str, np.ndarray]:
    """Read the tensors of a ``.safetensors`` file; see :func:`from_torch`.

    Raises:
        WeightsError: If the file is damaged, or a tensor is of an unusual type.
    """
    import safetensors

    try:
        found = safetensors.deserialize(contents)
    except safetensors.SafetensorError as error:
        raise WeightsError(f"not a readable safetensors file: {error}") from error
    tensors = {}
    for name, tensor in sorted(found, key=lambda each: each[0]):  # they come in any order
        code = _SAFETENSORS.get(tensor["dtype"])
        if code is None:
            raise WeightsError(
                f"{name} must be of one of the types {', '.join(_SAFETENSORS)}. "
                f"Received: dtype={tensor['dtype']}"
            )
        tensors[name] = _decoded(_stored(tensor["data"], code), code).reshape(tensor["shape"])
    return _without_prefix(tensors)


def _is_tar(contents: bytes) -> bool:
    return contents[257:262] == _TAR and not contents.startswith((_ZIP, _STREAM))


Read = Callable[[_Storage], bytes]


def _read_zip(contents: bytes) -> tuple[object, Read]:
    """Return the pickle's value, and a function that reads a storage."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(contents))
    except zipfile.BadZipFile as error:
        raise WeightsError(f"not a readable PyTorch file: {error}") from error
    pickles = [name for name in archive.namelist() if name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise WeightsError("a zip file, but none that torch.save wrote: it has no data.pkl")
    check_stored((info.file_size for info in archive.infolist()), len(contents))
    folder = pickles[0].removesuffix("data.pkl")

    @functools.cache
    def member(name: str) -> bytes:
        # torch.save compresses nothing; what is compressed may be a bomb.
        if archive.getinfo(folder + name).compress_type != zipfile.ZIP_STORED:
            raise WeightsError(f"{folder}{name} is compressed, which torch.save never does")
        try:
            return archive.read(folder + name)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise WeightsError(f"damaged: {error}") from error

    if f"{folder}byteorder" in archive.namelist() and member("byteorder") != b"little":
        raise WeightsError("written on a big-endian machine, which is not understood")
    root = _load(io.BytesIO(member("data.pkl")))
    return root, lambda storage: member(f"data/{storage.key}")


def _read_stream(contents: bytes) -> tuple[object, Read]:
    """Return the pickle's value, and a function that reads a storage.

    The file has five pickles (magic number, protocol, machine, value, storages' keys), then the
    storages.
    """
    stream = io.BytesIO(contents)
    _, protocol, machine, root, keys = (_load(stream) for _ in range(5))
    if protocol != _STREAM_PROTOCOL or machine.get("little_endian") is not True:
        raise WeightsError("of another version of PyTorch's format, or of a big-endian machine")
    sizes = {tensor.storage.key: tensor.storage for tensor in _tensors(root)}
    storages: dict[str, bytes] = {}
    for key in map(pickle_machine.check_key, keys):
        (count,) = struct.unpack("<Q", stream.read(8))
        if key not in sizes:
            raise WeightsError(f"damaged: the storage {key} belongs to no tensor")
        storages[str(key)] = stream.read(count * _item_size(sizes[str(key)].code))
    return root, lambda storage: storages[storage.key]


def _tensors(root: object) -> Iterator[_Tensor]:
    """Yield all tensors in a pickle's value; what is used in several places is looked at once."""
    seen, waiting = {id(root)}, [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Tensor):
            yield node
            continue
        children = list(node.values()) if isinstance(node, dict) else node
        if isinstance(children, list | tuple):
            new = {id(child): child for child in children if id(child) not in seen}
            seen |= new.keys()
            waiting += new.values()


def _state_dict(root: object) -> dict[str, _Tensor]:
    """Return the dictionary of tensors, whatever key it is kept under; refuse anything else in it."""
    for key in _WRAPPERS:
        if isinstance(root, dict) and isinstance(root.get(key), dict):
            root = root[key]
    if not isinstance(root, dict) or not root:
        raise WeightsError(f"it holds no state dictionary, but {type(root).__name__}")
    for name, tensor in root.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise WeightsError(f"it holds no state dictionary: {name!r} is no tensor")
    return _without_prefix(root)


def _without_prefix(tensors: dict[str, Any]) -> dict[str, Any]:
    if all(name.startswith(_PARALLEL) for name in tensors):
        return {name.removeprefix(_PARALLEL): tensor for name, tensor in tensors.items()}
    return tensors


def _array(name: str, tensor: _Tensor, read: Read) -> np.ndarray:
    """Return a tensor's numbers, and check that it lies within its storage."""
    storage, size = tensor.storage, math.prod(tensor.shape)
    last = tensor.offset + sum(
        (n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True)
    )
    if size > storage.size or (size and last >= storage.size):
        raise WeightsError(f"damaged: {name} is larger than what is stored of it")
    data = read(storage)
    if len(data) != storage.size * _item_size(storage.code):
        raise WeightsError(f"damaged: {name} is cut off")
    flat = _stored(data, storage.code)
    strides = tuple(stride * flat.itemsize for stride in tensor.strides)
    view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides)
    return _decoded(np.ascontiguousarray(view), storage.code).reshape(tensor.shape)


def _item_size(code: str) -> int:
    return 2 if code == _BFLOAT16 else np.dtype(code).itemsize


def _stored(data: bytes, code: str) -> np.ndarray:
    """Return little-endian numbers as they are stored, those of bfloat16 as their bits."""
    return np.frombuffer(data, "<u2" if code == _BFLOAT16 else np.dtype(code).newbyteorder("<"))


def _decoded(stored: np.ndarray, code: str) -> np.ndarray:
    """Return numbers of floating point as float32; bfloat16 is its upper half."""
    if code == _BFLOAT16:
        return (stored.astype(np.uint32) << 16).view(np.float32)
    return stored.astype(np.float32) if stored.dtype.kind == "f" else stored
