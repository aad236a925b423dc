"""Readers of files give arrays or their own kind of error, whatever the bytes (Hypothesis)."""

import contextlib
import io
import json
import pickle
import zipfile

import h5py
import hypothesis
import numpy as np
import torch_fakes as fakes
from hypothesis import strategies

from stylezoo.errors import WeightsError
from stylezoo.weights import hdf5_checks, state_dicts, unpickler, weights_files

SETTINGS = hypothesis.settings(max_examples=150, deadline=None, derandomize=True, database=None)
ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, np.float32)}


def hdf5() -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs.update(architecture="alexnet_owt", preprocessing="torch")
        for name, array in ARRAYS.items():
            file[f"{name}/kernel"] = array
    return stream.getvalue()


def safetensors() -> bytes:
    header, data = {}, b""
    for name, array in ARRAYS.items():
        offsets = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": offsets}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


GOOD = {
    "zip": fakes.save(fakes.state_dict(ARRAYS)),
    "stream": fakes.save(fakes.state_dict(ARRAYS), legacy=True),
    "safetensors": safetensors(),
    "hdf5": hdf5(),
}


@strategies.composite
def damaged(draw, contents):
    """Bytes with some of them changed, removed, or repeated."""
    data = bytearray(contents)
    for _ in range(draw(strategies.integers(1, 4))):
        at = draw(strategies.integers(0, len(data) - 1))
        match draw(strategies.sampled_from(["change", "cut", "remove", "repeat"])):
            case "change":
                data[at] = draw(strategies.integers(0, 255))
            case "cut":
                data = data[: at + 1]
            case "remove":
                del data[at : at + draw(strategies.integers(1, 8))]
                data = data or bytearray(b"x")
            case "repeat":
                data[at:at] = data[at : at + draw(strategies.integers(1, 64))]
    return bytes(data)


@SETTINGS
@hypothesis.given(strategies.sampled_from(sorted(GOOD)).flatmap(lambda kind: damaged(GOOD[kind])))
def test_damaged_weights_are_arrays_or_weights_errors(contents):
    try:
        loaded = weights_files.read(contents, "strange", architecture="alexnet_owt")
    except WeightsError as error:
        assert str(error).startswith("strange: ")  # noqa: PT017
    else:
        assert all(each.dtype == np.float32 for each in loaded.tensors.values())


@SETTINGS
@hypothesis.given(strategies.binary(max_size=200))
def test_any_bytes_as_a_pickle(contents):
    for prefix in (b"", b"\x80\x02", b"\x80\x04"):
        with contextlib.suppress(WeightsError):
            unpickler.unpickle_arrays(prefix + contents + b".")


VALUES = strategies.recursive(
    strategies.none() | strategies.integers() | strategies.text() | strategies.floats(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=20,
)


@SETTINGS
@hypothesis.given(VALUES, strategies.sampled_from([0, 1, 2, 3, 4, 5]))
def test_plain_values_are_read_as_pickle_reads_them(value, protocol):
    from stylezoo.weights import pickle_machine

    data = pickle.dumps(value, protocol=protocol)
    found = pickle_machine.load(io.BytesIO(data), lambda *_: None)
    assert repr(found) == repr(pickle.loads(data))  # NaN is not equal to itself


@SETTINGS
@hypothesis.given(strategies.dictionaries(strategies.text(), VALUES))
def test_state_dictionaries_of_anything_else(value):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(value, protocol=2))
    with contextlib.suppress(WeightsError):
        assert state_dicts.from_torch(stream.getvalue()) == {}


@SETTINGS
@hypothesis.given(
    strategies.lists(strategies.integers(1, 2**31), min_size=1, max_size=4),
    strategies.booleans(),
)
def test_hdf5_of_any_shape_is_not_read_before_its_size_is_known(shape, chunked):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        hypothesis.assume(np.prod([float(side) for side in shape]) < 2**62)
        file.create_dataset("a", shape, "f4", chunks=(1,) * len(shape) if chunked else None)
    with h5py.File(stream, "r") as file:
        num_bytes = stream.getbuffer().nbytes
        try:
            assert hdf5_checks.check_plain(file, num_bytes) <= num_bytes
        except WeightsError:
            assert int(np.prod([float(side) for side in shape])) > num_bytes
