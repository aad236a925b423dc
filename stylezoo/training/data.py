"""Photographs as crops to train on, such that a batch follows from its step alone.

Interrupted training goes on exactly only if step ``s`` then sees what it would have seen without the
interruption. So nothing here is a stream with a state: element ``i = step * batch_size + position``
chooses its photograph and its crop by a random number generator of its own, and a dataset that
begins at step ``s`` reads nothing of the steps before.
"""

import dataclasses
import functools
import itertools
import logging
import pathlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from stylezoo import errors, images
from stylezoo.images import FloatArray
from stylezoo.training import datasets
from stylezoo.training.datasets import IntArray

# The purposes of random generators, so that no two share one.
_ORDER, _CROP = range(2)

# So much memory decoded photographs may take: 2,000 of them at 450x375 px.
_CACHE_BYTES = 10**9

_logger = logging.getLogger(__name__)
# Of a folder of broken pictures the first are named; the end of the training lists how many they were.
_MOST_WARNINGS = 5


class Photographs:
    """Pictures in a fixed order, decoded when they are read, wherever they are stored.

    The next picture that can be read takes the place of one that can't. Which one that is depends on
    the files alone, not on what has been read before. No broken picture is tried twice, and a warning
    is logged once for each.

    Args:
        stored: The pictures as they are stored.
        positions: The positions of the pictures to take, in order; None for all.
        skipped: A record of broken pictures that is shared with other parts; None for a new one.
    """

    def __init__(
        self,
        stored: "Stored",
        positions: IntArray | None = None,
        skipped: dict[str, str] | None = None,
    ) -> None:
        self._stored = stored
        self._positions = np.arange(len(stored)) if positions is None else positions
        self._skipped = {} if skipped is None else skipped

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def names(self) -> list[str]:
        """The pictures' paths below the folder, or ``dataset#index``."""
        return [self._stored.name(position) for position in self._positions]

    @property
    def skipped(self) -> dict[str, str]:
        """The pictures that could not be read so far, here or in another part, and why, by name."""
        return dict(self._skipped)

    def read(self, index: int) -> FloatArray:
        """Read a picture, or the next one that can be read (after the last comes the first).

        Args:
            index: The picture's index, 0 to ``len(self) - 1``.

        Returns:
            The picture, [H, W, 3] float32, sRGB in [0, 1], as :func:`stylezoo.images.read_image`
            reads it.

        Raises:
            IndexError: If there is no such picture.
            OSError: If no picture can be read.
        """
        return self.find(index)[1]

    def find(self, index: int) -> tuple[int, FloatArray]:
        """Read a picture as :meth:`read` does; return its position in what is stored, and itself."""
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
        """Hold some pictures out, evenly spaced, so that every subfolder gives its share.

        Args:
            num_held_out: The number of pictures to hold out: >= 0, and fewer than there are.

        Returns:
            The pictures to train on and those held out. They share ``skipped``.

        Raises:
            ValueError: If ``num_held_out`` is out of range.
        """
        if not 0 <= num_held_out < len(self):
            raise ValueError(
                f"`num_held_out` must be 0 to {len(self) - 1}, less than the number of pictures. "
                f"Received: num_held_out={num_held_out}"
            )
        held_out = np.arange(num_held_out) * len(self) // max(num_held_out, 1)
        return self.part(np.delete(np.arange(len(self)), held_out)), self.part(held_out)

    def part(self, indices: IntArray) -> "Photographs":
        """Return the pictures at some indices; ``skipped`` is shared."""
        return Photographs(self._stored, self._positions[indices], self._skipped)

    def position(self, index: int) -> int:
        """Return the position in what is stored of the picture at an index."""
        return int(self._positions[index])

    def try_read(self, index: int) -> FloatArray | None:
        """Read the picture at an index itself, [H, W, 3]; return None if it can't be read."""
        return self._try_read(self._positions[index])

    def _try_read(self, position: int) -> FloatArray | None:
        name = self._stored.name(position)
        if name in self._skipped:
            return None
        try:
            return self._stored.read(position)
        except Exception as error:  # what libraries raise for damaged data has no common base
            reason = errors.one_line(error)
        # Threads that meet the same picture at the same time warn of it once.
        is_first = self._skipped.setdefault(name, reason) is reason
        if is_first and len(self._skipped) <= _MOST_WARNINGS:
            _logger.warning("%s. Another picture takes its place.", reason.rstrip("."))
        return None


def open_photographs(content: str, *, data_dir: str | None = None) -> Photographs:
    """Open the photographs to train on.

    Args:
        content: A folder, which is searched with its subfolders for ``images.IMAGE_EXTENSIONS``, in the
            order of the paths; or, if there is no such folder, the name of a TensorFlow Datasets
            dataset with an ``image`` feature, with its split after a colon: ``coco/2014:train[:80%]``.
            The default split is ``train``. The dataset is prepared first if need be, which may
            download it.
        data_dir: The folder where TensorFlow Datasets keeps its datasets; None for its own.

    Returns:
        The photographs, none of which has been read yet.

    Raises:
        ValueError: If ``content`` is neither, is empty, or has no images or no such split.
        NotADirectoryError: If ``content`` is a file.
        OSError: If the dataset can't be prepared.
    """
    path = pathlib.Path(content)
    if path.is_file():
        raise NotADirectoryError(
            "`content` must be a folder of pictures or the name of a TensorFlow Datasets dataset. "
            f"Received: {content!r}, a file"
        )
    is_folder = content and path.is_dir()  # an empty path would be the current folder
    stored: Stored = Folder(path) if is_folder else _open_dataset(content, data_dir)
    if not len(stored):
        raise ValueError(
            f"`content` must hold pictures ({' '.join(images.IMAGE_EXTENSIONS)}). "
            f"Received: {content!r}, which has none"
        )
    return Photographs(Cached(stored))


