"""A model repository of Triton for all exports: a model for each signature, run by its Python backend.

Triton's own backend for TensorFlow ended with release 25.02. The Python backend runs a SavedModel with
whatever TensorFlow the image has, which the Dockerfile here installs.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

from stylezoo.export import saved_models
from stylezoo.export.verify.saved_model_session import read_signatures

_FOLDER = "triton"
_IMAGE = "nvcr.io/nvidia/tritonserver:25.08-py3"
_MEMORY_GB = 8
_HTTP_PORT, _GRPC_PORT = 8000, 8001

# Numbers of TensorFlow's DataType, and Triton's names.
_TYPES = {1: "TYPE_FP32", 3: "TYPE_INT32", 7: "TYPE_STRING"}
_DOCKERFILE = """\
# Triton with TensorFlow and the models, built in the folder of the exports:
# docker build --file=triton/Dockerfile --tag=REGISTRY/stylezoo-triton .
FROM {image}
# The Python backend reads arrays of NumPy 1 only.
RUN pip install --no-cache-dir tensorflow=={tensorflow} "numpy<2"
COPY . /models
USER 65534:65534
"""
_COMPOSE = """\
# docker compose --file=exports/triton/docker-compose.yaml up --build
services:
  triton:
    build: {{context: .., dockerfile: triton/Dockerfile}}
    command:
      - tritonserver
      - --model-repository=/models/triton
      - --disable-auto-complete-config
      - --http-port={http}
      - --grpc-port={grpc}
    # The server has no authentication: it is published on this machine alone.
    ports: ["127.0.0.1:{http}:{http}", "127.0.0.1:{grpc}:{grpc}"]
    environment: {{TF_CPP_MIN_LOG_LEVEL: "3"}}
    read_only: true
    tmpfs: [/tmp]
    # Tensors go to the models' processes through shared memory.
    shm_size: 1g
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: {memory}g
    restart: unless-stopped
"""


def configuration(folder: pathlib.Path, models: Sequence[str]) -> dict[str, str]:
    """Return files by their paths in the folder of the exports: ``triton/`` is the model repository.

    Args:
        folder: The folder of the exports.
        models: Names of the models, of which the latest version is served.

    Raises:
        ExportError: If an export is damaged.
        ModuleNotFoundError: If ``tritonclient``, which has the message of a configuration, is not installed.
    """
    files = {}
    built_with = set()
    for model in models:
        version = max(saved_models.versions(folder / model))
        path = folder / model / str(version)
        built_with.add(saved_models.read_record(path)["tensorflow"])
        for name, signature in sorted(read_signatures(path).items()):
            if not signature.inputs:  # TensorFlow's own, for the state of the model
                continue
            place = f"{_FOLDER}/{model}.{name}"
            files[f"{place}/config.pbtxt"] = _config(model, version, name, signature)
            files[f"{place}/{version}/model.py"] = _program()
    tensorflow = max(built_with, key=lambda each: [int(part) for part in each.split(".")[:2]])
    files[f"{_FOLDER}/Dockerfile"] = _DOCKERFILE.format(image=_IMAGE, tensorflow=tensorflow)
    files[f"{_FOLDER}/docker-compose.yaml"] = _COMPOSE.format(
        http=_HTTP_PORT, grpc=_GRPC_PORT, memory=_MEMORY_GB
    )
    return files


def _config(model: str, version: int, name: str, signature: Any) -> str:
    """Return a ``ModelConfig`` as text, made from the real message."""
    from google.protobuf import text_format

    try:
        from tritonclient.grpc import model_config_pb2
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error.name} is not installed: pip install 'stylezoo[kserve]'", name=error.name
        ) from None
    config = model_config_pb2.ModelConfig(name=f"{model}.{name}", backend="python")
    config.version_policy.specific.versions.append(version)
    for key, info in sorted(signature.inputs.items()):
        has_default = key in signature.defaults
        config.input.add(
            name=key, data_type=_TYPES[info.dtype], dims=_dims(info), optional=has_default
        )
    for key, info in sorted(signature.outputs.items()):
        config.output.add(name=key, data_type=_TYPES[info.dtype], dims=_dims(info))
    config.parameters["saved_model"].string_value = f"../../{model}"
    config.parameters["signature"].string_value = name
    return text_format.MessageToString(config)


def _dims(info: Any) -> list[int]:
    """Return a tensor's shape; one of unknown rank has a row for each picture."""
    shape = info.tensor_shape
    return [-1] if shape.unknown_rank else [each.size for each in shape.dim]


def _program() -> str:
    return pathlib.Path(__file__).with_name("triton_model.py").read_text(encoding="utf-8")
