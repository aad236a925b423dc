"""Open pictures with classes: folders of classes, NumPy files, TensorFlow Datasets."""

import pathlib
import re
import zipfile
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from stylezoo import errors, images
from stylezoo.images import FloatArray
from stylezoo.training import datasets
from stylezoo.training.data import Folder, IntArray, Photographs

# The purpose of a random generator, so that no two share one; those of `data` are 0 and 1.
_HOLD_OUT = 2
_KINDS = "a folder with a folder for each class, an .npz file"
_MAX_NAMES = 10


class LabelledPhotographs:
    """Pictures in a fixed order, each of one class.

    Args:
        photographs: The pictures.
        label_of: Function from a position in what is stored to the class, 0 to
            ``len(class_names) - 1``.
        class_names: The names of the classes by number.
        test_part: The name by which the test part of the same dataset opens; None if it has none, or
            if a part was asked for by name.
    """

    def __init__(
        self,
        photographs: Photographs,
        label_of: Callable[[int], int],
        class_names: Sequence[str],
        *,
        test_part: str | None = None,
    ) -> None:
        self.class_names = tuple(class_names)
        self.test_part = test_part
        self._photographs = photographs
        self._label_of = label_of

    def __len__(self) -> int:
        return len(self._photographs)

    @property
    def skipped(self) -> dict[str, str]:
        """The pictures that could not be read so far, and why, by name."""
        return self._photographs.skipped

    def label(self, index: int) -> int:
        """Return the class of the picture at an index, whether or not it can be read."""
        return int(self._label_of(self._photographs.position(index)))

    def read(self, index: int) -> tuple[FloatArray, int]:
        """Read a picture, or the next one that can be read.

        Returns:
            The picture, [H, W, 3] float32 in [0, 1], and its class.

        Raises:
            IndexError, OSError: As for :meth:`Photographs.read`.
        """
        position, picture = self._photographs.find(index)
        return picture, int(self._label_of(position))

    def try_read(self, index: int) -> FloatArray | None:
        """Read the picture at an index itself; return None if it can't be read."""
        return self._photographs.try_read(index)

    def split(
        self, fraction: float, *, seed: int
    ) -> "tuple[LabelledPhotographs, LabelledPhotographs]":
        """Hold a fraction of every class out, at random.

        Args:
            fraction: The fraction, in (0, 1); at least one picture of each class is taken and one
                left.
            seed: The seed, >= 0; the same seed gives the same parts.

        Returns:
            The pictures to train on and those held out.

        Raises:
            ValueError: If the fraction is out of range, or a class has fewer than two pictures.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"`fraction` must be in (0, 1). Received: fraction={fraction}")
        labels = np.array([self.label(index) for index in range(len(self))])
        held_out: list[IntArray] = []
        for number, name in enumerate(self.class_names):
            members = np.flatnonzero(labels == number)
            if len(members) < 2:
                raise ValueError(
                    "`dataset` must hold 2 pictures or more of every class, to hold some out. "
                    f"Received: {len(members)} of {name}"
                )
            count = min(max(round(fraction * len(members)), 1), len(members) - 1)
            rng = np.random.default_rng([seed, _HOLD_OUT, number])
            held_out.append(rng.permutation(members)[:count])
        chosen = np.sort(np.concatenate(held_out))
        return self._part(np.delete(np.arange(len(self)), chosen)), self._part(chosen)

    def with_classes(self, class_names: Sequence[str]) -> "LabelledPhotographs":
        """Return the same pictures with the numbers that another list gives to their classes.

        Raises:
            ValueError: If one of the pictures' classes is not in the list.
        """
        numbers = {name: number for number, name in enumerate(class_names)}
        unknown = [name for name in self.class_names if name not in numbers]
        if unknown:
            raise ValueError(
                f"`dataset` must have no classes but {_listed(class_names)}. "
                f"Received: {_listed(unknown)}"
            )
        mapping = [numbers[name] for name in self.class_names]
        label_of = self._label_of
        return LabelledPhotographs(
            self._photographs,
            lambda position: mapping[label_of(position)],
            class_names,
            test_part=self.test_part,
        )

    def _part(self, indices: IntArray) -> "LabelledPhotographs":
        return LabelledPhotographs(
            self._photographs.part(indices), self._label_of, self.class_names
        )


def open_labelled(
    dataset: str, *, data_dir: str | None = None, part: str = "train"
) -> LabelledPhotographs:
    """Open pictures and their classes.

    Args:
        dataset: One of
            * a folder with a folder of pictures for each class, which names the class;
            * a NumPy file like Keras's ``mnist.npz``, with ``x_train`` (uint8, [N, H, W] or
              [N, H, W, C]), ``y_train`` (integers from 0) and perhaps ``x_test`` and ``y_test``; its
              part follows after a colon (``mnist.npz:test``);
            * the name of a TensorFlow Datasets dataset with an ``image`` and a ``label``; its split
              follows after a colon.
        data_dir: The folder where TensorFlow Datasets keeps its datasets; None for its own.
        part: The part to open if ``dataset`` names none: ``"train"``, or ``"test"`` (for TensorFlow
            Datasets ``validation`` if there is no ``test``).

    Returns:
        The pictures, none of which has been read from a folder yet.

    Raises:
        ValueError: If ``dataset`` is none of these, or has fewer than two classes or one without
            pictures.
        OSError: If the pictures can't be read or prepared.
    """
    if re.search(r"\.npz(:[^/]*)?$", dataset):
        return _open_arrays(dataset, part=part)
    path = pathlib.Path(dataset)
    if path.is_file():
        raise NotADirectoryError(
            f"`dataset` must be {_KINDS} or the name of a TensorFlow Datasets dataset. "
            f"Received: {dataset!r}, a file"
        )
    if dataset and path.is_dir():  # an empty path would be the current folder
        return _open_folder(path)
    return _open_dataset(dataset, data_dir, part=part)


def _open_folder(folder: pathlib.Path) -> LabelledPhotographs:
    names = sorted(
        path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    _check_number(names, f"{folder}")
    numbers = {name: number for number, name in enumerate(names)}
    stored = Folder(folder)
    parents = [pathlib.PurePosixPath(stored.name(i)).parts[0] for i in range(len(stored))]
    loose = [stored.name(i) for i, parent in enumerate(parents) if parent == stored.name(i)]
    if loose:
        raise ValueError(
            f"`dataset` must hold its pictures in a folder for each class. "
            f"Received: {folder / loose[0]}"
        )
    empty = [name for name in names if name not in parents]
    if empty:
        raise ValueError(
            f"`dataset` must hold pictures ({' '.join(images.IMAGE_EXTENSIONS)}) of every class. "
            f"Received: {folder}, with none in {_listed(empty)}"
        )
    labels = np.array([numbers.get(parent, -1) for parent in parents])
    photographs = Photographs(stored, np.flatnonzero(labels >= 0))
    return LabelledPhotographs(photographs, lambda position: int(labels[position]), names)


class _Arrays:
    """Pictures of a NumPy file, in memory."""

    def __init__(self, name: str, pictures: npt.NDArray[np.uint8]) -> None:
        self._name = name
        self._pictures = pictures if pictures.ndim == 4 else pictures[..., np.newaxis]

    def __len__(self) -> int:
        return len(self._pictures)

    def name(self, position: int) -> str:
        """Return ``file#position``."""
        return f"{self._name}#{position}"

    def read(self, position: int) -> FloatArray:
        """Return a picture, [H, W, 3] float32 in [0, 1]."""
        picture = np.divide(self._pictures[position], 255, dtype=np.float32)
        return np.repeat(picture, 3, axis=-1) if picture.shape[-1] == 1 else picture


