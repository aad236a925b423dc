"""How often a classifier is right, and pictures of what it gets wrong."""

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
# Of contact sheets, px.
_CELL, _CAPTION = 96, 16
_RIGHT, _WRONG = (0, 90, 0), (190, 0, 0)
# Of confusion matrices: cells, px; up to how many classes have names, and numbers in their cells.
_SIDE, _MAX_NAMED, _MAX_COUNTED, _MAX_SIDE = 40, 50, 25, 1200
_FULL = np.array([8, 48, 107], np.float64)  # what a share of 1 is painted in; 0 is white
_MAX_CHARACTERS = 24


@dataclasses.dataclass(frozen=True, eq=False)
class Predictions:
    """What a network made of pictures that could be read, N of them.

    Attributes:
        class_names: by number.
        indices: of the pictures, [N].
        labels: their classes, [N].
        predicted: the classes with the highest scores, [N].
        ranks: how many classes have a higher score than the right one, [N].
        cross_entropies: -log of the probabilities of the right ones, [N].
    """

    class_names: tuple[str, ...]
    indices: IntArray
    labels: IntArray
    predicted: IntArray
    ranks: IntArray
    cross_entropies: FloatArray

    @property
    def top_1(self) -> float:
        """Part of the pictures whose class has the highest score."""
        return float(np.mean(self.predicted == self.labels))

    @property
    def top_5(self) -> float | None:
        """Part of the pictures whose class is among the five best; None of five classes or fewer."""
        return float(np.mean(self.ranks < _TOP)) if len(self.class_names) > _TOP else None

    @property
    def cross_entropy(self) -> float:
        """Mean over the pictures, in nats."""
        return float(np.mean(self.cross_entropies))

    def figures(self) -> dict[str, float]:
        """The mean figures by name."""
        figures = {"cross_entropy": self.cross_entropy, "accuracy": self.top_1}
        return figures if self.top_5 is None else {**figures, "top_5": self.top_5}

    def confusion(self) -> IntArray:
        """How many pictures of each class (rows) were taken for each (columns), [K, K]."""
        size = len(self.class_names)
        matrix = np.zeros([size, size], np.int64)
        np.add.at(matrix, (self.labels, self.predicted), 1)
        return matrix

    def by_class(self) -> dict[str, float | None]:
        """The part of each class's pictures that is recognised; None of a class without pictures."""
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
    """Try a network on the middles of pictures.

    Args:
        network: [B, size, size, C] -> scores before the softmax, [B, K].
        views: the pictures; those that can't be read are left out.
        batch_size: pictures at a time.
        indices: which; None for all.
        callback: called with the number of pictures after each batch.

    Raises:
        ValueError: if ``batch_size`` < 1.
        OSError: if none of the pictures can be read.
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
    """Of each row: the highest score's class, how many are above the label's, its cross-entropy."""
    right = np.take_along_axis(scores, np.maximum(labels, 0)[:, None], axis=1)
    highest = scores.max(axis=1, keepdims=True)
    log_sum = highest[:, 0] + np.log(np.exp(scores - highest).sum(axis=1))
    return scores.argmax(axis=1), (scores > right).sum(axis=1), log_sum - right[:, 0]


def scorer(network: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """A classifier as a traced function of pictures, out of training."""
    return tf.function(
        lambda pictures: network(pictures, training=False),
        autograph=False,
        reduce_retracing=True,
    )


def predictions_sheet(
    predictions: Predictions, views: Views, *, columns: int = 8, rows: int = 4
) -> FloatArray:
    """Pictures under which it says what they were taken for (and what they are), wrong ones first.

    Returns:
        [1, H, W, 3] in [0, 1].
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
    """Enlarged by whole numbers or reduced to a cell, with a line below; [H, W, 3]."""
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
    """A confusion matrix: a row for each class, a column for what its pictures were taken for.

    Cells are the darker the larger their part of the row. Up to 50 classes are named along both axes,
    and up to 25 have numbers in their cells.

    Args:
        matrix: counts, [K, K].
        class_names: K.

    Returns:
        [1, H, W, 3] in [0, 1].

    Raises:
        ValueError: if there are not K names for a [K, K] matrix, K >= 1.
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
    draw.text((margin + extent // 2, 4), "taken for", "black", title, anchor="ma")
    _write_upwards(picture, "class", 12, margin + extent // 2 + 20, title)
    return np.asarray(picture, np.float32)[None] / np.float32(255)


def _write_counts(
    draw: ImageDraw.ImageDraw, matrix: IntArray, shares: np.ndarray, margin: int, side: int
) -> None:
    for row, column in np.argwhere(matrix):
        text = str(matrix[row, column])
        # What fits: 40 px hold five figures of 13 px.
        font = ImageFont.load_default(13 if len(text) <= 5 else 9)
        x, y = (margin + place * side + side // 2 for place in (column, row))
        colour = "white" if shares[row, column] > 0.5 else "black"
        draw.text((x, y), text, colour, font, anchor="mm")


def _write_upwards(picture: Image.Image, text: str, centre: int, bottom: int, font: Any) -> None:
    """A line that reads from below to above."""
    left, top, right, below = font.getbbox(text)
    line = Image.new("RGB", (round(right - left) + 2, round(below - top) + 2), "white")
    ImageDraw.Draw(line).text((1 - left, 1 - top), text, "black", font)
    turned = line.transpose(Image.Transpose.ROTATE_90)
    picture.paste(turned, (centre - turned.width // 2, bottom - turned.height))


def _short(name: str) -> str:
    return name if len(name) <= _MAX_CHARACTERS else f"{name[: _MAX_CHARACTERS - 1]}…"
