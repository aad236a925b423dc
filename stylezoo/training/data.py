"""Photographs as crops to train on, such that a batch follows from its step alone.

Training that is interrupted goes on exactly where it was only if step `s` then sees what it would
have seen. So nothing here is a stream with a state: element `i = step * batch_size + position`
chooses its photograph and its crop by a random number generator of its own, and a dataset that
begins at step `s` reads nothing of what came before.
"""

import bisect
import dataclasses
import functools
import itertools
import logging
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from stylezoo import images
from stylezoo.images import FloatArray

IntArray = npt.NDArray[np.int64]

# What a random generator is for, so that no two uses share one.
_ORDER, _CROP = range(2)

_logger = logging.getLogger(__name__)


class Photographs:
    """Pictures in a fixed order, decoded when they are read, wherever they are stored.

    Pictures that can't be read do not stop anything: the next one that can takes their place.
    Which one that is depends on the files alone, not on what has been read before, and no such
    picture is tried twice. A warning is logged for each, once.
    """

    def __init__(
        self,
        stored: "Stored",
        positions: IntArray | None = None,
        skipped: dict[str, str] | None = None,
    ) -> None:
        """Of those in `stored`, the pictures at `positions`; None for all."""
        self._stored = stored
        self._positions = np.arange(len(stored)) if positions is None else positions
        self._skipped = {} if skipped is None else skipped

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def names(self) -> list[str]:
        """Paths below the folder, or `dataset#index`."""
        return [self._stored.name(position) for position in self._positions]

    @property
    def skipped(self) -> dict[str, str]:
        """Name and reason of the pictures met so far, here or in another part, that can't be read."""
        return dict(self._skipped)

    def read(self, index: int) -> FloatArray:
        """A picture, or the next one that can be read (after the last comes the first).

        Args:
            index: 0 to `len(self) - 1`.

        Returns:
            [H, W, 3], sRGB in [0, 1], as :func:`stylezoo.images.read_image` reads it.

        Raises:
            IndexError: if there is no such picture.
            OSError: if none can be read.
        """
        return self.find(index)[1]

    def find(self, index: int) -> tuple[int, FloatArray]:
        """As :meth:`read`, with the position, in what is stored, of the picture that it gives."""
        if not 0 <= index < len(self):
            raise IndexError(f"`index` must be 0 to {len(self) - 1}. Received: index={index}")
        for position in itertools.chain(self._positions[index:], self._positions[:index]):
            picture = self._try_read(position)
            if picture is not None:
                return int(position), picture
        name = self._stored.name(self._positions[index])
        raise OSError(
            "`content` must hold a picture that can be read. "
            f"Received: {len(self)}, none of which can; {self._skipped[name]}"
        )

    def hold_out(self, num_held_out: int) -> "tuple[Photographs, Photographs]":
        """Sets some pictures apart, evenly spaced, so that every subfolder gives its share.

        Args:
            num_held_out: how many; 0 or more, and fewer than there are.

        Returns:
            The pictures to train on and those held out. They share `skipped`.

        Raises:
            ValueError: if `num_held_out` is out of range.
        """
        if not 0 <= num_held_out < len(self):
            raise ValueError(
                f"`num_held_out` must be 0 to {len(self) - 1}, less than the number of pictures. "
                f"Received: num_held_out={num_held_out}"
            )
        held_out = np.arange(num_held_out) * len(self) // max(num_held_out, 1)
        return self.part(np.delete(np.arange(len(self)), held_out)), self.part(held_out)

    def part(self, indices: IntArray) -> "Photographs":
        """Only those at some indices; `skipped` is shared."""
        return Photographs(self._stored, self._positions[indices], self._skipped)

    def position(self, index: int) -> int:
        """Where, in what is stored, the picture at an index is."""
        return int(self._positions[index])

    def try_read(self, index: int) -> FloatArray | None:
        """The picture at an index itself, [H, W, 3]; None if it can't be read, once said why."""
        return self._try_read(self._positions[index])

    def _try_read(self, position: int) -> FloatArray | None:
        name = self._stored.name(position)
        if name in self._skipped:
            return None
        try:
            return self._stored.read(position)
        except Exception as error:  # what libraries raise for damaged data has no common base
            reason = _one_line(error)
        # Threads that meet the same picture at the same time warn of it once.
        if self._skipped.setdefault(name, reason) is reason:
            _logger.warning("%s. Another picture takes its place.", reason.rstrip("."))
        return None


