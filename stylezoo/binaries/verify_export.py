"""Load an export back by a runtime that knows nothing of Keras, and compare it with its model.

Usage:
  stylezoo verify_export PATH... [--model=MODEL]

A PATH is a SavedModel's folder, NAME/VERSION, a .tflite file or a .onnx file. A SavedModel runs through
TensorFlow's C++ loader, the one of TensorFlow Serving, in a process without TensorFlow's Python: every
signature, in several sizes, and what must be refused. A .tflite file runs through LiteRT on the CPU, and a
.onnx file through ONNX Runtime. MODEL and its flags are those of `stylezoo export`; exports of a folder or a
file need them.
"""

import pathlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from absl import flags

from stylezoo.binaries import export as export_command
from stylezoo.binaries.common import flag_checks, quiet

if TYPE_CHECKING:
    from stylezoo.export import Check, Servable


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    export_command.define_model_flags(values)
    flags.DEFINE_bool(
        "gpu",
        False,
        "Run .tflite files by LiteRT's GPU delegate too, on WebGPU in a headless Chromium.",
        flag_values=values,
    )
    flags.DEFINE_string(
        "url",
        None,
        "Ask a running server, http://HOST:PORT or grpc://HOST:PORT, for what SavedModels do.",
        flag_values=values,
    )
    flags.DEFINE_enum(
        "protocol",
        "tensorflow_serving",
        ["tensorflow_serving", "kserve"],
        "Protocol that the server at --url speaks, as of `stylezoo client`.",
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    if not arguments:
        raise ValueError("expected exports: folders of SavedModels, .tflite or .onnx files")
    files = [path for path in arguments if path.endswith((".tflite", ".onnx"))]
    flag_checks.needs(values, "url", "folders of SavedModels alone", met=not files)
    flag_checks.needs(values, "protocol", "--url", met=values.url is not None)
    flag_checks.needs(values, "gpu", ".tflite files", met=bool(files))
    quiet.import_tensorflow()
    from stylezoo import export
    from stylezoo.export.serving import client, connect

    for path in arguments:
        is_file = path in files
        with quiet.silent_stderr():
            record = (export.read_file_record if is_file else export.read_record)(path)
        servable = export_command.load_model(
            values,
            model=values.model or record["model"],
            layers=values.layers or record.get("layers", ()),
        )
        export.check_origin(servable, record, path)
        if is_file:
            checks = _verify_file(servable, path, record, gpu=values.gpu)
        elif values.url:
            name = pathlib.Path(path).parent.name
            server = connect.connect(client.Endpoint(values.url, name, values.protocol))
            checks = export.verify_server(servable, server)
        else:
            checks = export.verify_saved_model(servable, path)
        export_command.print_checks(checks)
        export.require(checks, path)
        print(f"{path}: does what {servable.source} does")
    return 0


def _verify_file(
    servable: "Servable", path: str, record: Mapping[str, Any], *, gpu: bool
) -> "list[Check]":
    """Compare a TFLite or ONNX file."""
    from stylezoo import export
    from stylezoo.export.verify import webgpu

    with quiet.silent_stderr():
        if path.endswith(".onnx"):
            return export.verify_onnx(servable, path)
        size = tuple(record["size"])
        photographs = export.read_photographs(None, size) if record["quantize"] == "int8" else []
        checks = export.verify_tflite(servable, path, photographs)
    return checks + (webgpu.verify_on_gpu(servable, path) if gpu else [])
