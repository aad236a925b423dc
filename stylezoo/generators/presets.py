"""Presets: folders that hold a trained painter, as KerasHub lays them out.

``config.json`` has the class and its configuration, ``model.weights.h5`` the weights in Keras's own
layout, ``metadata.json`` the versions, the record of the training and the SHA-256 of the weights, and
``README.md`` is the card. Nothing in a preset can run code: a class is looked up among this project's.
"""

import errno
import hashlib
import json
import os
import pathlib
import shutil
from typing import Any

import h5py
import keras

import stylezoo
from stylezoo import errors, images, pretrained
from stylezoo.generators.configs import TEXTURES, GeneratorConfig
from stylezoo.generators.families import FAMILIES, build, check_finite, count_weights
from stylezoo.generators.growing import grow
from stylezoo.generators.h5_files import is_h5, read_h5
from stylezoo.generators.importing import PUBLISHED, load_published
from stylezoo.generators.painter import Painter
from stylezoo.weights.hdf5_checks import check_plain

_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"
CARD = "README.md"
_FILES = {_CONFIG, _WEIGHTS, _METADATA, CARD}

# The errors that reading JSON, HDF5 and configurations can raise that somebody changed.
_DAMAGES = (
    *(OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError),
    errors.WeightsError,
)


def save(
    painter: Painter,
    folder: str | os.PathLike[str],
    *,
    half: bool = False,
    overwrite: bool = False,
    card: str | None = None,
) -> None:
    """Write a preset; see :meth:`Painter.save_to_preset`."""
    path = pathlib.Path(folder)
    if overwrite and path.exists() and not _is_preset(path):
        raise FileExistsError(f"`{path}` is no preset, and only a preset is replaced")
    config = {"class_name": type(painter).__name__, "config": painter.get_config()}
    with images.atomic_folder(path, overwrite=overwrite) as temporary:
        weights = temporary / _WEIGHTS
        _check_space(temporary, painter)
        painter.save_weights(weights)
        if half:
            _halve(weights)
        metadata = {
            "stylezoo_version": stylezoo.__version__,
            "keras_version": keras.__version__,
            "parameter_count": painter.count_params(),
            "weights_sha256": _sha256(weights),
            "training": dict(painter.training_record),
        }
        for name, content in ((_CONFIG, config), (_METADATA, metadata)):
            (temporary / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (temporary / CARD).write_text(card or _card(painter), encoding="utf-8")


def load(model: str | os.PathLike[str]) -> Painter:
    """Load a trained painter.

    Args:
        model: A name in :data:`stylezoo.pretrained.LISTED`, whose weights are fetched first if need be,
            a preset's folder, or a ``.h5`` file of version 0.1. A folder whose name is that of a
            pretrained painter is meant by ``"./NAME"``.

    Raises:
        OSError: If the folder or file can't be read.
        ValueError: If there is no such folder or file, or it is damaged.
    """
    if known := pretrained.MODELS.get(str(model)):
        if _sha256(known.folder / _WEIGHTS) != known.sha256:
            raise ValueError(
                f"the pretrained model {known.name} is damaged: install stylezoo again"
            )
        return _read(known.folder)
    if str(model) in PUBLISHED:
        return load_published(str(model))
    path = pathlib.Path(model)
    if not path.exists() or (path.is_dir() and not (path / _CONFIG).exists()):
        raise FileNotFoundError(
            f"`model` must be a preset's folder, or one of {', '.join(pretrained.LISTED)}. "
            f"Received: {model}"
        )
    try:
        return _read(path) if path.is_dir() else read_h5(path)
    except _DAMAGES as error:
        reason = " ".join(str(error).split())
        raise ValueError(
            f"`model` must be a preset of this version. Received: {model} ({reason})"
        ) from error


def is_painter(model: str | os.PathLike[str]) -> bool:
    """Return whether :func:`load` is meant for this: a painter's name, preset or ``.h5`` file."""
    path = pathlib.Path(model)
    return str(model) in pretrained.LISTED or (path / _METADATA).is_file() or is_h5(path)


def initial(
    config: GeneratorConfig,
    init_weights: str | os.PathLike[str] | None = None,
    *,
    styles: tuple[str, ...] = (),
) -> Painter:
    """Return a painter to start a training from.

    Args:
        config: The architecture.
        init_weights: A painter to start from, as :func:`load` takes it; it may have fewer blocks and
            styles, see :func:`~stylezoo.generators.grow`. None for random weights.
        styles: Names of the styles.

    Raises:
        OSError, ValueError: As :func:`load`, or if ``init_weights`` does not fit into the architecture.
    """
    if init_weights is None:
        return build(config, styles=styles)
    with errors.renamed(model="init_weights"):
        painter = load(init_weights)
    if type(painter.config) is not type(config):
        raise ValueError(
            f"`init_weights` must be a {type(config).__name__[:-6]} like `generator`. "
            f"Received: {init_weights}, a {type(painter).__name__}"
        )
    try:
        return grow(painter, config, styles=styles)
    except ValueError as error:
        raise ValueError(
            f"`init_weights` must fit into `generator`. Received: {init_weights} ({error})"
        ) from error


def read_card(model: str | os.PathLike[str]) -> str | None:
    """Return the card of a preset, Markdown; None if it has none, as a ``.h5`` file."""
    if known := pretrained.LISTED.get(str(model)):
        return known.card()
    path = pathlib.Path(model) / CARD
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _is_preset(path: pathlib.Path) -> bool:
    return path.is_dir() and {each.name for each in path.iterdir()} == _FILES


def _read(folder: pathlib.Path) -> Painter:
    described, metadata = (_json(folder / name) for name in (_CONFIG, _METADATA))
    if _sha256(folder / _WEIGHTS) != metadata["weights_sha256"]:
        raise ValueError(f"{_WEIGHTS} is not what {_METADATA} says")
    class_name = described["class_name"]
    if class_name not in FAMILIES:
        raise ValueError(f"there is no class {class_name}")
    _check_size(folder, class_name, described["config"])
    painter = FAMILIES[class_name].from_config(described["config"])
    painter.training_record = metadata["training"]
    painter.load_weights(folder / _WEIGHTS)
    check_finite(painter)
    return painter


def _check_size(folder: pathlib.Path, class_name: str, config: dict[str, Any]) -> None:
    """Raise an error unless the weights are as many as a painter has, which may be too many to build."""
    needed = count_weights(FAMILIES[class_name], config)
    file = folder / _WEIGHTS
    with h5py.File(file, "r") as opened:
        found = check_plain(opened, file.stat().st_size)
    if found != needed:
        raise ValueError(f"{_WEIGHTS} has {found:,} weights, and such a {class_name} {needed:,}")


def _check_space(folder: pathlib.Path, painter: Painter) -> None:
    """Raise an OSError where the weights have no room.

    HDF5 crashes when Python ends if it could not write to a disk that was full.
    """
    needed = 8 * painter.count_params() + 2**20  # once whole, once halved, and HDF5's own share
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))


