"""Configurations for TensorFlow Serving with all exports: its own, Docker's, Kubernetes' and KServe's."""

import os
import pathlib
import textwrap
from collections.abc import Mapping, Sequence

from stylezoo import images
from stylezoo.export.saved_models import versions
from stylezoo.export.serving.protos import import_protos

_IMAGE = "tensorflow/serving:2.21.0"
_PROXY = "caddy:2.10-alpine"
# What the largest picture and side that are accepted may take with a network like `conditional`.
_MEMORY_GB = 4
_GRPC_PORT, _REST_PORT, _PUBLIC_PORT = 8500, 8501, 8080

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
_DOCKERFILE = """\
# An image that has the models: docker build --file=Dockerfile --tag=REGISTRY/stylezoo .
FROM {image}
COPY . /models
USER 65534:65534
"""
# The server has no authentication: metrics and the reloading of models must not be reached from outside.
_CADDYFILE = """\
# https://$DOMAIN, with certificates that Caddy fetches, for those who have $TOKEN.
{$DOMAIN:localhost} {
	@allowed {
		path /v1/models/*
		header Authorization "Bearer {$TOKEN}"
	}
	reverse_proxy @allowed serving:REST
	respond 401
}
"""
_COMPOSE = """\
services:
  serving:
    image: {image}
    entrypoint: [tensorflow_model_server]
    command:
{arguments}
    # The server has no authentication: it is published on this machine alone.
    ports: ["127.0.0.1:{grpc}:{grpc}", "127.0.0.1:{rest}:{rest}"]
    volumes: [".:/models:ro"]
    user: "65534:65534"
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: {memory}g
    restart: unless-stopped
  # For others, who have to know the token:
  # DOMAIN=paint.example.org TOKEN=... docker compose --profile=public up
  proxy:
    profiles: [public]
    image: {proxy}
    environment: {{DOMAIN: "${{DOMAIN:-localhost}}", TOKEN: "${{TOKEN:-}}"}}
    ports: ["80:80", "443:443"]
    volumes: ["./Caddyfile:/etc/caddy/Caddyfile:ro", "certificates:/data"]
    cap_drop: [ALL]
    cap_add: [NET_BIND_SERVICE]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 256m
    depends_on: [serving]
    restart: unless-stopped
volumes:
  certificates:
"""
# The server listens only once all of its models are loaded, so that the status of one tells of all.
_KUBERNETES = """\
# Build and push the image of the Dockerfile beside this file, and put its name below.
apiVersion: v1
kind: ConfigMap
metadata:
  name: stylezoo-proxy
data:
  Caddyfile: |
    {{
      admin off
      auto_https off
    }}
    :{public} {{
      handle /v1/models/* {{
        reverse_proxy 127.0.0.1:{rest}
      }}
      respond 404
    }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: stylezoo
spec:
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
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: serving
          image: stylezoo:latest
          command: [tensorflow_model_server]
          args:
{arguments}
          ports:
            - {{name: rest, containerPort: {rest}}}
          resources:
            requests: {{cpu: "1", memory: 1Gi}}
            limits: {{memory: {memory}Gi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          startupProbe:
            httpGet: {{path: /v1/models/{model}, port: rest}}
            periodSeconds: 5
            timeoutSeconds: 5
            failureThreshold: 60
          readinessProbe:
            httpGet: {{path: /v1/models/{model}, port: rest}}
            periodSeconds: 5
            timeoutSeconds: 5
          # A picture may take all cores for a while.
          livenessProbe:
            httpGet: {{path: /v1/models/{model}, port: rest}}
            periodSeconds: 30
            timeoutSeconds: 20
            failureThreshold: 5
          volumeMounts:
            - {{name: scratch, mountPath: /tmp}}
        # What is public: requests to models, and no metrics.
        - name: proxy
          image: {proxy}
          ports:
            - {{name: public, containerPort: {public}}}
          resources:
            requests: {{cpu: 50m, memory: 64Mi}}
            limits: {{memory: 256Mi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            # The program of the image has this one, and is not started without it.
            capabilities: {{drop: [ALL], add: [NET_BIND_SERVICE]}}
          volumeMounts:
            - {{name: proxy, mountPath: /etc/caddy, readOnly: true}}
            - {{name: scratch, mountPath: /data}}
            - {{name: scratch, mountPath: /config}}
      volumes:
        - name: proxy
          configMap: {{name: stylezoo-proxy}}
        - name: scratch
          emptyDir: {{}}
---
apiVersion: v1
kind: Service
metadata:
  name: stylezoo
spec:
  selector: {{app: stylezoo}}
  ports:
    - {{name: rest, port: 80, targetPort: public}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: stylezoo
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: stylezoo}}
  minReplicas: 1
  maxReplicas: 4
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: {{type: Utilization, averageUtilization: 70}}
---
# Metrics are for the namespace of Prometheus.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: stylezoo
spec:
  podSelector:
    matchLabels: {{app: stylezoo}}
  policyTypes: [Ingress]
  ingress:
    - ports: [{{port: {public}}}]
    - ports: [{{port: {rest}}}]
      from:
        - namespaceSelector:
            matchLabels: {{kubernetes.io/metadata.name: monitoring}}
"""
# A server in a Deployment of its own for each model, which KServe makes, scales and puts behind its gateway.
_VOLUME = """\
# KServe copies models from a volume, which the job here fills out of the image of the Dockerfile beside this
# file: build and push it, and put its name below.
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: stylezoo-models
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests: {{storage: 1Gi}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: stylezoo-models
spec:
  template:
    spec:
      restartPolicy: OnFailure
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 65534
        runAsGroup: 65534
        fsGroup: 65534
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: copy
          image: stylezoo:latest
          command: [cp, -r, /models/., /volume]
          resources:
            requests: {{cpu: 100m, memory: 64Mi}}
            limits: {{memory: 256Mi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          volumeMounts:
            - {{name: models, mountPath: /volume}}
      volumes:
        - name: models
          persistentVolumeClaim: {{claimName: stylezoo-models}}
"""
_INFERENCE_SERVICE = """\
---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
spec:
  predictor:
    minReplicas: 1
    maxReplicas: 4
    scaleMetric: cpu
    scaleTarget: 70
    automountServiceAccountToken: false
    securityContext:
      runAsNonRoot: true
      seccompProfile: {{type: RuntimeDefault}}
    model:
      modelFormat: {{name: tensorflow, version: "2"}}
      runtime: kserve-tensorflow-serving
      runtimeVersion: {version}
      protocolVersion: v1
      storageUri: pvc://stylezoo-models/{model}
      resources:
        requests: {{cpu: "1", memory: 1Gi}}
        limits: {{cpu: "4", memory: {memory}Gi}}
      securityContext:
        runAsNonRoot: true
        allowPrivilegeEscalation: false
        capabilities: {{drop: [ALL]}}
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


def configuration(models: Sequence[str], *, batching: bool = False) -> dict[str, str]:
    """Return files by name: ``models.config`` and others for the server, Docker and Kubernetes.

    All belong into the folder of the exports. The server counts what it does, for Prometheus.

    Args:
        models: Names of the models.
        batching: Whether the server makes batches of requests. On a processor nothing is gained; a GPU
            gains by ``serving_default`` with pictures of one size.
    """
    given = {
        "image": _IMAGE,
        "proxy": _PROXY,
        "grpc": _GRPC_PORT,
        "rest": _REST_PORT,
        "public": _PUBLIC_PORT,
        "memory": _MEMORY_GB,
        "model": models[0],
    }
    return {
        "models.config": _models_config(models),
        "monitoring.config": _MONITORING,
        **({"batching.config": _BATCHING} if batching else {}),
        "docker-compose.yaml": _COMPOSE.format(arguments=_arguments(batching, 6), **given),
        "Caddyfile": _CADDYFILE.replace("REST", str(_REST_PORT)),
        "Dockerfile": _DOCKERFILE.format(**given),
        "kubernetes.yaml": _KUBERNETES.format(arguments=_arguments(batching, 12), **given),
    }


def kserve_configuration(models: Sequence[str]) -> dict[str, str]:
    """Return files by name: an ``InferenceService`` for each model, and the image that they come in.

    KServe calls a model by the name of its service, in which Kubernetes allows neither _ nor dots: they
    become -.

    Args:
        models: Names of the models.
    """
    services = [
        _INFERENCE_SERVICE.format(
            name=model.lower().replace("_", "-").replace(".", "-"),
            model=model,
            version=_IMAGE.partition(":")[2],
            memory=_MEMORY_GB,
        )
        for model in models
    ]
    return {
        "Dockerfile": _DOCKERFILE.format(image=_IMAGE),
        "kserve.yaml": "".join([_VOLUME.format(), *services]),
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
        if path.parent.is_dir():
            images.check_output_path(path, overwrite=overwrite, extensions=[path.suffix])
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
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


def _arguments(batching: bool, indent: int) -> str:
    arguments = [
        f"--port={_GRPC_PORT}",
        f"--rest_api_port={_REST_PORT}",
        "--rest_api_timeout_in_ms=60000",
        "--model_config_file=/models/models.config",
        "--monitoring_config_file=/models/monitoring.config",
    ]
    if batching:
        arguments += [
            "--enable_batching=true",
            "--batching_parameters_file=/models/batching.config",
        ]
    return textwrap.indent("\n".join(f"- {each}" for each in arguments), " " * indent)