def open_photographs(content: str, *, data_dir: str | None = None) -> Photographs:
    """Finds the photographs to train on.

    Args:
        content: a folder, searched with its subfolders for `images.IMAGE_EXTENSIONS` and taken in
            the order of the paths; or, if there is no such folder, the name of a TensorFlow
            Datasets dataset with an `image` feature, with its split after a colon:
            `coco/2014:train[:80%]`. The default split is `train`. It is prepared first (which may
            download it) if it was not yet.
        data_dir: where TensorFlow Datasets keeps its datasets, if not in its own default folder.

    Returns:
        The photographs. None of them has been read yet.

    Raises:
        ValueError: if `content` is neither, is empty, has no images or no such split.
        NotADirectoryError: if it is a file.
        OSError: if the dataset can't be prepared.
    """
    path = pathlib.Path(content)
    if path.is_file():
        raise NotADirectoryError(
            "`content` must be a folder of pictures or the name of a TensorFlow Datasets dataset. "
            f"Received: {content!r}, a file"
        )
    is_folder = content and path.is_dir()  # an empty path would be the current folder
    try:
        stored: Stored = Folder(path) if is_folder else open_dataset(content, data_dir)
    except UnknownDatasetError as error:
        raise ValueError(
            "`content` must be a folder of pictures or the name of a TensorFlow Datasets dataset. "
            f"Received: {content!r}. There is no such folder; {error}"
        ) from error
    if not len(stored):
        raise ValueError(
            f"`content` must hold pictures ({' '.join(images.IMAGE_EXTENSIONS)}). "
            f"Received: {content!r}, which has none"
        )
    return Photographs(stored)


@dataclasses.dataclass(frozen=True)
class CropConfig:
    """What is cut out of a photograph: a square, log-uniform in scale, at a uniform place.

    Attributes:
        size: side of the result, px. No crop is enlarged, unless the photograph is smaller.
        min_scale: the smallest crop's side as a fraction of the photograph's shorter side; 1 for
            the largest square always. What `size` demands goes before it.
        flip: mirror every other crop, at random.
    """

    size: int
    min_scale: float = 0.0
    flip: bool = True

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"`size` must be >= 1. Received: size={self.size}")
        if not 0 <= self.min_scale <= 1:
            raise ValueError(f"`min_scale` must be 0 to 1. Received: min_scale={self.min_scale}")