def _open_dataset(content: str, data_dir: str | None) -> datasets.Dataset:
    try:
        with errors.renamed(name="content"):
            return datasets.open_dataset(content, data_dir)
    except datasets.UnknownDatasetError as error:
        raise ValueError(
            "`content` must be a folder of pictures or the name of a TensorFlow Datasets dataset. "
            f"Received: {content!r}. There is no such folder; {error}"
        ) from error


@dataclasses.dataclass(frozen=True)
class CropConfig:
    """How a photograph is cropped: to a square, log-uniform in scale, at a uniform place.

    Attributes:
        size: Side of the result in px. No crop is enlarged, unless the photograph is smaller.
        min_scale: Side of the smallest crop as a fraction of the photograph's shorter side; 1 always
            takes the largest square. A crop is never smaller than ``size`` for its sake.
        flip: Whether to mirror every other crop, at random.

    Raises:
        ValueError: If a number is out of its range.
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
    """Return the batches of steps ``first_step`` to ``num_steps - 1``, in order.

    The batch of a step depends on the photographs, ``config``, ``batch_size``, ``seed`` and the step,
    and on nothing else. Each epoch shows every photograph once, in an order of its own; an epoch
    may end within a batch.

    Args:
        photographs: The photographs.
        config: How they are cropped.
        batch_size: The number of crops in a batch, of all shards together.
        seed: The seed, >= 0.
        num_steps: The number of steps of the whole training, counted from step 0.
        first_step: The step to begin with, 0 to ``num_steps``.
        shard: ``(index, count)``: only the ``index``-th of ``count`` consecutive parts of every batch is
            returned. The parts of all shards together are the batch.

    Returns:
        A finite dataset of float32 [batch_size / count, size, size, 3], sRGB in [0, 1].

    Raises:
        ValueError: If an argument is out of range, or ``count`` does not divide ``batch_size``.
        OSError: If no photograph can be read.
    """

    def random_crop(element: np.int64) -> FloatArray:
        picture = photographs.read(choose(int(element), len(photographs), seed=seed))
        return _random_crop(picture, config, np.random.default_rng([seed, _CROP, int(element)]))

    def load(element: tf.Tensor) -> tf.Tensor:
        # The function is not stateful: under op determinism tf.data runs stateful ones one after the other.
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
    """Return the index of the thing that an element shows: each once an epoch, in an order of its own.

    Args:
        element: Number of the element.
        length: Number of the things.
        seed: The seed, >= 0.
    """
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
    """Return batches of elements ``step * batch_size + position``, each made from its number alone.

    Args:
        load: Function from an element's number (int64) to tensors of known shape.
        batch_size: Number of elements in a batch, of all shards together.
        num_steps: See :func:`crops`.
        first_step: See :func:`crops`.
        shard: See :func:`crops`.

    Returns:
        A finite dataset of batches of batch_size / count.

    Raises:
        ValueError: If an argument is out of range, or ``count`` does not divide ``batch_size``.
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
    """Return the largest centred squares of some photographs, to compare a generator's results on.

    Args:
        photographs: The photographs.
        indices: Their indices.
        size: The side of the result in px.

    Returns:
        The squares, float32 [len(indices), size, size, 3], sRGB in [0, 1].

    Raises:
        ValueError: If ``indices`` is empty or ``size`` < 1.
        IndexError, OSError: As for :meth:`Photographs.read`.
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
    """Pictures as they are stored, by position."""

    def __len__(self) -> int: ...

    def name(self, position: int) -> str:
        """Return a picture's name, for messages."""

    def read(self, position: int) -> FloatArray:
        """Read a picture, [H, W, 3], or raise an error that names it and says why not."""


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
        """Return a picture's path below the folder."""
        return self._paths[position]

    def read(self, position: int) -> FloatArray:
        """Read a picture, [H, W, 3] float32 in [0, 1]."""
        return images.read_image(self._folder / self._paths[position])[0]


class Cached:
    """Stored pictures that are decoded once, as long as they fit into a limit of memory.

    All pictures are rounded to 8 bits, those too that are decoded anew, so that what is read does not
    depend on what fits. Threads may read at the same time.

    Args:
        stored: The pictures.
        limit: The most bytes that are kept.
    """

    def __init__(self, stored: Stored, limit: int = _CACHE_BYTES) -> None:
        self._stored, self._room = stored, limit
        self._kept: dict[int, np.ndarray] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stored)

    def name(self, position: int) -> str:
        """Return a picture's name, for messages."""
        return self._stored.name(position)

    def read(self, position: int) -> FloatArray:
        """Read a picture, [H, W, 3] float32 in [0, 1], in steps of 1/255."""
        pixels = self._kept.get(position)
        if pixels is None:
            pixels = np.rint(255 * self._stored.read(position)).astype(np.uint8)
            self._keep(position, pixels)
        return np.divide(pixels, 255, dtype=np.float32)

    def _keep(self, position: int, pixels: np.ndarray) -> None:
        with self._lock:
            if position not in self._kept and pixels.nbytes <= self._room:
                self._kept[position] = pixels
                self._room -= pixels.nbytes
