"""Sample pictures that come with an optional dependency, so that none is committed here."""

import dataclasses
import importlib.resources
import pathlib

from stylezoo.images import codecs

_CC0 = "CC0 1.0"
_PUBLIC_DOMAIN = "public domain"


@dataclasses.dataclass(frozen=True)
class Sample:
    """A sample picture.

    Attributes:
        name: Key of the picture in :data:`~stylezoo.images.SAMPLES`.
        title: What the picture shows.
        credit: Who made it.
        licence: Licence under which it may be used.
        package: Python package that it comes with.
        file: Path of the file inside the package.
    """

    name: str
    title: str
    credit: str
    licence: str
    package: str
    file: str


def _scikit_image(name: str, title: str, credit: str, licence: str, extension: str) -> Sample:
    return Sample(name, title, credit, licence, "skimage", f"data/{name}{extension}")


# Titles, credits and licences are from the docstrings of skimage.data, scikit-image 0.26.
SAMPLES: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        _scikit_image("astronaut", "Eileen Collins", "NASA", _PUBLIC_DOMAIN, ".png"),
        _scikit_image("brick", "Brick wall (grey)", "CC0Textures, Bricks25", _CC0, ".png"),
        _scikit_image("chelsea", "Chelsea the cat", "Stefan van der Walt", _CC0, ".png"),
        _scikit_image("coffee", "Coffee cup", "Rachel Michetti", _CC0, ".png"),
        _scikit_image("grass", "Grass (grey)", "linolafett, DeviantArt", _CC0, ".png"),
        _scikit_image("gravel", "Gravel (grey)", "CC0Textures, Gravel04", _CC0, ".png"),
        _scikit_image(
            "hubble_deep_field", "Hubble eXtreme Deep Field", "NASA", _PUBLIC_DOMAIN, ".jpg"
        ),
        _scikit_image("retina", "Human retina", "Mikael Häggström", _CC0, ".jpg"),
        _scikit_image("rocket", "Launch of DSCOVR on a Falcon 9", "SpaceX", _PUBLIC_DOMAIN, ".jpg"),
    )
}
"""The sample pictures by name."""


def sample_path(name: str) -> pathlib.Path:
    """Return the path of a sample picture on this machine, without downloading anything.

    Args:
        name: One of :data:`~stylezoo.images.SAMPLES`.

    Returns:
        The path of the file.

    Raises:
        ValueError: If there is no such sample.
        ModuleNotFoundError: If scikit-image, which carries the pictures, is not installed.
        FileNotFoundError: If this version of it does not carry this one.
    """
    if name not in SAMPLES:
        raise ValueError(f"`name` must be one of {', '.join(SAMPLES)}. Received: name={name!r}")
    sample = SAMPLES[name]
    try:
        folder = importlib.resources.files(sample.package)
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"The sample picture {name!r} comes with scikit-image, which is not installed. "
            'Run: pip install "stylezoo[samples]"',
            name=sample.package,
        ) from None
    path = pathlib.Path(str(folder / sample.file))
    if not path.is_file():
        raise FileNotFoundError(
            f"The installed scikit-image has no `{path}`: another version than stylezoo[samples] "
            "asks for."
        )
    return path


def load_sample(name: str) -> codecs.FloatArray:
    """Read a sample picture.

    Args:
        name: One of :data:`~stylezoo.images.SAMPLES`.

    Returns:
        A ``float32`` array ``[1, height, width, 3]``, RGB, sRGB, in ``[0, 1]``.

    Raises:
        ValueError, ModuleNotFoundError, FileNotFoundError: As for :func:`sample_path`.
    """
    return codecs.read_image(sample_path(name))
