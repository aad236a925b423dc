"""Configurations that serve all exports: TensorFlow Serving's own, Docker's and Kubernetes'."""

import os
import pathlib
import textwrap
from collections.abc import Mapping, Sequence

from stylezoo import images
from stylezoo.export.saved_models import versions
from stylezoo.export.serving.protos import import_protos

_IMAGE = "tensorflow/serving:2.21.0"
_GRPC_PORT, _REST_PORT = 8500, 8501

# Requests that come within 5 ms share a batch. A full queue answers UNAVAILABLE, upon which clients retry.
_BATCHING = """\
max_batch_size { value: 8 }
batch_timeout_micros { value: 5000 }
max_enqueued_batches { value: 64 }
num_batch_threads { value: 2 }
"""
_MONITORING = """\
prometheus_config { enable: true, path: "/monitoring/prometheus/metrics" }
"""
_ARGUMENTS = (
    f"--port={_GRPC_PORT}",
    f"--rest_api_port={_REST_PORT}",
    "--rest_api_timeout_in_ms=60000",
    "--enable_batching=true",
)
# The server listens only once all of its models are loaded, so that the status of one tells of all.
_KUBERNETES = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: stylezoo
data:
{config}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: stylezoo
spec:
  replicas: 1
  selector:
    matchLabels: {{app: stylezoo}}
  template:
    metadata:
      labels: {{app: stylezoo}}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "{rest}"
        prometheus.io/path: /monitoring/prometheus/metrics
    spec:
      containers:
        - name: serving
          image: {image}
          command: [tensorflow_model_server]
          args:
{arguments}
          ports:
            - {{name: grpc, containerPort: {grpc}}}
            - {{name: rest, containerPort: {rest}}}
          readinessProbe:
            httpGet: {{path: /v1/models/{model}, port: rest}}
            periodSeconds: 5
            timeoutSeconds: 5
          startupProbe:
            httpGet: {{path: /v1/models/{model}, port: rest}}
            periodSeconds: 5
            failureThreshold: 60
          volumeMounts:
            - {{name: models, mountPath: /models, readOnly: true}}
            - {{name: config, mountPath: /config, readOnly: true}}
      volumes:
        # A claim whose volume holds the folders of the models.
        - name: models
          persistentVolumeClaim: {{claimName: stylezoo-models, readOnly: true}}
        - name: config
          configMap: {{name: stylezoo}}
---
apiVersion: v1
kind: Service
metadata:
  name: stylezoo
spec:
  selector: {{app: stylezoo}}
  ports:
    - {{name: grpc, port: {grpc}, targetPort: grpc}}
    - {{name: rest, port: {rest}, targetPort: rest}}
"""
_COMPOSE = """\
services:
  serving:
    image: {image}
    entrypoint: [tensorflow_model_server]
    command:
{arguments}
    ports: ["{grpc}:{grpc}", "{rest}:{rest}"]
    volumes: [".:/models:ro"]
    restart: unless-stopped
"""


def served_models(folder: str | os.PathLike[str]) -> list[str]:
    """Return the names of the models in a folder of exports that have a SavedModel.

    Raises:
        ValueError: If there are none.
    """
    folder = pathlib.Path(folder)
    found = [each.name for each in sorted(folder.glob("*")) if versions(each)]
    if not found:
        raise ValueError(f"`{folder}` must hold SavedModels, NAME/VERSION. Received: none")
    return found


def configuration(models: Sequence[str]) -> dict[str, str]:
    """Return files by name: ``models.config`` and others for the server, Docker and Kubernetes.

    All belong into the folder of the exports. The server batches requests and counts what it does, for
    Prometheus.
    """
    config = {
        "models.config": _models_config(models),
        "batching.config": _BATCHING,
        "monitoring.config": _MONITORING,
    }
    indented = "\n".join(
        f"  {name}: |\n{textwrap.indent(text, ' ' * 4).rstrip()}" for name, text in config.items()
    )
    ports = {"image": _IMAGE, "grpc": _GRPC_PORT, "rest": _REST_PORT}
    return {
        **config,
        "docker-compose.yaml": _COMPOSE.format(arguments=_arguments("/models", 6), **ports),
        "kubernetes.yaml": _KUBERNETES.format(
            arguments=_arguments("/config", 12), config=indented, model=models[0], **ports
        ),
    }


def write_configuration(
    folder: str | os.PathLike[str], files: Mapping[str, str], *, overwrite: bool = False
) -> None:
    """Write files into a folder, or none of them if one can't be written.

    Raises:
        OSError: As :func:`stylezoo.images.check_output_path`.
    """
    paths = {pathlib.Path(folder) / name: text for name, text in files.items()}
    for path in paths:
        images.check_output_path(path, overwrite=overwrite, extensions=[path.suffix])
    for path, text in paths.items():
        with images.atomic_path(path, overwrite=overwrite) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _models_config(models: Sequence[str]) -> str:
    """Return a ``ModelServerConfig`` as text, made from the real message."""
    from google.protobuf import text_format

    config = import_protos().ModelServerConfig()
    for name in models:
        entry = config.model_config_list.config.add()
        entry.name = name
        entry.base_path = f"/models/{name}"
        entry.model_platform = "tensorflow"
    return text_format.MessageToString(config)


def _arguments(folder: str, indent: int) -> str:
    arguments = (
        *_ARGUMENTS,
        f"--model_config_file={folder}/models.config",
        f"--batching_parameters_file={folder}/batching.config",
        f"--monitoring_config_file={folder}/monitoring.config",
    )
    return textwrap.indent("\n".join(f"- {each}" for each in arguments), " " * indent)
