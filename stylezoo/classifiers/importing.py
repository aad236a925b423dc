"""Convert weights files that other projects published into weights files of this project."""

import os
from pathlib import Path

from stylezoo import images, reading
from stylezoo import weights as weights_lib
from stylezoo.classifiers import registry
from stylezoo.classifiers.tensors import check_tensors, has_top

EXTENSIONS = (".h5",)


def import_weights(
    file: str | os.PathLike[str],
    architecture: str,
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> weights_lib.LoadedWeights:
    """Convert a weights file that others published, if its tensors are the architecture's.

    The head may be lacking, or be for another number of classes. A file of this project is copied.

    Args:
        file: A file of a kind that :func:`stylezoo.weights.weights_files.read` understands.
        architecture: One of :func:`~stylezoo.classifiers.list_models`, or an alias.
        output: The file to write; its name ends in ``.h5``.
        overwrite: Whether to replace an existing file.

    Returns:
        The weights that were written.

    Raises:
        ValueError: If the architecture is unknown, or ``output`` has another extension.
        OSError: If a file can't be read or written.
        WeightsError: If the file is of no kind that is understood, or does not fit the architecture;
            every tensor that is missing, unexpected or of another shape is named.
    """
    from stylezoo.weights import weights_files

    architecture = registry.canonical(architecture)
    images.check_output_path(output, overwrite=overwrite, extensions=EXTENSIONS)
    file = Path(file)
    contents = reading.read_bytes(file)
    loaded = weights_files.read(contents, file, architecture=architecture)
    _check(loaded)
    written: bytes | memoryview = contents
    if not weights_files.is_own(contents):
        written = weights_files.serialize(loaded, source=file.name, license="unknown")
    with images.atomic_path(output, overwrite=overwrite) as temporary:
        temporary.write_bytes(written)
    return loaded


def _check(loaded: weights_lib.LoadedWeights) -> None:
    """Check that the weights are the architecture's, with or without its heads."""
    name = loaded.architecture
    *_, last = registry.shapes(name)
    num_classes = loaded.tensors[last].size if last in loaded.tensors else None
    shapes = registry.shapes(name, num_classes=num_classes, include_top=has_top(loaded))
    prefixes = tuple(f"{each}_" for each in registry.get(name).auxiliary)
    auxiliary = {
        each: shape
        for each, shape in registry.shapes(name, num_classes=num_classes, auxiliary=True).items()
        if each.startswith(prefixes)
    }
    if not auxiliary.keys().isdisjoint(loaded.tensors):
        shapes |= auxiliary
    check_tensors(loaded, shapes, allowed=("lpips/",))