def _open_arrays(dataset: str, *, part: str) -> LabelledPhotographs:
    path, _, asked = dataset.rpartition(".npz")
    file = pathlib.Path(f"{path}.npz")
    part = asked.removeprefix(":") or part
    arrays = _read_arrays(file)
    if f"x_{part}" not in arrays:
        parts = " or ".join(sorted(name[2:] for name in arrays if name.startswith("x_")))
        raise ValueError(
            f"`dataset` must name a part, {parts}, after a colon. Received: {dataset!r}"
        )
    pictures, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
    every = [values for name, values in arrays.items() if name.startswith("y_")]
    names = [str(number) for number in range(1 + max(int(values.max()) for values in every))]
    _check_number(names, dataset)
    missing = sorted(set(range(len(names))) - set(labels.tolist()))
    if part == "train" and missing:
        raise ValueError(
            f"`dataset` must hold pictures of every class. "
            f"Received: {dataset}, with none of {_listed([names[number] for number in missing])}"
        )
    test_part = f"{file}:test" if part == "train" and not asked and "x_test" in arrays else None
    stored = _Arrays(f"{file.name}:{part}", pictures)
    return LabelledPhotographs(
        Photographs(stored), lambda position: int(labels[position]), names, test_part=test_part
    )


def _read_arrays(file: pathlib.Path) -> dict[str, np.ndarray]:
    """Read the pictures ``x_...`` and labels ``y_...``, [N], of each part, and check them."""
    try:
        with np.load(file, allow_pickle=False) as contents:
            arrays = {name: contents[name] for name in contents.files}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, TypeError) as error:
        raise ValueError(
            f"`dataset` must be a NumPy file of arrays. Received: {file} ({error})"
        ) from error
    parts = [name[2:] for name in arrays if name.startswith("x_") and f"y_{name[2:]}" in arrays]
    checked: dict[str, np.ndarray] = {}
    for part in parts:
        pictures, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
        colours = pictures.ndim == 3 or (pictures.ndim == 4 and pictures.shape[-1] in (1, 3))
        if not (colours and pictures.dtype == np.uint8 and pictures.size):
            raise ValueError(
                f"`dataset` must have pictures x_{part}, uint8 [N, H, W] or [N, H, W, 1 or 3]. "
                f"Received: {file}, {pictures.dtype} {list(pictures.shape)}"
            )
        integers = labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer)
        if not integers or len(labels) != len(pictures) or labels.min() < 0:
            raise ValueError(
                f"`dataset` must have labels y_{part}, integers >= 0, one for each picture. "
                f"Received: {file}, {labels.dtype} {list(labels.shape)} for {len(pictures)} pictures"
            )
        checked |= {f"x_{part}": pictures, f"y_{part}": labels.astype(np.int64)}
    if not checked:
        raise ValueError(
            f"`dataset` must have the arrays x_train and y_train, or x_test and y_test. "
            f"Received: {file}, with {_listed(sorted(arrays))}"
        )
    return checked


