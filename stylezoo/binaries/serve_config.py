"""Write what a server needs to serve all exports: configuration, Docker, Kubernetes.

Usage:
  stylezoo serve_config [--exports=exports] [--server=tensorflow_serving] [--batching] [--overwrite]
  stylezoo serve_config [--exports=exports] --server=triton|kserve [--overwrite]

Written into the folder of exports for TensorFlow Serving:
  models.config, monitoring.config   for the server; with --batching batching.config too
  docker-compose.yaml    docker compose --file=exports/docker-compose.yaml up
  Caddyfile              for its profile `public`: a proxy with TLS, which asks for a token
  Dockerfile             an image that has the models
  kubernetes.yaml        a deployment of that image, behind a proxy for requests alone; a service, autoscaling
For KServe:
  kserve.yaml            an InferenceService a model, by its runtime for TensorFlow; Dockerfile as above
For NVIDIA's Triton:
  triton/                a model repository: for each signature a model MODEL.SIGNATURE
  triton/Dockerfile      Triton with TensorFlow and the models
  triton/docker-compose.yaml    docker compose --file=exports/triton/docker-compose.yaml up --build

TensorFlow Serving answers gRPC at port 8500 and REST at 8501, where metrics for Prometheus are at
/monitoring/prometheus/metrics; Triton answers HTTP at 8000 and gRPC at 8001. Docker
publishes the ports on its own machine alone, since neither server asks anybody who they are.
"""

import pathlib

from absl import flags

from stylezoo.binaries.common import options, quiet

_SERVERS = ["tensorflow_serving", "triton", "kserve"]


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    flags.DEFINE_string("exports", "exports", "Folder of all exports.", flag_values=values)
    flags.DEFINE_enum(
        "server",
        "tensorflow_serving",
        _SERVERS,
        "Server that the files are for.",
        flag_values=values,
    )
    flags.DEFINE_bool(
        "batching",
        False,
        "Let the server make batches of requests, from which a GPU gains with pictures of one size.",
        flag_values=values,
    )
    flags.DEFINE_bool("overwrite", False, "Replace existing files.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "exports")
    if values.batching and values.server != "tensorflow_serving":
        raise ValueError("`--batching` must come with --server=tensorflow_serving")
    quiet.import_tensorflow()
    from stylezoo.export.serving import server_configuration, triton_configuration

    models = server_configuration.served_models(values.exports)
    if values.server == "triton":
        files = triton_configuration.configuration(pathlib.Path(values.exports), models)
    elif values.server == "kserve":
        files = server_configuration.kserve_configuration(models)
    else:
        files = server_configuration.configuration(models, batching=values.batching)
    server_configuration.write_configuration(values.exports, files, overwrite=values.overwrite)
    for name in files:
        print(f"{values.exports}/{name}")
    return 0
