"""Write what TensorFlow Serving needs to serve all exports: configuration, Docker, Kubernetes.

Usage:
  stylezoo serve_config [--exports=exports] [--overwrite]

Written into the folder of exports:
  models.config, batching.config, monitoring.config   for the server
  docker-compose.yaml    docker compose --file=exports/docker-compose.yaml up
  kubernetes.yaml        a deployment that is ready when its models are, a service, the configuration

gRPC is at port 8500, REST at 8501, metrics for Prometheus at /monitoring/prometheus/metrics there.
"""

from absl import flags

from stylezoo.binaries.common import options, quiet


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    flags.DEFINE_string("exports", "exports", "Folder of all exports.", flag_values=values)
    flags.DEFINE_bool("overwrite", False, "Replace existing files.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "exports")
    quiet.import_tensorflow()
    from stylezoo.export.serving import server_configuration

    files = server_configuration.configuration(server_configuration.served_models(values.exports))
    server_configuration.write_configuration(values.exports, files, overwrite=values.overwrite)
    for name in files:
        print(f"{values.exports}/{name}")
    return 0