def crops(
    photographs: Photographs,
    *,
    config: CropConfig,
    batch_size: int,
    seed: int,
    num_steps: int,
    first_step: int = 0,
    shard: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """The batches of steps `first_step` to `num_steps - 1`, in order.

    The batch of a step depends on the photographs, `config`, `batch_size`, `seed` and the step,
    and on nothing else. Each epoch shows every photograph once, in an order of its own; an epoch
    may end within a batch.

    Args:
        photographs: what to crop.
        config: how.
        batch_size: of all shards together.
        seed: 0 or more.
        num_steps: of the whole training, counted from step 0.
        first_step: where to begin; 0 to `num_steps`.
        shard: `(index, count)`: only the `index`-th of `count` consecutive parts of every batch.
            The parts of all shards together are the batch.

    Returns:
        Finite, of `float32` [batch_size / count, size, size, 3], sRGB in [0, 1].

    Raises:
        ValueError: if an argument is out of range, or `count` does not divide `batch_size`.
        OSError: if no photograph can be read.
    """

    def random_crop(element: np.int64) -> FloatArray:
        picture = photographs.read(choose(int(element), len(photographs), seed=seed))
        return _random_crop(picture, config, np.random.default_rng([seed, _CROP, int(element)]))

    def load(element: tf.Tensor) -> tf.Tensor:
        # Not stateful: under op determinism tf.data runs stateful functions one after the other.
        crop = tf.numpy_function(random_crop, [element], tf.float32, stateful=False)
        return _resize_square(tf.ensure_shape(crop, [None, None, 3]), config.size)

    if seed < 0:
        raise ValueError(f"`seed` must be >= 0. Received: seed={seed}")
    batches = element_batches(
        load, batch_size=batch_size, num_steps=num_steps, first_step=first_step, shard=shard
    )
    # If there is nothing to read, this says so; tf.data would wrap the error in its own.
    photographs.read(0)
    return batches


def choose(element: int, length: int, *, seed: int) -> int:
    """Which of `length` things is shown as an element: each once an epoch, in an order of its own."""
    epoch, place = divmod(element, length)
    return int(_order(seed, epoch, length)[place])


def element_batches(
    load: Callable[[tf.Tensor], Any],
    *,
    batch_size: int,
    num_steps: int,
    first_step: int = 0,
    shard: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Batches of elements `step * batch_size + position`, each made from its number alone.

    Args:
        load: an element's number (int64) to tensors of known shape.
        batch_size: of all shards together.
        num_steps: see :func:`crops`, as the rest.
        first_step: where to begin.
        shard: which part of every batch.

    Returns:
        Finite, of batches of batch_size / count.

    Raises:
        ValueError: if an argument is out of range, or `count` does not divide `batch_size`.
    """
    index, count = shard
    if not 0 <= index < count:
        raise ValueError(f"`shard` must be (index, count), index < count. Received: shard={shard}")
    if batch_size < 1 or batch_size % count:
        raise ValueError(
            f"`batch_size` must be a positive multiple of the number of shards, {count}. "
            f"Received: batch_size={batch_size}"
        )
    if not 0 <= first_step <= num_steps:
        raise ValueError(
            f"`first_step` must be 0 to num_steps, {num_steps}. Received: first_step={first_step}"
        )
    shard_size = batch_size // count

    def load_number(number: tf.Tensor) -> Any:
        step, position = number // shard_size, number % shard_size
        return load(step * batch_size + index * shard_size + position)

    numbers = tf.data.Dataset.range(first_step * shard_size, num_steps * shard_size)
    elements = numbers.map(load_number, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return elements.batch(shard_size, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


def centre_crops(photographs: Photographs, indices: Sequence[int], *, size: int) -> tf.Tensor:
    """The largest centred squares of some photographs, to compare a generator's results on.

    Args:
        photographs: where from.
        indices: which.
        size: of the result, px.

    Returns:
        `float32` [len(indices), size, size, 3], sRGB in [0, 1].

    Raises:
        ValueError: if `indices` is empty or `size` below 1.
        IndexError, OSError: as for :meth:`Photographs.read`.
    """
    if not len(indices):
        raise ValueError("`indices` must not be empty. Received: none")
    read = [photographs.read(index)[np.newaxis] for index in indices]
    return tf.concat([images.centre_square(picture, size) for picture in read], axis=0)


@functools.lru_cache(maxsize=4)
def _order(seed: int, epoch: int, length: int) -> IntArray:
    return np.random.default_rng([seed, _ORDER, epoch]).permutation(length)


def _random_crop(picture: FloatArray, config: CropConfig, rng: np.random.Generator) -> FloatArray:
    height, width, _ = picture.shape
    largest = min(height, width)
    smallest = min(max(config.size, config.min_scale * largest), largest)
    side = round(smallest * (largest / smallest) ** rng.random())
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    crop = picture[top : top + side, left : left + side]
    return crop[:, ::-1] if config.flip and rng.random() < 0.5 else crop


def _resize_square(picture: tf.Tensor, size: int) -> tf.Tensor:
    return images.resize(picture[tf.newaxis], (size, size))[0]


class Stored(Protocol):
    """Pictures as they are stored."""

    def __len__(self) -> int: ...

    def name(self, position: int) -> str:
        """What messages call a picture."""

    def read(self, position: int) -> FloatArray:
        """[H, W, 3], or an exception that says, with the picture's name, why not."""


class Folder:
    """The picture files below a folder."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._paths = sorted(
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.suffix.lower() in images.IMAGE_EXTENSIONS and path.is_file()
        )

    def __len__(self) -> int:
        return len(self._paths)

    def name(self, position: int) -> str:
        """Its path below the folder."""
        return self._paths[position]

    def read(self, position: int) -> FloatArray:
        """[H, W, 3] in [0, 1]."""
        return images.read_image(self._folder / self._paths[position])[0]


class _Records(Protocol):
    """Serialised `tf.train.Example`s."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> bytes: ...


class Dataset:
    """A dataset's examples, of which the features `image` and `label` are looked at.

    Attributes:
        features: by name, as TensorFlow Datasets describes them.
        splits: the names of all splits.
    """

    def __init__(
        self, name: str, records: _Records, features: Mapping[str, Any], splits: tuple[str, ...]
    ) -> None:
        self.features, self.splits = features, splits
        self._name = name
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    def name(self, position: int) -> str:
        """`dataset#position`."""
        return f"{self._name}#{position}"

    def read(self, position: int) -> FloatArray:
        """[H, W, 3] in [0, 1]."""
        data = self._value(position, "image", "bytes_list")
        return images.decode_image(data, name=self.name(position))[0]

    def label(self, position: int) -> int:
        """The class of an example."""
        return self._value(position, "label", "int64_list")

    def _value(self, position: int, feature: str, kind: str) -> Any:
        try:
            example = tf.train.Example.FromString(bytes(self._records[position]))
            (value,) = getattr(example.features.feature[feature], kind).value
        except Exception as error:
            raise ValueError(
                f"`{self.name(position)}` cannot be read: {_one_line(error)}"
            ) from error
        return value


class _TFRecords:
    """Random access to TFRecord files.

    A record is its length (8 bytes), a checksum (4), the data, a checksum (4). Where the records
    of a file begin is found once, when the first of them is read, by going from length to length.
    """

    def __init__(self, files: Sequence[tuple[pathlib.Path, range]]) -> None:
        """Of each file in `files`, the records of a range."""
        self._files = files
        self._ends = list(itertools.accumulate(len(records) for _, records in files))
        self._spans = functools.cache(self._find_spans)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, index: int) -> bytes:
        number = bisect.bisect(self._ends, index)
        path, records = self._files[number]
        record = records[index - self._ends[number]]  # from the end of its range
        spans = self._spans(path)
        if record >= len(spans):
            raise ValueError(f"`{path}` is damaged")
        start, length = spans[record].tolist()
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    @staticmethod
    def _find_spans(path: pathlib.Path) -> IntArray:
        """Start and length of the data of each record; [N, 2]."""
        spans = []
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            while len(header := file.read(12)) == 12:
                start, length = file.tell(), int.from_bytes(header[:8], "little")
                if start + length > size:  # damaged; what came before is still good
                    break
                spans.append((start, length))
                file.seek(start + length + 4)
        return np.array(spans, np.int64).reshape(-1, 2)


class UnknownDatasetError(ValueError):
    """TensorFlow Datasets has no dataset of a name; the message says why."""


def open_dataset(
    content: str,
    data_dir: str | None,
    *,
    default_splits: Sequence[str] = ("train",),
    labelled: bool = False,
) -> Dataset:
    """Prepares a dataset of TensorFlow Datasets.

    Args:
        content: its name, with the split after a colon, see :func:`open_photographs`.
        data_dir: where TensorFlow Datasets keeps its datasets.
        default_splits: the first of these that there is, if `content` names none.
        labelled: whether its examples must have a class, too.

    Raises:
        UnknownDatasetError: if there is no such dataset.
        ValueError: if there is no such feature or split.
        OSError: if it can't be prepared.
    """
    # Here, since those who train from a folder need not wait for it.
    import tensorflow_datasets as tfds

    name, split = name_and_split(content)
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except Exception as error:
        raise UnknownDatasetError(_first_line(error)) from error
    features = builder.info.features
    names = sorted(features) if isinstance(features, tfds.features.FeaturesDict) else []
    wanted = {"image": ("an image", tfds.features.Image)}
    if labelled:
        wanted["label"] = ("a class", tfds.features.ClassLabel)
    for feature, (kind, cls) in wanted.items():
        if feature not in names or not isinstance(features[feature], cls):
            raise ValueError(
                f"`content` must be a dataset whose feature `{feature}` is {kind}. "
                f"Received: {content!r}, with the features {', '.join(names)}"
            )
    try:
        builder.download_and_prepare()
    except Exception as error:
        raise OSError(f"The dataset `{name}` cannot be prepared: {_one_line(error)}") from error
    splits = builder.info.splits
    split = split or next((each for each in default_splits if each in splits), default_splits[0])
    try:
        files = splits[split].file_instructions
    except Exception as error:
        raise ValueError(
            f"`content` must name a split, {' or '.join(splits)}, or a part of one, after a colon. "
            f"Received: {content!r}"
        ) from error
    records: _Records
    match builder.info.file_format:
        case tfds.core.FileFormat.TFRECORD:
            parts = [
                (tfds.core.Path(file.filename), range(file.skip, file.skip + file.take))
                for file in files
            ]
            records = _TFRecords(parts)
        case tfds.core.FileFormat.ARRAY_RECORD:
            raw = tfds.decode.DeserializeMethod.RAW_BYTES
            # It refuses to read nothing.
            records = builder.as_data_source(split, deserialize_method=raw) if files else []
        case other:
            raise ValueError(
                f"`content` must be a dataset stored as tfrecord or array_record. "
                f"Received: {content!r}, stored as {other.value}"
            )
    return Dataset(content, records, features, tuple(splits))


def name_and_split(content: str) -> tuple[str, str]:
    """Of `coco/2014:1.1.0:train[:80%]`, what comes before the split, and the split or nothing."""
    name, _, split = content.partition(":")
    if split[:1].isdigit():  # a version comes before the split
        version, _, split = split.partition(":")
        name = f"{name}:{version}"
    return name, split


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
