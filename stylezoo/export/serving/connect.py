"""The client of the kind that an address and a protocol ask for."""

from stylezoo.export.serving.client import Client, Endpoint


def connect(endpoint: Endpoint) -> Client:
    """Return a client of the kind that the endpoint asks for.

    Raises:
        ModuleNotFoundError: If the package for it is not installed; the message says what to install.
    """
    # A client imports what it needs, and nothing else is imported: a command has to start at once.
    if endpoint.protocol == "kserve":
        from stylezoo.export.serving import kserve

        return (kserve.KserveGrpcClient if endpoint.is_grpc else kserve.KserveRestClient)(endpoint)
    from stylezoo.export.serving import tensorflow_serving

    return (tensorflow_serving.GrpcClient if endpoint.is_grpc else tensorflow_serving.RestClient)(
        endpoint
    )
