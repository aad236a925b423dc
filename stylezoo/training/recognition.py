"""Evaluate classifiers: accuracy, confusion matrix, and pictures of what they get wrong."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from stylezoo import images
from stylezoo.images import FloatArray
from stylezoo.training.data import IntArray
from stylezoo.training.views import Views

_TOP = 5
# Sizes of the cells of contact sheets, px.
_CELL, _CAPTION = 96, 16
_RIGHT, _WRONG = (0, 90, 0), (190, 0, 0)
# Confusion matrices: the side of a cell, px, the numbers of classes up to which classes are
# named and cells have numbers, and the largest side, px.
_SIDE, _MAX_NAMED, _MAX_COUNTED, _MAX_SIDE = 40, 50, 25, 1200
_FULL = np.array([8, 48, 107], np.float64)  # the colour of a share of 1; 0 is white
_MAX_CHARACTERS = 24


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """The predictions of a network for the N pictures that could be read.

    Attributes:
        class_names: The names of the classes by number.
        indices: The pictures' indices, [N].
        labels: The pictures' classes, [N].
        predicted: The classes with the highest scores, [N].
        ranks: The number of classes with a higher score than the right one, [N].
        cross_entropies: -log of the probability of the right class, in nats, [N].
    """

    class_names: tuple[str, ...]
    indices: IntArray
    labels: IntArray
    predicted: IntArray
    ranks: IntArray
    cross_entropies: FloatArray

    @property
    def top_1(self) -> float:
        """The part of the pictures whose class has the highest score."""
        return float(np.mean(self.predicted == self.labels))

    @property
    def top_5(self) -> float | None:
        """The part of the pictures whose class is among the five best; None for up to five classes."""
        return float(np.mean(self.ranks < _TOP)) if len(self.class_names) > _TOP else None

    @property
    def cross_entropy(self) -> float:
        """The mean cross-entropy in nats."""
        return float(np.mean(self.cross_entropies))

    def figures(self) -> dict[str, float]:
        """Return the mean figures by name."""
        figures = {"cross_entropy": self.cross_entropy, "accuracy": self.top_1}
        return figures if self.top_5 is None else {**figures, "top_5": self.top_5}

    def confusion(self) -> IntArray:
        """Return how many pictures of each class (rows) were predicted as each (columns), [K, K]."""
        size = len(self.class_names)
        matrix = np.zeros([size, size], np.int64)
        np.add.at(matrix, (self.labels, self.predicted), 1)
        return matrix

    def by_class(self) -> dict[str, float | None]:
        """Return the accuracy for each class by name; None for a class without pictures."""
        matrix = self.confusion()
        totals = matrix.sum(axis=1)
        return {
            name: float(matrix[number, number] / totals[number]) if totals[number] else None
            for number, name in enumerate(self.class_names)
        }


def predict(
    network: Callable[[tf.Tensor], tf.Tensor],
    views: Views,
    *,
    batch_size: int,
    indices: npt.ArrayLike | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Predictions:
    """Predict the classes of the middle squares of pictures.

    Args:
        network: Function from pictures, [B, size, size, C], to scores before the softmax, [B, K].
        views: The pictures; those that can't be read are left out.
        batch_size: The number of pictures that the network sees at once.
        indices: The indices of the pictures; None for all.
        callback: Function that is called after each batch with its number of pictures.

    Returns:
        The predictions for the pictures that could be read.

    Raises:
        ValueError: If ``batch_size`` < 1.
        OSError: If none of the pictures can be read.
    """
    if batch_size < 1:
        raise ValueError(f"`batch_size` must be >= 1. Received: batch_size={batch_size}")
    chosen = np.arange(len(views.pictures)) if indices is None else np.asarray(indices, np.int64)
    columns: list[tuple[np.ndarray, ...]] = []
    for pictures, labels in views.middles(chosen, batch_size=batch_size):
        scores = tf.cast(network(pictures), tf.float32)
        columns.append((labels.numpy(), *_judged(scores.numpy(), labels.numpy())))
        if callback:
            callback(len(labels))
    labels, predicted, ranks, entropies = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    read = labels >= 0
    if not read.any():
        reasons = ", ".join(sorted(views.pictures.skipped.values())[:1])
        raise OSError(f"`dataset` must hold a picture that can be read. Received: none ({reasons})")
    return Predictions(
        views.pictures.class_names,
        chosen[read],
        labels[read],
        predicted[read],
        ranks[read],
        entropies[read],
    )


def _judged(scores: FloatArray, labels: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return each row's best class, the number of classes above the label's, and its cross-entropy."""
    right = np.take_along_axis(scores, np.maximum(labels, 0)[:, None], axis=1)
    highest = scores.max(axis=1, keepdims=True)
    log_sum = highest[:, 0] + np.log(np.exp(scores - highest).sum(axis=1))
    return scores.argmax(axis=1), (scores > right).sum(axis=1), log_sum - right[:, 0]


