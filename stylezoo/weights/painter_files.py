"""Read fast-style networks that others trained: same pictures, our names and order.

A network of ours is the same as one of theirs up to constants, which are folded into kernels here:

* Ours sees 2x - 1 of an image x in [0, 1], theirs x or 255 x. The difference is a constant, which a
  normalisation takes away where pictures are reflected at the border.
* Ours normalises with ε = 1e-5. Kernels times sqrt(1e-5 / ε) before it give what another ε gives.
* A bias before a normalisation changes nothing.
"""

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from stylezoo import reading
from stylezoo.errors import WeightsError
from stylezoo.weights import state_dicts
from stylezoo.weights.converters import as_float32
from stylezoo.weights.magenta import transformer_layers

Tensors = dict[str, np.ndarray]

_NUM_BLOCKS = 5
_OUR_EPSILON = 1e-5
_LAYERS = (
    *("conv_in", "down1", "down2"),
    *(f"block{block}_conv{index}" for block in range(1, _NUM_BLOCKS + 1) for index in (1, 2)),
    *("up1", "up2", "conv_out"),
)


def from_fast_neural_style(file: Path) -> Tensors:
    """Read a state dictionary of PyTorch's examples, ``fast_neural_style``: ``.pth``, safetensors.

    Its network takes and gives RGB in 0 to 255, and what it gives is cut.
    """
    contents = reading.read_bytes(file)
    is_safe = state_dicts.is_safetensors(contents)
    given = (state_dicts.from_safetensors if is_safe else state_dicts.from_torch)(contents)
    convolutions = {"conv1": "conv_in", "conv2": "down1", "conv3": "down2"}
    convolutions |= {"deconv1": "up1", "deconv2": "up2", "deconv3": "conv_out"}
    norms = {f"in{index}": ours for index, ours in enumerate((*_LAYERS[:3], "up1", "up2"), start=1)}
    for block in range(1, _NUM_BLOCKS + 1):
        for index in (1, 2):
            convolutions[f"res{block}.conv{index}"] = f"block{block}_conv{index}"
            norms[f"res{block}.in{index}"] = f"block{block}_conv{index}"
    tensors = {}
    for theirs, ours in convolutions.items():
        tensors[f"{ours}/kernel"] = given.pop(f"{theirs}.conv2d.weight").transpose(2, 3, 1, 0)
        bias = given.pop(f"{theirs}.conv2d.bias")
        if ours == "conv_out":
            tensors["conv_out/bias"] = bias / 255 - 0.5  # which our output adds
    for theirs, ours in norms.items():
        tensors[f"{ours}_norm/scale"] = given.pop(f"{theirs}.weight")
        tensors[f"{ours}_norm/shift"] = given.pop(f"{theirs}.bias")
        for moment in ("running_mean", "running_var", "num_batches_tracked"):
            given.pop(f"{theirs}.{moment}", None)  # older PyTorch kept them and did not use them
    if given:
        raise WeightsError(f"it has more than the network needs: {', '.join(given)}")
    tensors["conv_in/kernel"] = tensors["conv_in/kernel"] * 127.5
    tensors["conv_out/kernel"] = tensors["conv_out/kernel"] / 255
    return tensors


def from_fast_style_transfer(file: Path) -> Tensors:
    """Read a checkpoint of lengstrom's ``fast-style-transfer``, written by TensorFlow 1.

    Its network takes RGB in 0 to 255, as its ``evaluate.py`` gives it; it was trained on 0 to 1, which
    its first normalisation makes nearly the same. Its variables are numbered in the order in which they
    were made: kernel, shift and scale of one layer after the other.
    """
    given = read_checkpoint(file)
    factor = math.sqrt(_OUR_EPSILON / 1e-3)
    tensors = {}
    for index, ours in enumerate(_LAYERS):
        kernel, shift, scale = (given[_numbered(3 * index + offset)] for offset in range(3))
        tensors[f"{ours}/kernel"] = kernel * factor * (255 if ours == "conv_in" else 1)
        tensors[f"{ours}_norm/scale"] = scale
        tensors[f"{ours}_norm/shift"] = shift
    return tensors


def from_image_stylization(file: Path) -> Tensors:
    """Read a checkpoint of Magenta's ``image_stylization``, written by TensorFlow 1.

    Its network takes and gives RGB in [0, 1].
    """
    given = read_checkpoint(file)
    tensors = {}
    for theirs, ours in transformer_layers(_NUM_BLOCKS).items():
        tensors[f"{ours}/kernel"] = given[f"{theirs}/weights"]
        tensors[f"{ours}_norm/scale"] = given[f"{theirs}/InstanceNorm/gamma"]
        tensors[f"{ours}_norm/shift"] = given[f"{theirs}/InstanceNorm/beta"]
    tensors["conv_in/kernel"] = tensors["conv_in/kernel"] / 2
    return tensors


READERS: Mapping[str, Callable[[Path], Tensors]] = {
    "fast_neural_style": from_fast_neural_style,
    "fast_style_transfer": from_fast_style_transfer,
    "image_stylization": from_image_stylization,
}


def read_painter(file: str | os.PathLike[str], layout: str) -> Tensors:
    """Read a painter that another project trained.

    Nothing in the file is run.

    Args:
        file: The file; of TensorFlow's checkpoints their common prefix, their ``.index`` or their
            folder.
        layout: A name in :data:`READERS`.

    Returns:
        Float32 arrays by our ``layer/variable``.

    Raises:
        WeightsError: If it is no such file, or damaged.
        OSError: If it can't be read.
    """
    with _named(Path(file)):
        return as_float32(READERS[layout](Path(file)))


def read_checkpoint(file: Path) -> Tensors:
    """Return the float32 variables of a checkpoint of TensorFlow 1, of either version of the format.

    Args:
        file: The checkpoint's prefix, its ``.index``, or the folder of which it is the latest.

    Raises:
        WeightsError: If it is no checkpoint, or damaged.
        OSError: If there is none.
    """
    import tensorflow as tf

    if file.is_dir():
        state = tf.train.get_checkpoint_state(str(file))
        if state is None:
            raise FileNotFoundError(f"`{file}` has no checkpoint")
        file = file / Path(state.model_checkpoint_path).name  # the folder may have been moved
    prefix = file.with_suffix("") if file.suffix == ".index" else file
    parts = sorted(prefix.parent.glob(f"{prefix.name}.data-*")) or [prefix]
    stored = sum(part.stat().st_size for part in parts)
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes = reader.get_variable_to_shape_map()
        dtypes = reader.get_variable_to_dtype_map()
        names = [name for name in shapes if dtypes[name] == tf.float32]
        if 4 * sum(math.prod(shapes[name]) for name in names) > stored:
            raise WeightsError("damaged: larger than what is stored of it")
        return {name: reader.get_tensor(name) for name in names}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise WeightsError(f"not a readable checkpoint of TensorFlow: {error}") from error


def _numbered(index: int) -> str:
    return f"Variable_{index}" if index else "Variable"


@contextlib.contextmanager
def _named(file: Path) -> Iterator[None]:
    """Prefix errors with the file's name, and say what is missing."""
    try:
        yield
    except WeightsError as error:
        raise WeightsError(f"{file}: {' '.join(str(error).split())}") from error
    except KeyError as error:
        raise WeightsError(f"{file}: it lacks {error.args[0]}, which such a network has") from error
    except ValueError as error:
        raise WeightsError(f"{file}: laid out in an unknown way ({error})") from error
