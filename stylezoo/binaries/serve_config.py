"""Write what TensorFlow Serving needs to serve all exports: configuration, Docker, Kubernetes.

Usage:
  stylezoo serve_config [--exports=exports] [--batching] [--overwrite]

Written into the folder of exports:
  models.config, monitoring.config   for the server; with --batching batching.config too
  docker-compose.yaml    docker compose --file=exports/docker-compose.yaml up
  Caddyfile              for its profile `public`: a proxy with TLS, which asks for a token
  Dockerfile             an image that has the models
  kubernetes.yaml        a deployment of that image, behind a proxy for requests alone; a service, autoscaling

gRPC is at port 8500, REST at 8501, metrics for Prometheus at /monitoring/prometheus/metrics there. Docker
publishes the ports on its own machine alone, since the server asks nobody who they are.
"""

from absl import flags

from stylezoo.binaries.common import options, quiet


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    flags.DEFINE_string("exports", "exports", "Folder of all exports.", flag_values=values)
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
    quiet.import_tensorflow()
    from stylezoo.export.serving import server_configuration

    models = server_configuration.served_models(values.exports)
    files = server_configuration.configuration(models, batching=values.batching)
    server_configuration.write_configuration(values.exports, files, overwrite=values.overwrite)
    for name in files:
        print(f"{values.exports}/{name}")
    return 0