def scorer(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a classifier as a traced function from pictures to scores, in inference mode."""
    return tf.function(
        lambda pictures: network(pictures, training=False),
        autograph=False,
        reduce_retracing=True,
    )


def predictions_sheet(
    predictions: Predictions, views: Views, *, columns: int = 8, rows: int = 4
) -> FloatArray:
    """Return a sheet of pictures with their predicted and right classes, wrong ones first.

    Args:
        predictions: The predictions.
        views: The pictures that the predictions are for.
        columns: The number of columns.
        rows: The largest number of rows.

    Returns:
        The sheet, [1, H, W, 3] float32 in [0, 1].
    """
    wrong = predictions.predicted != predictions.labels
    first = np.argsort(~wrong, kind="stable")[: columns * rows]
    shown = next(iter(views.middles(predictions.indices[first], batch_size=len(first))))[0].numpy()
    cells = []
    for picture, place in zip(shown, first, strict=True):
        taken_for = predictions.class_names[predictions.predicted[place]]
        text = f"{taken_for} ({predictions.class_names[predictions.labels[place]]})"
        cells.append(_captioned(picture, text, _WRONG if wrong[place] else _RIGHT))
    return images.contact_sheet(cells, columns=columns)


def _captioned(picture: FloatArray, text: str, colour: tuple[int, int, int]) -> FloatArray:
    """Return a picture enlarged or reduced to a cell, with a line of text below; [H, W, 3]."""
    pixels = np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)
    pixels = np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels
    cell = Image.new("RGB", (_CELL, _CELL + _CAPTION), "white")
    nearest = pixels.shape[0] <= _CELL
    method = Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS
    cell.paste(Image.fromarray(pixels).resize((_CELL, _CELL), method))
    draw, font = ImageDraw.Draw(cell), ImageFont.load_default(11)
    while len(text) > 1 and draw.textlength(text, font) > _CELL:
        text = f"{text[:-2]}…"
    draw.text((_CELL // 2, _CELL + _CAPTION // 2), text, colour, font, anchor="mm")
    return np.asarray(cell, np.float32) / np.float32(255)


def confusion_picture(matrix: IntArray, class_names: Sequence[str]) -> FloatArray:
    """Return a picture of a confusion matrix: a row for each class, a column for each prediction.

    The larger a cell's part of its row, the darker it is. Up to 50 classes are named along both axes,
    and up to 25 have numbers in their cells.

    Args:
        matrix: Counts of pictures, [K, K].
        class_names: The names of the K classes.

    Returns:
        The picture, [1, H, W, 3] float32 in [0, 1].

    Raises:
        ValueError: If there are not K names for a [K, K] matrix, K >= 1.
    """
    size = len(class_names)
    if not size or matrix.shape != (size, size):
        raise ValueError(
            f"`matrix` must be [{size}, {size}], for as many classes. "
            f"Received: {list(matrix.shape)}"
        )
    side = max(min(_SIDE if size <= _MAX_COUNTED else _SIDE // 2, _MAX_SIDE // size), 1)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    colours = np.rint(255 + shares[..., None] * (_FULL - 255)).astype(np.uint8)
    cells = Image.fromarray(np.repeat(np.repeat(colours, side, axis=0), side, axis=1))
    font = ImageFont.load_default(14)
    names = [_short(name) for name in class_names] if size <= _MAX_NAMED else []
    margin = 44 + max((round(font.getlength(name)) for name in names), default=0)
    extent = size * side
    picture = Image.new("RGB", (margin + extent + 12, margin + extent + 12), "white")
    picture.paste(cells, (margin, margin))
    draw = ImageDraw.Draw(picture)
    if side >= 8:
        for line in range(0, extent + 1, side):
            grey = (200, 200, 200)
            draw.line([(margin + line, margin), (margin + line, margin + extent)], grey)
            draw.line([(margin, margin + line), (margin + extent, margin + line)], grey)
    if size <= _MAX_COUNTED:
        _write_counts(draw, matrix, shares, margin, side)
    for number, name in enumerate(names):
        at = margin + number * side + side // 2
        draw.text((margin - 6, at), name, "black", font, anchor="rm")
        _write_upwards(picture, name, at, margin - 6, font)
    title = ImageFont.load_default(15)
    draw.text((margin + extent // 2, 4), "predicted", "black", title, anchor="ma")
    _write_upwards(picture, "class", 12, margin + extent // 2 + 20, title)
    return np.asarray(picture, np.float32)[None] / np.float32(255)


def _write_counts(
    draw: ImageDraw.ImageDraw, matrix: IntArray, shares: np.ndarray, margin: int, side: int
) -> None:
    for row, column in np.argwhere(matrix):
        text = str(matrix[row, column])
        # A cell of 40 px holds five figures of 13 px.
        font = ImageFont.load_default(13 if len(text) <= 5 else 9)
        x, y = (margin + place * side + side // 2 for place in (column, row))
        colour = "white" if shares[row, column] > 0.5 else "black"
        draw.text((x, y), text, colour, font, anchor="mm")


def _write_upwards(picture: Image.Image, text: str, centre: int, bottom: int, font: Any) -> None:
    """Write a line of text that reads upwards."""
    left, top, right, below = font.getbbox(text)
    line = Image.new("RGB", (round(right - left) + 2, round(below - top) + 2), "white")
    ImageDraw.Draw(line).text((1 - left, 1 - top), text, "black", font)
    turned = line.transpose(Image.Transpose.ROTATE_90)
    picture.paste(turned, (centre - turned.width // 2, bottom - turned.height))


def _short(name: str) -> str:
    return name if len(name) <= _MAX_CHARACTERS else f"{name[: _MAX_CHARACTERS - 1]}…"
