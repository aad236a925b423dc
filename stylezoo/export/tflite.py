"""TFLite files of builtin operators, for one size and batch 1, with a record of their origin inside."""

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Mapping
from typing import Any

import flatbuffers
import keras
import numpy as np
import tensorflow as tf

from stylezoo.errors import ExportError
from stylezoo.export import saved_models
from stylezoo.export.litert import METADATA
from stylezoo.export.servables.servable import Servable
from stylezoo.export.tflite_config import TfliteConfig

_FILE_IDENTIFIER = b"TFL3"


def convert(servable: Servable, config: TfliteConfig) -> bytes:
    """Convert a model to the content of a TFLite file.

    Args:
        servable: What :func:`stylezoo.export.load` returned.
        config: See :class:`TfliteConfig`.

    Raises:
        ValueError: If the model can't take the size.
        ExportError: If the model needs operators that TFLite or its GPU delegate lacks, or has nothing
            that can be computed in 8 bits.
    """
    network = servable.portable(config.size)
    with tempfile.TemporaryDirectory() as folder:
        with saved_models.system_errors():
            _save(network, folder)
        try:
            converted = _converter(folder, half=config.quantize == "float16").convert()
        except Exception as error:  # ConverterError is derived from Exception alone
            reason = str(error).partition("\n")[0][:300]
            raise ExportError(f"TFLite can't hold this model: {reason}") from error
    if config.quantize == "int8":
        converted = _quantized(converted, servable.eight_bits)
    check_gpu(converted)
    record = {
        **servable.record(),
        "size": list(config.size) if config.size else None,
        "quantize": config.quantize,
        "inputs": {name: _described(each) for name, each in network.input.items()},
        "outputs": {name: _shape(each) for name, each in network.output.items()},
    }
    return with_record(converted, record)


def _converter(folder: str, *, half: bool = False) -> Any:
    """Return a converter of a SavedModel to TFLite's own operators: no GPU has SELECT_TF_OPS."""
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return converter


def _quantized(content: bytes, chosen: str) -> bytes:
    """Compute the chosen convolutions in 8 bits, with ranges per channel and per picture; halve the others.

    Args:
        content: A file in float32.
        chosen: A regular expression of their names; an empty one for all.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import qtyping, quantizer

    interpreter = Interpreter(model_content=content)
    names = {each["index"]: each["name"] for each in interpreter.get_tensor_details()}
    convolutions = [
        names[each["outputs"][0]]
        for each in interpreter._get_ops_details()
        if each["op_name"] == "CONV_2D"
    ]
    if not any(re.search(chosen, name) for name in convolutions):
        raise ExportError("this model has no convolutions that can be computed in 8 bits")
    made = quantizer.Quantizer(content)
    kind = qtyping.TFLOperationName.CONV_2D
    made.add_dynamic_config(regex=".*", operation_name=kind, num_bits=8)
    half = qtyping.OpQuantizationConfig(
        weight_tensor_config=qtyping.TensorQuantizationConfig(
            num_bits=16, dtype=qtyping.TensorDataType.FLOAT
        ),
        compute_precision=qtyping.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    for name in convolutions:
        if not re.search(chosen, name):
            made.update_quantization_recipe(re.escape(name), kind, half, "float_casting")
    with contextlib.redirect_stdout(io.StringIO()):  # it prints sizes and bars
        return bytes(made.quantize().quantized_model)


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
    return {"shape": _shape(tensor), "range": [0.0, 1.0]}


def _shape(tensor: Any) -> list[int | str]:
    return [side or "any" for side in tensor.shape]


def check_gpu(content: bytes) -> None:
    """Raise an ExportError if TensorFlow's analyzer finds what a GPU delegate can't take."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        tf.lite.experimental.Analyzer.analyze(model_content=content, gpu_compatibility=True)
    warnings = [line for line in said.getvalue().splitlines() if "GPU COMPATIBILITY" in line]
    if warnings:
        raise ExportError(f"GPUs can't run this model: {'; '.join(warnings)}")


def with_record(content: bytes, record: Mapping[str, Any]) -> bytes:
    """Return the file's content with a record in its metadata, in place of an earlier one."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(bytearray(content), 0))
    for each in model.buffers:
        if (
            each.offset > 1
        ):  # the quantizer puts large ones behind the flatbuffer, whose size changes
            each.data = np.frombuffer(content, np.uint8, each.size, each.offset)
            each.offset = each.size = 0
    model.metadata = model.metadata or []
    found = [each for each in model.metadata if each.name in (METADATA, METADATA.encode())]
    if not found:
        entry = schema.MetadataT()
        entry.name, entry.buffer = METADATA, len(model.buffers)
        model.metadata.append(entry)
        model.buffers.append(schema.BufferT())
        found = [entry]
    model.buffers[found[0].buffer].data = np.frombuffer(json.dumps(record).encode(), np.uint8)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
    return bytes(builder.Output())
