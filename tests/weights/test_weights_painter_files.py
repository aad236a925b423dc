"""Painters that other projects trained paint the same after their import.

The references are forward passes of these projects' networks in NumPy and float64, from their files'
own numbers.
"""

import dataclasses
import math

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
import torch_fakes
from numpy.lib.stride_tricks import sliding_window_view

from stylezoo import generators
from stylezoo.errors import WeightsError

RANDOM = np.random.default_rng(0)
WIDTHS = (3, 4, 5)
BLOCKS = range(1, 6)
# Sides that both halvings divide.
IMAGE = RANDOM.uniform(size=(1, 20, 28, 3)).astype(np.float32)


# Layers, of [H, W, C]


def convolve(x, kernel, *, stride=1):
    """Without padding; the kernel is [height, width, in, out]."""
    windows = sliding_window_view(x, kernel.shape[:2], axis=(0, 1))[::stride, ::stride]
    return np.einsum("hwcij,ijco->hwo", windows, kernel)


def reflected(x, kernel, *, stride=1):
    n = len(kernel) // 2
    return convolve(np.pad(x, [(n, n), (n, n), (0, 0)], "reflect"), kernel, stride=stride)


def same(x, kernel, *, stride=1):
    """As TensorFlow pads: of an odd number of zeros the larger part comes last."""
    zeros = len(kernel) - stride
    sides = (zeros // 2, zeros - zeros // 2)
    return convolve(np.pad(x, [sides, sides, (0, 0)]), kernel, stride=stride)


def transposed(x, kernel):
    """The gradient of ``same`` with stride 2; the kernel is [3, 3, out, in]."""
    height, width, _ = x.shape
    y = np.zeros([2 * height + 1, 2 * width + 1, kernel.shape[2]])
    for row in range(height):
        for column in range(width):
            spread = np.einsum("ijoc,c->ijo", kernel, x[row, column])
            y[2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += spread
    return y[: 2 * height, : 2 * width]


def normalized(x, scale, shift, *, epsilon):
    return (x - x.mean((0, 1))) / np.sqrt(x.var((0, 1)) + epsilon) * scale + shift


def doubled(x):
    return x.repeat(2, axis=0).repeat(2, axis=1)


def relu(x):
    return np.maximum(x, 0)


def kernel_of(side, before, after):
    return RANDOM.normal(size=(side, side, before, after)) / math.sqrt(side * side * before)


def vector(*shape):
    return RANDOM.normal(1, 0.4, shape)


# PyTorch's fast_neural_style


def state_dict():
    """PyTorch's kernels are [out, in, height, width]."""
    full, half, quarter = WIDTHS
    convs = {
        "conv1": (9, 3, full),
        "conv2": (3, full, half),
        "conv3": (3, half, quarter),
        **{f"res{n}.conv{i}": (3, quarter, quarter) for n in BLOCKS for i in (1, 2)},
        "deconv1": (3, quarter, half),
        "deconv2": (3, half, full),
        "deconv3": (9, full, 3),
    }
    norms = {"in1": full, "in2": half, "in3": quarter, "in4": half, "in5": full}
    norms |= {f"res{n}.in{i}": quarter for n in BLOCKS for i in (1, 2)}
    tensors = {}
    for name, shape in convs.items():
        tensors[f"{name}.conv2d.weight"] = kernel_of(*shape).transpose(3, 2, 0, 1)
        tensors[f"{name}.conv2d.bias"] = vector(shape[-1])
    tensors["deconv3.conv2d.weight"] *= 60
    tensors["deconv3.conv2d.bias"] += 120
    for name, channels in norms.items():
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = vector(channels), vector(channels) - 1
    return {name: each.astype(np.float32) for name, each in tensors.items()}


def fast_neural_style(tensors, image):
    def conv(x, name, *, stride=1):
        kernel = tensors[f"{name}.conv2d.weight"].astype(np.float64).transpose(2, 3, 1, 0)
        return reflected(x, kernel, stride=stride) + tensors[f"{name}.conv2d.bias"]

    def norm(x, name):
        return normalized(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], epsilon=1e-5)

    x = relu(norm(conv(255 * image, "conv1"), "in1"))
    x = relu(norm(conv(x, "conv2", stride=2), "in2"))
    x = relu(norm(conv(x, "conv3", stride=2), "in3"))
    for n in BLOCKS:
        y = relu(norm(conv(x, f"res{n}.conv1"), f"res{n}.in1"))
        x = x + norm(conv(y, f"res{n}.conv2"), f"res{n}.in2")
    x = relu(norm(conv(doubled(x), "deconv1"), "in4"))
    x = relu(norm(conv(doubled(x), "deconv2"), "in5"))
    return np.clip(conv(x, "deconv3"), 0, 255) / 255


def saved_by_torch(tensors, file, **options):
    state = {name: torch_fakes.Tensor(each) for name, each in tensors.items()}
    file.write_bytes(torch_fakes.save(state, **options))
    return file


# lengstrom's fast-style-transfer


def numbered_variables():
    """Kernel, shift and scale of each layer in the order in which the network is built."""
    full, half, quarter = WIDTHS
    shapes = [(9, 3, full), (3, full, half), (3, half, quarter)]
    shapes += [(3, quarter, quarter)] * 10
    kernels = [kernel_of(*shape) for shape in shapes]
    kernels += [kernel_of(3, half, quarter), kernel_of(3, full, half)]  # [.., out, in]
    kernels.append(kernel_of(9, full, 3))
    kernels[0] /= 2000  # so that ε makes a difference
    channels = [shape[-1] for shape in shapes] + [half, full, 3]
    flat = []
    for kernel, count in zip(kernels, channels, strict=True):
        flat += [kernel, vector(count) - 1, vector(count)]
    flat[-1] *= 0.7
    names = ["Variable", *(f"Variable_{index}" for index in range(1, len(flat)))]
    return {name: each.astype(np.float32) for name, each in zip(names, flat, strict=True)}


def fast_style_transfer(variables, image):
    values = iter([each.astype(np.float64) for each in variables.values()])

    def layer(x, convolution, **options):
        kernel, shift, scale = (next(values) for _ in range(3))
        return normalized(convolution(x, kernel, **options), scale, shift, epsilon=1e-3)

    x = relu(layer(255 * image, same))
    x = relu(layer(x, same, stride=2))
    x = relu(layer(x, same, stride=2))
    for _ in BLOCKS:
        x = x + layer(relu(layer(x, same)), same)
    x = relu(layer(x, transposed))
    x = relu(layer(x, transposed))
    return np.clip(np.tanh(layer(x, same)) * 150 + 255 / 2, 0, 255) / 255


# Magenta's image_stylization


def magenta_variables(num_styles):
    full, half, quarter = WIDTHS
    layers = {
        "contract/conv1": (9, 3, full),
        "contract/conv2": (3, full, half),
        "contract/conv3": (3, half, quarter),
        **{f"residual/residual{n}/conv{i}": (3, quarter, quarter) for n in BLOCKS for i in (1, 2)},
        "expand/conv1/conv": (3, quarter, half),
        "expand/conv2/conv": (3, half, full),
        "expand/conv3/conv": (9, full, 3),
    }
    variables = {"global_step": np.array(7, np.int64)}
    for name, shape in layers.items():
        kernel = kernel_of(*shape).astype(np.float32)
        variables[f"transformer/{name}/weights"] = kernel
        variables[f"transformer/{name}/weights/Adam"] = np.zeros_like(kernel)
        for kind, offset in (("beta", 1), ("gamma", 0)):
            values = vector(num_styles, shape[-1]) - offset
            variables[f"transformer/{name}/InstanceNorm/{kind}"] = values.astype(np.float32)
    return variables


def image_stylization(variables, image, style):
    def layer(x, name, *, stride=1):
        kernel, beta, gamma = (
            variables[f"transformer/{name}/{kind}"].astype(np.float64)
            for kind in ("weights", "InstanceNorm/beta", "InstanceNorm/gamma")
        )
        x = reflected(x, kernel, stride=stride)
        return normalized(x, gamma[style], beta[style], epsilon=1e-5)

    x = relu(layer(image, "contract/conv1"))
    x = relu(layer(x, "contract/conv2", stride=2))
    x = relu(layer(x, "contract/conv3", stride=2))
    for n in BLOCKS:
        name = f"residual/residual{n}/conv"
        x = x + layer(relu(layer(x, f"{name}1")), f"{name}2")
    x = relu(layer(doubled(x), "expand/conv1/conv"))
    x = relu(layer(doubled(x), "expand/conv2/conv"))
    return 1 / (1 + np.exp(-layer(x, "expand/conv3/conv")))


def saved_by_tensorflow(variables, prefix, *, version=2):
    save = tf.raw_ops.SaveV2 if version == 2 else tf.raw_ops.Save
    places = {"prefix": str(prefix), "shape_and_slices": [""] * len(variables)}
    if version == 1:
        places = {"filename": str(prefix)}
    data = {"tensors" if version == 2 else "data": list(variables.values())}
    save(tensor_names=list(variables), **places, **data)
    return prefix


def assert_painted(painter, expected, **style):
    # The photograph has contrast, and little of the painting is cut off.
    assert np.std(expected) > 0.05
    assert np.mean((expected == 0) | (expected == 1)) < 0.5
    # Float32 through 16 normalisations against float64: measured 3e-6.
    np.testing.assert_allclose(painter.paint(IMAGE, **style)[0], expected, atol=5e-5)


@pytest.mark.parametrize("kind", ["zip", "stream", "safetensors"])
def test_fast_neural_style(tmp_path, kind):
    tensors = state_dict()
    old = {"in1.running_mean": np.zeros(3, np.float32), "in1.running_var": np.ones(3, np.float32)}
    if kind == "safetensors":
        file = tmp_path / "candy.safetensors"
        safetensors.numpy.save_file(
            {name: np.ascontiguousarray(each) for name, each in tensors.items()}, file
        )
    else:
        file = saved_by_torch(tensors | old, tmp_path / "candy.pth", legacy=kind == "stream")
    generators.import_painter(file, "fast_neural_style", tmp_path / "preset")
    painter = generators.load(tmp_path / "preset")
    assert painter.styles == ("candy",)
    assert_painted(painter, fast_neural_style(tensors, IMAGE[0].astype(np.float64)))


def test_fast_neural_style_of_pytorch(tmp_path):
    """The network of PyTorch's examples, put together of PyTorch's layers."""
    torch = pytest.importorskip("torch")
    tensors = {name: torch.tensor(each.copy()) for name, each in state_dict().items()}
    torch.save(tensors, tmp_path / "candy.pth")
    functional = torch.nn.functional

    def conv(x, name, stride=1):
        kernel, bias = (tensors[f"{name}.conv2d.{kind}"] for kind in ("weight", "bias"))
        n = kernel.shape[-1] // 2
        return functional.conv2d(functional.pad(x, [n] * 4, "reflect"), kernel, bias, stride)

    def norm(x, name):
        kinds = (tensors[f"{name}.{kind}"] for kind in ("weight", "bias"))
        return functional.instance_norm(x, None, None, *kinds)

    def double(x):
        return functional.interpolate(x, scale_factor=2, mode="nearest")

    x = torch.tensor(255 * IMAGE).permute(0, 3, 1, 2)
    for index, stride in ((1, 1), (2, 2), (3, 2)):
        x = norm(conv(x, f"conv{index}", stride), f"in{index}").relu()
    for n in BLOCKS:
        y = norm(conv(x, f"res{n}.conv1"), f"res{n}.in1").relu()
        x = x + norm(conv(y, f"res{n}.conv2"), f"res{n}.in2")
    for index in (1, 2):
        x = norm(conv(double(x), f"deconv{index}"), f"in{index + 3}").relu()
    expected = conv(x, "deconv3").clamp(0, 255)[0].permute(1, 2, 0).numpy() / 255
    painter = generators.import_painter(
        tmp_path / "candy.pth", "fast_neural_style", tmp_path / "preset"
    )
    assert_painted(painter, expected)


@pytest.mark.parametrize("version", [1, 2])
def test_fast_style_transfer(tmp_path, version):
    variables = numbered_variables()
    slots = {f"{name}/Adam": np.zeros_like(each) for name, each in variables.items()}
    file = saved_by_tensorflow(variables | slots, tmp_path / "la_muse.ckpt", version=version)
    painter = generators.import_painter(file, "fast_style_transfer", tmp_path / "preset")
    assert painter.styles == ("la_muse",)
    assert_painted(painter, fast_style_transfer(variables, IMAGE[0].astype(np.float64)))


def test_the_epsilon_of_fast_style_transfer_matters():
    """Else the test above could not see that it is folded in."""
    variables = numbered_variables()
    image = IMAGE[0].astype(np.float64)
    thin = dict(variables)
    thin["Variable"] = variables["Variable"] * 100
    difference = fast_style_transfer(variables, image) - fast_style_transfer(thin, image)
    assert np.abs(difference).max() > 1e-3


@pytest.mark.parametrize("how", ["prefix", "index", "folder"])
def test_image_stylization(tmp_path, how):
    variables = magenta_variables(3)
    folder = tmp_path / "run"
    folder.mkdir()
    saved_by_tensorflow(variables, folder / "model.ckpt-9")
    (folder / "checkpoint").write_text('model_checkpoint_path: "/gone/model.ckpt-9"\n', "utf-8")
    file = {"prefix": folder / "model.ckpt-9", "index": folder / "model.ckpt-9.index"}
    painter = generators.import_painter(
        file.get(how, folder), "image_stylization", tmp_path / "preset"
    )
    assert painter.styles == ("style0", "style1", "style2")
    image = IMAGE[0].astype(np.float64)
    for style in (0, 2):
        expected = image_stylization(variables, image, style)
        assert_painted(painter, expected, style=f"style{style}")


def test_an_import_is_a_preset_like_any_other(tmp_path):
    file = saved_by_tensorflow(magenta_variables(2), tmp_path / "model.ckpt")
    painter = generators.import_painter(file, "image_stylization", tmp_path / "preset")
    assert painter.training_record == {
        "imported_from": "model.ckpt",
        "layout": "image_stylization",
    }
    with pytest.raises(FileExistsError):
        generators.import_painter(file, "image_stylization", tmp_path / "preset")
    generators.import_painter(file, "image_stylization", tmp_path / "preset", overwrite=True)
    more = generators.blank_styles(painter, ["mine"])
    assert generators.append_styles(painter, more).styles == ("style0", "style1", "mine")
    assert dataclasses.replace(painter.config, num_styles=1) == generators.JohnsonConfig(
        WIDTHS, normalization="conditional", normalize_output=True, num_styles=1
    )


def changed(make, **changes):
    """What ``make`` gives with some values replaced, and without those that are None."""
    values = make() | changes
    return {name: each for name, each in values.items() if each is not None}


BAD_STATES = [
    ({"in1.weight": None}, "it lacks in1.weight, which such a network has"),
    ({"extra.weight": np.ones(3, np.float32)}, "more than the network needs: extra.weight"),
    ({"in1.weight": np.ones(9, np.float32)}, r"conv_in_norm/scale \(9,\), not \(3,\)"),
    ({"conv1.conv2d.weight": np.ones([3, 3, 9], np.float32)}, "laid out in an unknown way"),
    ({"conv1.conv2d.weight": np.ones([3, 3, 2, 2], np.float32)}, "`kernel` must be odd"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_STATES)
def test_states_that_do_not_fit(changes, message, tmp_path):
    file = saved_by_torch(changed(state_dict, **changes), tmp_path / "candy.pth")
    with pytest.raises(WeightsError, match=f"candy.pth: .*{message}"):
        generators.import_painter(file, "fast_neural_style", tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


BAD_VARIABLES = [
    ({"Variable_47": None}, "it lacks Variable_47"),
    ({"Variable_1": np.ones(9, np.float32)}, r"conv_in_norm/shift \(9,\), not \(3,\)"),
    ({"Variable": np.ones(9, np.float32)}, "not a network of fast_style_transfer"),
    ({"Variable_2": np.ones(3, np.float64)}, "it lacks Variable_2"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_VARIABLES)
def test_variables_that_do_not_fit(changes, message, tmp_path):
    variables = changed(numbered_variables, **changes)
    file = saved_by_tensorflow(variables, tmp_path / "muse.ckpt")
    with pytest.raises(WeightsError, match=f"muse.ckpt: .*{message}"):
        generators.import_painter(file, "fast_style_transfer", tmp_path / "preset")
    assert not (tmp_path / "preset").exists()


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_checkpoints_that_are_cut_off(part, tmp_path):
    file = saved_by_tensorflow(numbered_variables(), tmp_path / "muse.ckpt")
    damaged = file.with_name(f"muse.ckpt.{part}")
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    with pytest.raises(WeightsError, match=r"muse.ckpt: (not a readable checkpoint|damaged)"):
        generators.import_painter(file, "fast_style_transfer", tmp_path / "preset")


def test_no_checkpoint(tmp_path):
    with pytest.raises(OSError, match=r"muse\.ckpt"):
        generators.import_painter(tmp_path / "muse.ckpt", "fast_style_transfer", tmp_path / "out")
    with pytest.raises(OSError, match="has no checkpoint"):
        generators.import_painter(tmp_path, "fast_style_transfer", tmp_path / "out")
    text = tmp_path / "text.ckpt"
    text.write_text("no weights\n", encoding="utf-8")
    with pytest.raises(WeightsError, match=r"text\.ckpt: not a readable checkpoint"):
        generators.import_painter(text, "image_stylization", tmp_path / "out")


def test_an_unknown_layout(tmp_path):
    with pytest.raises(ValueError, match=r"`layout` must be one of fast_neural_style, .*'caffe'"):
        generators.import_painter(tmp_path / "a.pth", "caffe", tmp_path / "out")