def _json(path: pathlib.Path) -> Any:
    if not path.is_file():
        raise ValueError(f"it lacks {path.name}")
    return json.loads(path.read_text(encoding="utf-8"))


def _halve(path: pathlib.Path) -> None:
    """Store kernels in float16."""
    whole = path.with_suffix(".whole")
    path.rename(whole)
    with h5py.File(whole, "r") as source, h5py.File(path, "w") as target:
        _copy_halved(source, target)
    whole.unlink()


def _copy_halved(source: h5py.Group, target: h5py.Group) -> None:
    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _copy_halved(item, target.create_group(name))
        else:
            dtype = "<f2" if item.ndim == 4 else item.dtype
            copied = target.create_dataset(name, data=item[()], dtype=dtype)
            copied.attrs.update(item.attrs)


def _sha256(path: pathlib.Path) -> str:
    if not path.is_file():
        raise ValueError(f"it lacks {path.name}")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _card(painter: Painter) -> str:
    """Describe a painter in Markdown."""
    if painter.paints == TEXTURES:
        call = "painter.paint(size=(512, 512), seed=0)"
    else:
        style = f', style="{painter.styles[0]}"' if painter.styles else ""
        call = f"painter.paint(image{style})"
    lines = [
        f"# {type(painter).__name__}",
        "",
        f"A painter of {painter.paints} with {painter.count_params():,} parameters.",
        *(
            [f"Its styles: {', '.join(f'`{each}`' for each in painter.styles)}."]
            * bool(painter.styles)
        ),
        "",
        "    import stylezoo",
        '    painter = stylezoo.load("FOLDER")',
        f"    {call}",
    ]
    if painter.training_record:
        record = json.dumps(dict(painter.training_record), indent=2)
        lines += ["", "## Training", "", *(f"    {line}" for line in record.splitlines())]
    return "\n".join(lines) + "\n"
