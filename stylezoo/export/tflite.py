"""TFLite files of builtin operators, for one size and batch 1, with a record of their origin inside."""

import contextlib
import io
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import flatbuffers
import keras
import numpy as np
import tensorflow as tf

from stylezoo.errors import ExportError
from stylezoo.export.litert import METADATA
from stylezoo.export.servables.servable import Servable
from stylezoo.export.tflite_config import TfliteConfig

_FILE_IDENTIFIER = b"TFL3"


def convert(
    servable: Servable, config: TfliteConfig, *, photographs: Sequence[np.ndarray] = ()
) -> bytes:
    """Convert a model to the content of a TFLite file.

    Args:
        servable: What :func:`stylezoo.export.load` returned.
        config: See :class:`TfliteConfig`.
        photographs: Photographs to calibrate ``"int8"`` on, each [1, height, width, 3] in [0, 1].

    Raises:
        ValueError: If the model can't take the size.
        ExportError: If the model needs operators that TFLite or its GPU delegate lacks.
    """
    calls = list(_calls(servable, photographs)) if config.quantize == "int8" else []
    network = servable.mobile(*config.size, calibration=calls)
    with tempfile.TemporaryDirectory() as folder:
        _save(network, folder)
        try:
            converted = _converter(folder, half=config.quantize == "float16").convert()
            if config.quantize == "int8":
                converted = _quantized(folder, calls, kept=_first_operators(converted))
        except Exception as error:  # ConverterError is derived from Exception alone
            reason = str(error).partition("\n")[0][:300]
            raise ExportError(f"TFLite can't hold this model: {reason}") from error
    check_gpu(converted)
    record = {
        **servable.record(),
        "size": list(config.size),
        "quantize": config.quantize,
        "inputs": {name: _described(each) for name, each in network.input.items()},
        "outputs": {name: list(each.shape) for name, each in network.output.items()},
    }
    return _with_metadata(converted, record)


def _converter(folder: str, *, half: bool = False) -> Any:
    """Return a converter of a SavedModel to TFLite's own operators: no GPU has SELECT_TF_OPS."""
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return converter


def _quantized(folder: str, calls: Sequence[Mapping[str, np.ndarray]], kept: list[str]) -> bytes:
    """Convert to 8 bits, except operators whose outputs are ``kept`` in float32."""
    converter = _converter(folder)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter(calls)
    # It is called a debugger, but it is also what can leave some operators as they are.
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=kept)
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=lambda: iter(calls[:1]), debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def _first_operators(content: bytes) -> list[str]:
    """Return outputs of the operators before the third convolution, where 8 bits lose most, or the last."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    names = {each["index"]: each["name"] for each in interpreter.get_tensor_details()}
    operators = interpreter._get_ops_details()
    at = [index for index, each in enumerate(operators) if each["op_name"] == "CONV_2D"]
    end = (at[1:3] or [0])[-1]
    return [names[each["outputs"][0]] for each in operators[:end]]


def _calls(
    servable: Servable, photographs: Sequence[np.ndarray]
) -> Iterator[dict[str, np.ndarray]]:
    """Return what the model is calibrated with: every photograph in four of the styles."""
    for index in range(4 * len(photographs)):
        yield servable.mobile_inputs(photographs[index % len(photographs)], index)


def _save(network: keras.Model, folder: str) -> None:
    """Write a SavedModel whose signature has the network's names."""
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    function = tf.function(lambda **inputs: network(inputs, training=False), autograph=False)
    specs = {
        name: tf.TensorSpec(each.shape, each.dtype, name) for name, each in network.input.items()
    }
    signatures = {"serving_default": function.get_concrete_function(**specs)}
    tf.saved_model.save(module, folder, signatures=signatures)


def _described(tensor: Any) -> dict[str, Any]:
    return {"shape": list(tensor.shape), "range": [0.0, 1.0]}


def check_gpu(content: bytes) -> None:
    """Raise an ExportError if TensorFlow's analyzer finds what a GPU delegate can't take."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tf.lite.experimental.Analyzer.analyze(model_content=content, gpu_compatibility=True)
    warnings = [line for line in said.getvalue().splitlines() if "GPU COMPATIBILITY" in line]
    if warnings:
        raise ExportError(f"GPUs can't run this model: {'; '.join(warnings)}")


def _with_metadata(content: bytes, record: Mapping[str, Any]) -> bytes:
    """Return the file's content with a record added to its metadata."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(content), 0))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(json.dumps(record).encode(), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = METADATA
    entry.buffer = len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
    return bytes(builder.Output())
