"""Where pretrained weights come from: what there is, fetching, checking, caching, loading.

Importing this folder is cheap: NumPy and h5py wait for the first tensors, TensorFlow is not used.
"""

from stylezoo.errors import WeightsError
from stylezoo.weights.cache import Verification, fetch, is_cached, path, verify
from stylezoo.weights.loading import load
from stylezoo.weights.specs import LoadedWeights, WeightsSpec, get_spec, list_weights

__all__ = [
    "LoadedWeights",
    "Verification",
    "WeightsError",
    "WeightsSpec",
    "fetch",
    "get_spec",
    "is_cached",
    "list_weights",
    "load",
    "path",
    "verify",
]
