"""ONNX files: read as the package onnx reads them, and refused where they are damaged."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from stylezoo.errors import WeightsError
from stylezoo.weights.onnx_files import read_onnx

RANDOM = np.random.default_rng(0)
KERNEL = RANDOM.standard_normal((4, 3, 3, 3)).astype(np.float32)
BIAS = RANDOM.standard_normal(4).astype(np.float32)


def serialized(nodes, arrays):
    tensors = [numpy_helper.from_array(np.asarray(each), name) for name, each in arrays.items()]
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    model = helper.make_model(helper.make_graph(nodes, "graph", [picture], [result], tensors))
    return model.SerializeToString()


def conv(kernel, bias):
    return helper.make_node("Conv", ["x", kernel, bias], ["y"])


def float_model():
    return serialized([conv("w", "b")], {"w": KERNEL, "b": BIAS, "gamma": BIAS})


def test_floats():
    found = read_onnx(float_model())
    assert set(found) == {"w", "b", "gamma", "w:bias"}
    np.testing.assert_array_equal(found["w"], KERNEL)
    np.testing.assert_array_equal(found["w:bias"], BIAS)


@pytest.mark.parametrize("per_channel", [True, False])
def test_quantised_numbers_are_what_onnx_dequantises(per_channel):
    reference = pytest.importorskip("onnx.reference")
    arrays = {
        "w": RANDOM.integers(-128, 128, (4, 3, 3, 3)).astype(np.int8),
        "w_scale": RANDOM.uniform(0.01, 1, 4 if per_channel else ()).astype(np.float32),
        "w_zero": (np.arange(4) if per_channel else np.array(3)).astype(np.int8),
        # Two convolutions may have one bias between them.
        "shared": RANDOM.integers(-(2**24), 2**24, 4).astype(np.int32),
        "b_scale": RANDOM.uniform(1e-5, 1e-3, 4).astype(np.float32),
        "b_zero": np.zeros(4, np.int32),
    }
    dequantize = [
        helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["kernel"], axis=0),
        helper.make_node("DequantizeLinear", ["shared", "b_scale", "b_zero"], ["bias"], axis=0),
    ]
    found = read_onnx(serialized([*dequantize, conv("kernel", "bias")], arrays))
    for name, node in (("w", dequantize[0]), ("w:bias", dequantize[1])):
        given = {each: arrays[each] for each in node.input}
        (expected,) = reference.ReferenceEvaluator(node).run(None, given)
        # Of 32-bit numbers float32 keeps 24 bits, in whichever order they are rounded.
        np.testing.assert_allclose(found[name], expected, rtol=3e-7)


def test_what_is_not_understood_is_left_alone():
    """Numbers that no convolution needs may be stored in any way."""
    model = onnx.load_model_from_string(float_model())
    model.graph.initializer.append(helper.make_tensor("roi", TensorProto.FLOAT, [2], [1.0, 2.0]))
    model.graph.initializer.append(helper.make_tensor("name", TensorProto.STRING, [1], [b"a"]))
    assert set(read_onnx(model.SerializeToString())) == {"w", "b", "gamma", "w:bias"}


@pytest.mark.parametrize("cut", [1, 100, -1])
def test_a_truncated_file(cut):
    with pytest.raises(WeightsError, match="not a readable ONNX file"):
        read_onnx(float_model()[:cut])


def test_numbers_that_are_cut_off():
    model = onnx.load_model_from_string(float_model())
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]
    with pytest.raises(ValueError, match="reshape"):
        read_onnx(model.SerializeToString())


def test_a_quantised_array_of_another_type():
    arrays = {"w": KERNEL.astype(np.float16), "scale": np.float32(1), "zero": np.float16(0)}
    node = helper.make_node("DequantizeLinear", ["w", "scale", "zero"], ["kernel"])
    with pytest.raises(WeightsError, match="w is stored in a way that is not understood"):
        read_onnx(serialized([node], arrays))
