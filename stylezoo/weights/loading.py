"""Load the weights that a name, a file or a run's folder stands for."""

import os
from pathlib import Path

from stylezoo import reading
from stylezoo.errors import WeightsError
from stylezoo.weights import cache, specs
from stylezoo.weights.specs import LoadedWeights, WeightsSpec

MODEL_FILE = "model.weights.h5"
"""The weights in the folder of a classifier's training run."""


def load(weights: str | os.PathLike[str], *, architecture: str | None = None) -> LoadedWeights:
    """Load pretrained weights, fetching them first if need be.

    Args:
        weights: One of

            * ``"imagenet"``: registered weights of the architecture, in the order of
              :func:`~stylezoo.weights.list_weights`: the first that are cached, else the first that can
              be fetched;
            * a registered name;
            * the path of a file: one of this project's, as :func:`~stylezoo.weights.path` gives, or one
              that others published (see :func:`stylezoo.weights.weights_files.read`);
            * the folder of a run of ``train_classifier``.
        architecture: The network that the weights must belong to, such as ``"vgg16"``. None accepts any;
            ``"imagenet"`` and files that others published need a name.

    Returns:
        The tensors and the preprocessing that they need. The network that gets them checks whether
        all tensors are there and have the right shapes.

    Raises:
        WeightsError: If there is nothing of that name, it belongs to another architecture, is corrupt,
            or could not be fetched; or ``architecture`` is needed.
        OSError: If a file can't be read.
    """
    if weights == "imagenet":
        if architecture is None:
            raise WeightsError("`architecture` must be given with weights='imagenet'")
        return _load_cached(_resolve_imagenet(architecture))
    if weights in specs.REGISTRY:
        spec = specs.get_spec(os.fspath(weights))
        if architecture not in (None, spec.architecture):
            raise WeightsError(
                f"`weights` must be of the architecture {architecture}; {spec.name} are of "
                f"{spec.architecture}. Received: weights={weights!r}"
            )
        cache.fetch(spec.name)
        return _load_cached(spec)
    return _load_file(weights, architecture)


def _resolve_imagenet(architecture: str) -> WeightsSpec:
    candidates = [spec for spec in specs.list_weights(architecture) if not spec.paints]
    if not candidates:
        known = sorted({spec.architecture for spec in specs.list_weights() if not spec.paints})
        raise WeightsError(
            f"`weights='imagenet'` is known for the architectures {', '.join(known)}. "
            f"Received: architecture={architecture!r}"
        )
    for spec in candidates:
        if cache.is_cached(spec.name):
            return spec
    return cache.fetch_first(tuple(candidates))


def _load_cached(spec: WeightsSpec) -> LoadedWeights:
    # NumPy and h5py are imported when tensors are first wanted: listing weights needs neither.
    from stylezoo.weights import weights_files

    contents = cache.read(spec.name)
    return weights_files.read(contents, cache.path(spec.name), architecture=spec.architecture)


def _load_file(weights: str | os.PathLike[str], architecture: str | None) -> LoadedWeights:
    from stylezoo.weights import weights_files

    file = Path(weights).expanduser()
    if file.is_dir():
        file /= MODEL_FILE
    if not file.is_file():
        names = ", ".join(spec.name for spec in specs.list_weights())
        raise WeightsError(
            f"`weights` must be 'imagenet', one of {names}, or the path of a file or a run's folder. "
            f"Received: weights={os.fspath(weights)!r}"
        )
    return weights_files.read(reading.read_bytes(file), file, architecture=architecture)
