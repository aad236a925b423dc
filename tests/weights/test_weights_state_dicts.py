import os
import pickle
import pickletools
import struct
import zipfile

import numpy as np
import pytest
import safetensors.numpy
import torch_fakes as fakes
from torch_fakes import Parameter, Storage, Tensor

from stylezoo.errors import WeightsError
from stylezoo.weights import state_dicts
from stylezoo.weights.state_dicts import from_safetensors, from_torch

FORMATS = pytest.mark.parametrize("legacy", [False, True], ids=["zip", "stream"])


def arrays():
    rng = np.random.default_rng(0)
    return {
        "features.0.weight": rng.standard_normal((4, 3, 2, 2), np.float32),
        "features.0.bias": rng.standard_normal(4, np.float32),
        "empty": np.zeros((0, 3), np.float32),
        "scalar": np.float32(2.5),
    }


def assert_equal(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True, err_msg=name)


@FORMATS
def test_state_dict(legacy):
    assert_equal(from_torch(fakes.save(fakes.state_dict(arrays()), legacy=legacy)), arrays())


@FORMATS
@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_checkpoint_of_a_parallel_training(legacy, key):
    tensors = {f"module.{name}": Tensor(array) for name, array in arrays().items()}
    checkpoint = {
        "epoch": 3,
        "arch": "resnet18",
        "best": 0.5,
        key: tensors,
        "optimizer": {"state": {0: {"momentum": Tensor(np.ones(3))}}, "param_groups": [{"lr": 1}]},
    }
    assert_equal(from_torch(fakes.save(checkpoint, legacy=legacy)), arrays())


@FORMATS
def test_types_become_float32_but_for_integers(legacy):
    values = np.array([0.5, -3, 65504, 0], np.float32)
    tensors = {code: Tensor(values, code) for code in fakes.STORAGES}
    found = from_torch(fakes.save(tensors, legacy=legacy))
    # bfloat16 has 8 bits of the fraction; the writer cuts 65504 off to 65280.
    expected = dict.fromkeys(fakes.STORAGES, values)
    expected |= {"bf16": np.array([0.5, -3, 65280, 0], np.float32), "i8": values.astype(np.int64)}
    assert_equal(found, expected)


@FORMATS
def test_views_of_one_storage_and_parameters(legacy):
    numbers = np.arange(24, dtype=np.float32)
    storage = Storage(numbers)
    tensors = {
        "whole": Tensor(numbers, storage=storage),
        "transposed": Tensor(0, storage=storage, offset=4, shape=(5, 4), strides=(1, 5)),
        "parameter": Parameter(numbers[:3]),
    }
    expected = {
        "whole": numbers,
        "transposed": numbers[4:].reshape(4, 5).T,
        "parameter": numbers[:3],
    }
    assert_equal(from_torch(fakes.save(tensors, legacy=legacy)), expected)


def test_files_of_pytorch_itself(tmp_path):
    torch = pytest.importorskip("torch")
    layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 5), torch.nn.BatchNorm2d(4))
    state = layers.state_dict() | {"half": torch.ones(3, dtype=torch.bfloat16)}
    expected = {name: tensor.float().numpy() for name, tensor in state.items()}
    expected["1.num_batches_tracked"] = np.array(0, np.int64)
    for is_zip in (True, False):
        file = tmp_path / f"{is_zip}.pth"
        torch.save(state, file, _use_new_zipfile_serialization=is_zip)
        assert_equal(from_torch(file.read_bytes()), expected)


def test_safetensors():
    written = {name: np.asarray(array) for name, array in arrays().items()}
    found = from_safetensors(safetensors.numpy.save(written | {"half": np.ones(2, np.float16)}))
    expected = arrays() | {"half": np.ones(2, np.float32)}
    assert_equal({name: found[name] for name in expected}, expected)
    assert len(found) == len(expected)


def bfloat16_safetensors(dtype="BF16"):
    header = f'{{"module.a":{{"dtype":"{dtype}","shape":[2],"data_offsets":[0,4]}}}}'.encode()
    return struct.pack("<Q", len(header)) + header + Storage(np.array([1.5, -2]), "bf16").data


def test_safetensors_of_bfloat16():
    found = from_safetensors(bfloat16_safetensors())
    assert_equal(found, {"a": np.array([1.5, -2], np.float32)})


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        (bfloat16_safetensors()[:-1], "not a readable safetensors file"),
        (bfloat16_safetensors()[:20], "not a readable safetensors file"),
        (bfloat16_safetensors("U16"), "module.a must be of one of the types F64, .*dtype=U16"),
    ],
)
def test_wrong_safetensors(contents, problem):
    assert state_dicts.is_safetensors(contents)
    with pytest.raises(WeightsError, match=problem):
        from_safetensors(contents)


class Calls:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


@FORMATS
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_runs_nothing(tmp_path, legacy, protocol):
    trace = tmp_path / "trace"
    data = pickle.dumps({"a": Calls(os.system, (f"touch {trace}",))}, protocol=protocol)
    with pytest.raises(WeightsError, match=r"asks for (posix|nt)\.system"):
        from_torch(fakes.save({}, legacy=legacy, data=data))
    assert not trace.exists()
    pickle.loads(data)
    assert trace.exists(), "the pickle must be dangerous for the test to show anything"


