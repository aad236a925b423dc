"""Datasets of TensorFlow Datasets with random access to their examples."""

import bisect
import contextlib
import functools
import itertools
import logging
import os
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from stylezoo import errors, images
from stylezoo.images import FloatArray

_logger = logging.getLogger(__name__)

IntArray = npt.NDArray[np.int64]


class UnknownDatasetError(ValueError):
    """There is no dataset of that name."""


class _Records(Protocol):
    """Serialised ``tf.train.Example``s by index."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> bytes: ...


class Dataset:
    """The examples of a dataset, of which the features ``image`` and ``label`` are read.

    Attributes:
        features: The features by name, as TensorFlow Datasets describes them.
        splits: The names of all splits.
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
        """Return ``dataset#position``."""
        return f"{self._name}#{position}"

    def read(self, position: int) -> FloatArray:
        """Return the picture of an example, [H, W, 3] float32 in [0, 1]."""
        data = self._value(position, "image", "bytes_list")
        with errors.renamed(data=self.name(position)):
            return images.decode_image(data)[0]

    def label(self, position: int) -> int:
        """Return the class of an example."""
        return self._value(position, "label", "int64_list")

    def _value(self, position: int, feature: str, kind: str) -> Any:
        import tensorflow as tf

        try:
            example = tf.train.Example.FromString(bytes(self._records[position]))
            (value,) = getattr(example.features.feature[feature], kind).value
        except Exception as error:
            raise ValueError(
                f"`{self.name(position)}` cannot be read: {errors.one_line(error)}"
            ) from error
        return value


class _TFRecords:
    """Random access to TFRecord files.

    A record is its length (8 bytes), a checksum (4), the data, a checksum (4). The beginnings of a
    file's records are found once, when the first of them is read, by going from length to length.

    Args:
        files: Each file with the range of its records.
    """

    def __init__(self, files: Sequence[tuple[pathlib.Path, range]]) -> None:
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
        """Return the start and length of the data of each record, [N, 2]."""
        spans = []
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            while len(header := file.read(12)) == 12:
                start, length = file.tell(), int.from_bytes(header[:8], "little")
                if (
                    start + length > size
                ):  # the file is damaged here; what came before is still good
                    break
                spans.append((start, length))
                file.seek(start + length + 4)
        return np.array(spans, np.int64).reshape(-1, 2)


def open_dataset(
    name: str,
    data_dir: str | None,
    *,
    default_splits: Sequence[str] = ("train",),
    labelled: bool = False,
) -> Dataset:
    """Open a dataset of TensorFlow Datasets, which is prepared first if need be.

    Args:
        name: The dataset's name, with the split after a colon: ``coco/2014:train[:80%]``.
        data_dir: The folder where TensorFlow Datasets keeps its datasets; None for its own.
        default_splits: Names of splits, of which the first that exists is opened if ``name`` has none.
        labelled: Whether the examples must have a class, too.

    Raises:
        UnknownDatasetError: If there is no such dataset.
        ValueError: If the dataset has no such feature or split, or is stored in another format.
        OSError: If the dataset can't be prepared.
    """
    dataset, split = name_and_split(name)
    builder = _builder(dataset, data_dir)
    _check_features(name, builder.info.features, labelled=labelled)
    _check_split(name, split, tuple(builder.info.splits) or _declared_splits(builder))
    try:
        with _one_retry_told():
            builder.download_and_prepare()
    except Exception as error:
        raise OSError(
            f"The dataset `{dataset}` cannot be prepared: {errors.one_line(error)}"
        ) from error
    splits = builder.info.splits
    split = split or next((each for each in default_splits if each in splits), default_splits[0])
    return Dataset(name, _records(name, builder, split), builder.info.features, tuple(splits))


def name_and_split(name: str) -> tuple[str, str]:
    """Return the part of ``coco/2014:1.1.0:train[:80%]`` before the split, and the split or ""."""
    dataset, _, split = name.partition(":")
    if split[:1].isdigit():  # a version comes before the split
        version, _, split = split.partition(":")
        dataset = f"{dataset}:{version}"
    return dataset, split


