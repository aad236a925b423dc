"""Files as PyTorch writes them, without PyTorch; and the names torchvision gives its layers.

The formats are those of torch/serialization.py (1.0 and 2.x): `_legacy_save` and `_save`.
"""

import collections
import contextlib
import io
import pickle
import struct
import sys
import types
import zipfile
from unittest import mock

import numpy as np

STORAGES = {"f8": "Double", "f4": "Float", "f2": "Half", "bf16": "BFloat16", "i8": "Long"}
_MAGIC = 0x1950A86A20F9469CFC6C


def _named(module, name, value):
    """As pickle is to find it."""
    value.__module__, value.__qualname__, value.__name__ = module, name, name
    return value


def _rebuild_tensor_v2(*_):
    raise AssertionError("only to be named")


def _rebuild_parameter(*_):
    raise AssertionError("only to be named")


_REBUILD = _named("torch._utils", "_rebuild_tensor_v2", _rebuild_tensor_v2)
_PARAMETER = _named("torch._utils", "_rebuild_parameter", _rebuild_parameter)
_TYPES = {
    code: _named("torch", f"{name}Storage", type(name, (), {})) for code, name in STORAGES.items()
}


class Storage:
    def __init__(self, array, code="f4"):
        self.code, self.size = code, array.size
        if code == "bf16":
            self.data = (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
        else:
            self.data = array.astype(f"<{code}").tobytes()


class Tensor:
    """A view of a storage; of one of its own by default."""

    def __init__(self, array, code="f4", *, storage=None, offset=0, shape=None, strides=None):
        array = np.asarray(array)
        self.storage = storage or Storage(np.ascontiguousarray(array), code)
        self.offset = offset
        self.shape = array.shape if shape is None else shape
        if strides is None:
            strides = [int(np.prod(self.shape[axis + 1 :])) for axis in range(len(self.shape))]
        self.strides = tuple(strides)

    def __reduce__(self):
        arguments = (self.storage, self.offset, self.shape, self.strides, False)
        return _REBUILD, (*arguments, collections.OrderedDict())


class Parameter:
    def __init__(self, array):
        self.data = Tensor(array)

    def __reduce__(self):
        return _PARAMETER, (self.data, True, collections.OrderedDict())


class _Pickler(pickle.Pickler):
    def __init__(self, stream, *, legacy):
        super().__init__(stream, protocol=2)
        self.storages, self.legacy = {}, legacy

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        key = next((key for key, each in self.storages.items() if each is value), None)
        key = key or str(len(self.storages))
        self.storages[key] = value
        view = (None,) if self.legacy else ()
        return ("storage", _TYPES[value.code], key, "cpu", value.size, *view)


@contextlib.contextmanager
def _torch():
    """Modules in which pickle finds what it writes the names of."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    utils._rebuild_tensor_v2, utils._rebuild_parameter = _REBUILD, _PARAMETER
    for each in _TYPES.values():
        setattr(torch, each.__name__, each)
    with mock.patch.dict(sys.modules, {"torch": torch, "torch._utils": utils}):
        yield


def _pickled(value, *, legacy):
    stream = io.BytesIO()
    with _torch():
        pickler = _Pickler(stream, legacy=legacy)
        pickler.dump(value)
    return stream.getvalue(), pickler.storages


def save(value, *, legacy=False, data=None, compression=zipfile.ZIP_STORED):
    """What `torch.save` writes; ``data`` takes the place of the pickle."""
    pickled, storages = _pickled(value, legacy=legacy)
    stream = io.BytesIO()
    if legacy:
        sizes = {"short": 2, "int": 4, "long": 4}
        machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": sizes}
        for each in (_MAGIC, 1001, machine):
            pickle.dump(each, stream, protocol=2)
        stream.write(pickled if data is None else data)
        pickle.dump(sorted(storages), stream, protocol=2)
        for _, storage in sorted(storages.items()):
            stream.write(struct.pack("<q", storage.size) + storage.data)
        return stream.getvalue()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled if data is None else data)
        archive.writestr("archive/byteorder", "little")
        for key, storage in storages.items():
            archive.writestr(f"archive/data/{key}", storage.data)
        archive.writestr("archive/version", "3\n")
    return stream.getvalue()


def state_dict(arrays):
    """As a module's, with the versions of its layers as an attribute."""
    tensors = collections.OrderedDict((name, Tensor(array)) for name, array in arrays.items())
    tensors._metadata = collections.OrderedDict({"": {"version": 1}})
    return tensors


def _convolution(name, shape, *, bias=True):
    return {f"{name}.weight": shape} | ({f"{name}.bias": shape[:1]} if bias else {})


def _normalization(name, channels):
    kinds = ("weight", "bias", "running_mean", "running_var")
    shapes = {f"{name}.{kind}": (channels,) for kind in kinds}
    return {**shapes, f"{name}.num_batches_tracked": ()}


def _dense(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def alexnet():
    """torchvision/models/alexnet.py."""
    shapes = {}
    sizes = ((0, 64, 3, 11), (3, 192, 64, 5), (6, 384, 192, 3), (8, 256, 384, 3), (10, 256, 256, 3))
    for index, filters, channels, kernel in sizes:
        shapes |= _convolution(f"features.{index}", (filters, channels, kernel, kernel))
    for index, inputs, outputs in ((1, 256 * 36, 4096), (4, 4096, 4096), (6, 4096, 1000)):
        shapes |= _dense(f"classifier.{index}", inputs, outputs)
    return shapes


_CONFIGURATIONS = {
    "vgg11": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "vgg13": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


def vgg(name, *, batch_norm):
    """torchvision/models/vgg.py: `make_layers` of `cfgs`."""
    shapes, index, channels = {}, 0, 3
    for entry in _CONFIGURATIONS[name].split():
        if entry == "M":
            index += 1
            continue
        filters = int(entry)
        shapes |= _convolution(f"features.{index}", (filters, channels, 3, 3))
        if batch_norm:
            shapes |= _normalization(f"features.{index + 1}", filters)
        index += 3 if batch_norm else 2
        channels = filters
    for index, inputs, outputs in ((0, 512 * 49, 4096), (3, 4096, 4096), (6, 4096, 1000)):
        shapes |= _dense(f"classifier.{index}", inputs, outputs)
    return shapes


def _basic_conv(name, channels, filters, kernel):
    """googlenet.py's `BasicConv2d`."""
    convolution = _convolution(f"{name}.conv", (filters, channels, kernel, kernel), bias=False)
    return convolution | _normalization(f"{name}.bn", filters)


def googlenet(*, auxiliary):
    """torchvision/models/googlenet.py."""
    shapes = _basic_conv("conv1", 3, 64, 7)
    shapes |= _basic_conv("conv2", 64, 64, 1) | _basic_conv("conv3", 64, 192, 3)
    for name, inputs, one, red3, three, red5, five, pool in (
        ("3a", 192, 64, 96, 128, 16, 32, 32),
        ("3b", 256, 128, 128, 192, 32, 96, 64),
        ("4a", 480, 192, 96, 208, 16, 48, 64),
        ("4b", 512, 160, 112, 224, 24, 64, 64),
        ("4c", 512, 128, 128, 256, 24, 64, 64),
        ("4d", 512, 112, 144, 288, 32, 64, 64),
        ("4e", 528, 256, 160, 320, 32, 128, 128),
        ("5a", 832, 256, 160, 320, 32, 128, 128),
        ("5b", 832, 384, 192, 384, 48, 128, 128),
    ):
        module = f"inception{name}"
        shapes |= _basic_conv(f"{module}.branch1", inputs, one, 1)
        shapes |= _basic_conv(f"{module}.branch2.0", inputs, red3, 1)
        shapes |= _basic_conv(f"{module}.branch2.1", red3, three, 3)
        shapes |= _basic_conv(f"{module}.branch3.0", inputs, red5, 1)
        shapes |= _basic_conv(f"{module}.branch3.1", red5, five, 3)
        shapes |= _basic_conv(f"{module}.branch4.1", inputs, pool, 1)
    for name, channels in (("aux1", 512), ("aux2", 528)) if auxiliary else ():
        shapes |= _basic_conv(f"{name}.conv", channels, 128, 1)
        shapes |= _dense(f"{name}.fc1", 2048, 1024) | _dense(f"{name}.fc2", 1024, 1000)
    return shapes | _dense("fc", 1024, 1000)


def resnet(depths, *, bottleneck):
    """torchvision/models/resnet.py: `_make_layer` of `BasicBlock` or `Bottleneck`."""
    shapes = _convolution("conv1", (64, 3, 7, 7), bias=False) | _normalization("bn1", 64)
    channels, expansion = 64, 4 if bottleneck else 1
    for layer, (depth, planes) in enumerate(zip(depths, (64, 128, 256, 512), strict=True), 1):
        for index in range(depth):
            module, wide = f"layer{layer}.{index}", planes * expansion
            kernels = (1, 3, 1) if bottleneck else (3, 3)
            widths = (planes, planes, wide) if bottleneck else (planes, planes)
            inputs = channels
            for number, (kernel, width) in enumerate(zip(kernels, widths, strict=True), 1):
                shape = (width, inputs, kernel, kernel)
                shapes |= _convolution(f"{module}.conv{number}", shape, bias=False)
                shapes |= _normalization(f"{module}.bn{number}", width)
                inputs = width
            if index == 0 and (layer > 1 or channels != wide):
                shape = (wide, channels, 1, 1)
                shapes |= _convolution(f"{module}.downsample.0", shape, bias=False)
                shapes |= _normalization(f"{module}.downsample.1", wide)
            channels = wide
    return shapes | _dense("fc", channels, 1000)


def squeezenet():
    """torchvision/models/squeezenet.py, version 1_1."""
    shapes = _convolution("features.0", (64, 3, 3, 3))
    for index, channels, squeezed, expanded in (
        (3, 64, 16, 64),
        (4, 128, 16, 64),
        (6, 128, 32, 128),
        (7, 256, 32, 128),
        (9, 256, 48, 192),
        (10, 384, 48, 192),
        (11, 384, 64, 256),
        (12, 512, 64, 256),
    ):
        module = f"features.{index}"
        shapes |= _convolution(f"{module}.squeeze", (squeezed, channels, 1, 1))
        shapes |= _convolution(f"{module}.expand1x1", (expanded, squeezed, 1, 1))
        shapes |= _convolution(f"{module}.expand3x3", (expanded, squeezed, 3, 3))
    return shapes | _convolution("classifier.1", (1000, 512, 1, 1))


NETWORKS = (
    {"alexnet_owt": alexnet(), "squeezenet1_1": squeezenet()}
    | {"googlenet_bn": googlenet(auxiliary=False)}
    | {name: vgg(name, batch_norm=False) for name in _CONFIGURATIONS}
    | {f"{name}_bn": vgg(name, batch_norm=True) for name in _CONFIGURATIONS}
    | {"resnet18": resnet((2, 2, 2, 2), bottleneck=False)}
    | {"resnet34": resnet((3, 4, 6, 3), bottleneck=False)}
    | {"resnet50_v1_5": resnet((3, 4, 6, 3), bottleneck=True)}
    | {"resnet101_v1_5": resnet((3, 4, 23, 3), bottleneck=True)}
    | {"resnet152_v1_5": resnet((3, 8, 36, 3), bottleneck=True)}
)
