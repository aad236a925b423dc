"""Presets: folders that hold a trained painter or decoder, as KerasHub lays them out.

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
from collections.abc import Collection
from typing import Any, TypeVar

import h5py
import keras

import stylezoo
from stylezoo import errors, images, pretrained
from stylezoo.generators.configs import GeneratorConfig
from stylezoo.generators.decoder import Decoder
from stylezoo.generators.families import FAMILIES, build, check_finite, count_weights
from stylezoo.generators.growing import grow
from stylezoo.generators.h5_files import is_h5, read_h5
from stylezoo.generators.importing import PUBLISHED, load_published
from stylezoo.generators.painter import Painter
from stylezoo.generators.preset_model import PresetModel
from stylezoo.weights.hdf5_checks import check_plain

Kind = TypeVar("Kind", bound=PresetModel)

_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"
CARD = "README.md"
_FILES = {_CONFIG, _WEIGHTS, _METADATA, CARD}

# The classes that presets hold, by name.
_CLASSES: dict[str, type[PresetModel]] = {**FAMILIES, Decoder.__name__: Decoder}

# The errors that reading JSON, HDF5 and configurations can raise that somebody changed.
_DAMAGES = (
    *(OSError, RuntimeError, LookupError, AttributeError, TypeError, ValueError),
    errors.WeightsError,
)


def save(
    model: PresetModel,
    folder: str | os.PathLike[str],
    *,
    half: bool = False,
    overwrite: bool = False,
    card: str | None = None,
) -> None:
    """Write a preset; see :meth:`PresetModel.save_to_preset`."""
    path = pathlib.Path(folder)
    if overwrite and path.exists() and not _is_preset(path):
        raise FileExistsError(f"`{path}` is no preset, and only a preset is replaced")
    config = {"class_name": type(model).__name__, "config": model.get_config()}
    with images.atomic_folder(path, overwrite=overwrite) as temporary:
        weights = temporary / _WEIGHTS
        _check_space(temporary, model)
        model.save_weights(weights)
        if half:
            _halve(weights)
        metadata = {
            "stylezoo_version": stylezoo.__version__,
            "keras_version": keras.__version__,
            "parameter_count": model.count_params(),
            "weights_sha256": _sha256(weights),
            "training": dict(model.training_record),
        }
        for name, content in ((_CONFIG, config), (_METADATA, metadata)):
            (temporary / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        (temporary / CARD).write_text(card or _card(model), encoding="utf-8")


def load(model: str | os.PathLike[str]) -> Painter:
    """Load a trained painter.

    Args:
        model: A name in :data:`stylezoo.pretrained.LISTED`, whose weights are fetched first if need be,
            a preset's folder, or a ``.h5`` file of version 0.1. A folder whose name is that of a
            pretrained painter is meant by ``"./NAME"``.

    Raises:
        OSError: If the folder or file can't be read.
        ValueError: If there is no such folder or file, it is damaged, or it holds no painter.
    """
    return load_as(model, Painter)


def load_decoder(model: str | os.PathLike[str]) -> Decoder:
    """Load a trained decoder.

    Args:
        model: A name in :data:`stylezoo.pretrained.DECODERS`, or a preset's folder. A folder whose name is
            that of a pretrained decoder is meant by ``"./NAME"``.

    Raises:
        OSError, ValueError: As :func:`load`.
    """
    return load_as(model, Decoder)


def load_as(model: str | os.PathLike[str], kind: type[Kind]) -> Kind:
    """Load a trained network of a class; see :func:`load`.

    Raises:
        OSError, ValueError: As :func:`load`; also ValueError if the network is of another class.
    """
    loaded = _load(model, pretrained.DECODERS if kind is Decoder else pretrained.LISTED)
    if not isinstance(loaded, kind):
        raise ValueError(
            f"`model` must be a {kind.__name__}. Received: {model}, a {type(loaded).__name__}"
        )
    return loaded


def _load(model: str | os.PathLike[str], listed: Collection[str]) -> PresetModel:
    """Load a network; ``listed`` are the names that an error tells of."""
    if known := (pretrained.MODELS | pretrained.DECODERS).get(str(model)):
        if _sha256(known.folder / _WEIGHTS) != known.sha256:
            raise ValueError(
                f"the pretrained model {known.name} is damaged: install stylezoo again"
            )
        return _read(known.folder)
    if str(model) in PUBLISHED:
        return load_published(str(model))
    path = pathlib.Path(model)
    if not path.exists() or (path.is_dir() and not (path / _CONFIG).exists()):
        choices = ", or one of ".join(filter(None, ("a preset's folder", ", ".join(listed))))
        raise FileNotFoundError(f"`model` must be {choices}. Received: {model}")
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


def _read(folder: pathlib.Path) -> PresetModel:
    described, metadata = (_json(folder / name) for name in (_CONFIG, _METADATA))
    if _sha256(folder / _WEIGHTS) != metadata["weights_sha256"]:
        raise ValueError(f"{_WEIGHTS} is not what {_METADATA} says")
    class_name = described["class_name"]
    if class_name not in _CLASSES:
        raise ValueError(f"there is no class {class_name}")
    _check_size(folder, class_name, described["config"])
    model = _CLASSES[class_name].from_config(described["config"])
    model.training_record = metadata["training"]
    model.load_weights(folder / _WEIGHTS)
    check_finite(model)
    return model


def _check_size(folder: pathlib.Path, class_name: str, config: dict[str, Any]) -> None:
    """Raise an error unless the weights are as many as a network has, which may be too many to build."""
    needed = count_weights(_CLASSES[class_name], config)
    file = folder / _WEIGHTS
    with h5py.File(file, "r") as opened:
        found = check_plain(opened, file.stat().st_size)
    if found != needed:
        raise ValueError(f"{_WEIGHTS} has {found:,} weights, and such a {class_name} {needed:,}")


def _check_space(folder: pathlib.Path, model: PresetModel) -> None:
    """Raise an OSError where the weights have no room.

    HDF5 crashes when Python ends if it could not write to a disk that was full.
    """
    needed = 8 * model.count_params() + 2**20  # once whole, once halved, and HDF5's own share
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


def _card(model: PresetModel) -> str:
    """Describe a network in Markdown."""
    lines = model.introduction()
    if model.training_record:
        record = json.dumps(dict(model.training_record), indent=2)
        lines += ["", "## Training", "", *(f"    {line}" for line in record.splitlines())]
    return "\n".join(lines) + "\n"