# A float32 whose dtype claims NumPy's flags of object dtypes: real NumPy would trust it.
FORGED = Calls(np.dtype, ("f4", False, True), (3, "|", None, None, None, -1, -1, 63))


@FORMATS
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (eval, r"asks for __builtin__\.eval"),
        (getattr, r"asks for __builtin__\.getattr"),
        (np.float32(1), r"asks for numpy\.(_core|core)\.multiarray\.scalar"),
        (np.ones(3), r"asks for numpy\.(_core|core)\.multiarray\._reconstruct"),
        (FORGED, r"asks for numpy\.dtype"),
        (3.0, "holds no state dictionary: 'a' is no tensor"),
        ({"b": 1}, "holds no state dictionary: 'a' is no tensor"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_refuses_what_is_no_tensor(legacy, value, problem):
    with pytest.raises(WeightsError, match=problem):
        from_torch(fakes.save({"a": value}, legacy=legacy))


def test_a_tensor_can_not_be_changed_after_it_was_checked():
    """BUILD would set the attributes of an ordinary object: strides out of the storage."""
    tensor = Tensor(np.ones(3))
    for state in ({"strides": (1 << 40,)}, (None, {"strides": (1 << 40,)})):
        reduced = (*tensor.__reduce__(), state)
        with pytest.raises(WeightsError, match="not a file of plain PyTorch tensors"):
            from_torch(fakes.save({"a": Calls(*reduced)}))


@FORMATS
@pytest.mark.parametrize(
    "tensor",
    [
        Tensor(np.ones(3), shape=(4,)),
        Tensor(np.ones(3), offset=1),
        Tensor(np.ones(3), offset=-1),
        Tensor(np.ones(3), strides=(2,)),
        Tensor(np.ones(3), strides=(-1,)),
        Tensor(np.ones(3), shape=(1 << 40,), strides=(0,)),
        Tensor(np.ones(3), strides=(1, 1)),
        Tensor(np.ones(3), shape=(3.0,)),
    ],
)
def test_refuses_views_beyond_the_storage(legacy, tensor):
    problem = (
        "larger than what is stored|is no file of trained weights|not stored as PyTorch does|"
        "shorter than|longer than"
    )
    with pytest.raises(WeightsError, match=problem):
        from_torch(fakes.save({"a": tensor}, legacy=legacy))


def patched(old, new):
    """A zip file with a pickle in which something else stands."""
    pickled, _ = fakes._pickled({"a": Tensor(np.ones(300))}, legacy=False)
    assert old in pickled
    return fakes.save({"a": Tensor(np.ones(300))}, data=pickled.replace(old, new))


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        (patched(b"storage", b"garbage"), "it refers to"),
        (patched(b"FloatStorage", b"ComplStorage"), r"asks for torch\.ComplStorage"),
        (patched(b"\x2c\x01", b"\x2d\x01"), "damaged: a is"),
        (fakes.save({"a": Tensor(np.ones(3))}, compression=zipfile.ZIP_DEFLATED), "compressed"),
        (fakes.save({}), "holds no state dictionary"),
        (fakes.save([Tensor(np.ones(3))]), "holds no state dictionary, but list"),
        (fakes.save({1: Tensor(np.ones(3))}), "1 is no tensor"),
    ],
)
def test_wrong_zip_files(contents, problem):
    with pytest.raises(WeightsError, match=problem):
        from_torch(contents)


def test_zip_file_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("model.json", "{}")
    with pytest.raises(WeightsError, match=r"none that torch\.save wrote: it has no data\.pkl"):
        from_torch((tmp_path / "x.pth").read_bytes())


def test_the_oldest_format_is_refused_with_advice():
    contents = b"sys_info".ljust(257, b"\0") + b"ustar\x0000".ljust(255, b"\0")
    assert state_dicts.is_torch(contents)
    with pytest.raises(WeightsError, match=r"before 0\.1\.10, .* load it with PyTorch"):
        from_torch(contents)


@FORMATS
def test_truncated_files_are_weights_errors(legacy):
    contents = fakes.save(fakes.state_dict({"a": np.ones(300, np.float32)}), legacy=legacy)
    for length in range(20, len(contents) - 1, 37):
        with pytest.raises(WeightsError):
            from_torch(contents[:length])
    with pytest.raises(WeightsError, match=r"cut off|not a readable PyTorch file"):
        from_torch(contents[:-1])


def test_the_writer_writes_what_pytorch_does():
    """Opcode for opcode what PyTorch 1.4 wrote of `{"w": torch.zeros(2)}`, but for the memo."""
    pickled, _ = fakes._pickled({"w": Tensor(np.zeros(2))}, legacy=False)
    names = [
        str(argument)
        for opcode, argument, _ in pickletools.genops(pickled)
        if opcode.name in ("GLOBAL", "BINUNICODE", "BINPERSID")
    ]
    assert names == [
        *("w", "torch._utils _rebuild_tensor_v2", "storage", "torch FloatStorage", "0", "cpu"),
        *("None", "collections OrderedDict"),
    ]