def _builder(dataset: str, data_dir: str | None) -> Any:
    # Imported here, since training from a folder need not wait for it.
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(dataset, data_dir=data_dir)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UnknownDatasetError(reason) from error


def _check_features(name: str, features: Any, *, labelled: bool) -> None:
    import tensorflow_datasets as tfds

    names = sorted(features) if isinstance(features, tfds.features.FeaturesDict) else []
    wanted = {"image": ("an image", tfds.features.Image)}
    if labelled:
        wanted["label"] = ("a class", tfds.features.ClassLabel)
    for feature, (kind, cls) in wanted.items():
        if feature not in names or not isinstance(features[feature], cls):
            raise ValueError(
                f"`name` must be a dataset whose feature `{feature}` is {kind}. "
                f"Received: {name!r}, with the features {', '.join(names)}"
            )


class _NoDownloads:
    """Stand-in for the manager of downloads, for the names of splits alone."""

    def __getattr__(self, _: str) -> Any:
        return self._as_if

    def _as_if(self, urls: Any, *_: Any) -> Any:
        """Return a path for each address, as if it had been downloaded."""
        if isinstance(urls, Mapping):
            return {key: self._as_if(url) for key, url in urls.items()}
        if isinstance(urls, list | tuple):
            return [self._as_if(url) for url in urls]
        return pathlib.Path("nowhere")


def _declared_splits(builder: Any) -> tuple[str, ...]:
    """Return the splits that a dataset will have, before it is downloaded; none if it doesn't tell."""
    # TensorFlow Datasets has no public way to ask for them.
    try:
        found = builder._split_generators(_NoDownloads())
    except Exception:  # it looks into what was downloaded
        return ()
    return tuple(found) if isinstance(found, dict) else tuple(str(each.name) for each in found)


def _check_split(name: str, split: str, known: tuple[str, ...]) -> None:
    """Raise a ValueError if a split's name is none of those that are known."""
    parts = [part.partition("[")[0].strip() for part in split.split("+") if split]
    if known and not {*parts, "all"} <= {*known, "all"}:
        raise ValueError(
            f"`name` must name a split, {' or '.join(known)}, or a part of one, after a colon. "
            f"Received: {name!r}"
        )


@contextlib.contextmanager
def _one_retry_told() -> Iterator[None]:
    """Say once that a download is tried again, where urllib3 says so of each attempt."""
    logger = logging.getLogger("urllib3.connectionpool")
    told: list[str] = []

    def is_first(record: logging.LogRecord) -> bool:
        if not told:
            told.append(record.getMessage())
            _logger.warning("A server of the dataset can't be reached; it is tried again.")
        return False

    logger.addFilter(is_first)
    try:
        yield
    finally:
        logger.removeFilter(is_first)


def _records(name: str, builder: Any, split: str) -> _Records:
    """Return the records of a split of a prepared dataset."""
    import tensorflow_datasets as tfds

    try:
        files = builder.info.splits[split].file_instructions
    except Exception as error:
        raise ValueError(
            f"`name` must name a split, {' or '.join(builder.info.splits)}, or a part of one, after "
            f"a colon. Received: {name!r}"
        ) from error
    match builder.info.file_format:
        case tfds.core.FileFormat.TFRECORD:
            parts = [
                (tfds.core.Path(file.filename), range(file.skip, file.skip + file.take))
                for file in files
            ]
            return _TFRecords(parts)
        case tfds.core.FileFormat.ARRAY_RECORD:
            raw = tfds.decode.DeserializeMethod.RAW_BYTES
            # TensorFlow Datasets refuses to read an empty split.
            return builder.as_data_source(split, deserialize_method=raw) if files else []
        case other:
            raise ValueError(
                "`name` must be a dataset stored as tfrecord or array_record. "
                f"Received: {name!r}, stored as {other.value}"
            )