def _open_dataset(dataset: str, data_dir: str | None, *, part: str) -> LabelledPhotographs:
    defaults = {"train": ("train",), "test": ("test", "validation", "train")}[part]
    try:
        with errors.renamed(name="dataset"):
            stored = datasets.open_dataset(
                dataset, data_dir, default_splits=defaults, labelled=True
            )
    except datasets.UnknownDatasetError as error:
        raise ValueError(
            f"`dataset` must be {_KINDS} or the name of a TensorFlow Datasets dataset. "
            f"Received: {dataset!r}. There is no such folder; {error}"
        ) from error
    names = stored.features["label"].names
    _check_number(names, dataset)
    if not len(stored):
        raise ValueError(f"`dataset` must hold pictures. Received: {dataset!r}, which has none")
    first = stored.label(0)
    if not 0 <= first < len(names):  # the test parts of competitions
        raise ValueError(
            f"`dataset` must say the classes of its pictures. Received: {dataset!r}, which hides "
            f"them (class {first})"
        )
    name, split = datasets.name_and_split(dataset)
    test = next((each for each in ("test", "validation") if each in stored.splits), None)
    test_part = f"{name}:{test}" if test and not split and part == "train" else None
    return LabelledPhotographs(Photographs(stored), stored.label, names, test_part=test_part)


def _check_number(names: Sequence[str], received: str) -> None:
    if len(names) < 2:
        raise ValueError(
            f"`dataset` must have 2 classes or more (a folder of pictures for each, or labels). "
            f"Received: {received}, with {_listed(names) or 'none'}"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MAX_NAMES])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > _MAX_NAMES else shown
