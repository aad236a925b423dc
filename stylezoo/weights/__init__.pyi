from .cache import Verification, fetch, is_cached, path, verify
from .loading import MODEL_FILE, load
from .specs import LoadedWeights, WeightsSpec, get_spec, list_weights

__all__ = [
    "MODEL_FILE",
    "LoadedWeights",
    "Verification",
    "WeightsSpec",
    "fetch",
    "get_spec",
    "is_cached",
    "list_weights",
    "load",
    "path",
    "verify",
]
