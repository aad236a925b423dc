"""Weights that others published, made into weights files of ours."""

import os
from pathlib import Path

from stylezoo import images
from stylezoo import weights as weights_lib
from stylezoo.classifiers import registry
from stylezoo.classifiers.classifier import check_tensors

EXTENSIONS = (".h5",)


def import_weights(
    file: str | os.PathLike[str],
    architecture: str,
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> weights_lib.LoadedWeights:
    """Write a weights file of a file that others published, if its tensors are the architecture's.

    The head may be lacking, or be for another number of classes. A file of ours is copied as it is.

    Args:
        file: of a kind that :func:`stylezoo.weights.weights_files.read` understands.
        architecture: of :func:`~stylezoo.classifiers.list_models`, or an alias.
        output: the file to write; ends in ``.h5``.
        overwrite: whether to replace a file.

    Returns:
        What was written.

    Raises:
        ValueError: for an unknown architecture, or an ``output`` with another extension.
        OSError: if a file can't be read or written.
        WeightsError: if the file is none that is understood, or every tensor that is missing,
            unexpected or of another shape.
    """
    from stylezoo.weights import weights_files

    architecture = registry.canonical(architecture)
    images.check_output_path(output, overwrite=overwrite, extensions=EXTENSIONS)
    file = Path(file)
    contents = file.read_bytes()
    loaded = weights_files.read(contents, file, architecture=architecture)
    _check(loaded)
    written: bytes | memoryview = contents
    if not weights_files.is_own(contents):
        written = weights_files.serialize(loaded, source=file.name, license="unknown")
    with images.atomic_path(output, overwrite=overwrite) as temporary:
        temporary.write_bytes(written)
    return loaded


def has_top(loaded: weights_lib.LoadedWeights) -> bool:
    """Whether any tensor of the classifier's head is there."""
    return not loaded.tensors.keys().isdisjoint(registry.head(loaded.architecture))


def _check(loaded: weights_lib.LoadedWeights) -> None:
    """Raise a WeightsError that names every tensor that doesn't fit."""
    name = loaded.architecture
    *_, last = registry.shapes(name)
    num_classes = loaded.tensors[last].size if last in loaded.tensors else None
    shapes = registry.shapes(name, num_classes=num_classes, include_top=has_top(loaded))
    sides = tuple(f"{each}_" for each in registry.get(name).auxiliary)
    auxiliary = {
        each: shape
        for each, shape in registry.shapes(name, num_classes=num_classes, auxiliary=True).items()
        if each.startswith(sides)
    }
    if not auxiliary.keys().isdisjoint(loaded.tensors):
        shapes |= auxiliary
    check_tensors(loaded, shapes, allowed=("lpips/",))
