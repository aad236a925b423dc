"""How steady a painted clip is, and how good its frames are."""

import collections
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from stylezoo import images, video
from stylezoo.evaluation.scores import style_reference
from stylezoo.images import FloatArray, Image
from stylezoo.objectives import Objective, Reference, Targets, TotalLoss

SHORT = 1
"""Temporal errors over a short time compare a frame with the one before."""

LONG = 5
"""Temporal errors over a long time compare a frame with this many frames before."""


def temporal_error(picture: FloatArray, earlier: FloatArray, motion: video.Motion) -> float:
    """Return the root mean square difference of a picture and an earlier one, warped to it.

    The mean is over the pixels where the flow can be relied on, as in Ruder et al. 2018.

    Args:
        picture: [1, H, W, 3] in [0, 1].
        earlier: [1, H, W, 3] in [0, 1].
        motion: How the first follows from the second.

    Returns:
        The error, in [0, 1]; NaN if the flow can be relied on nowhere.
    """
    squares = np.square(picture - video.remap(earlier, motion.flow)).mean(-1, keepdims=True)
    visible = float(motion.weights.sum())
    return float(np.sqrt((motion.weights * squares).sum() / visible)) if visible else float("nan")


@dataclasses.dataclass(frozen=True)
class FrameFigures:
    """What was measured of one frame; NaN where there is no earlier frame of its scene.

    Attributes:
        short: Temporal error to the frame before.
        long: Temporal error to the frame ``LONG`` = 5 before.
        clip_short: The same of the unpainted clip: what brightness and imperfect flow make of it.
        clip_long: The same.
        brightness: Mean luma of the painting.
        sharpness: Mean absolute difference of the luma of neighbouring pixels.
        losses: Content and style loss, weights included; empty without a style.
    """

    short: float
    long: float
    clip_short: float
    clip_long: float
    brightness: float
    sharpness: float
    losses: Mapping[str, float] = dataclasses.field(default_factory=dict)


class FrameLosses:
    """Content and style loss of painted frames.

    Args:
        objective: What frames should match.
        style: [1, H, W, 3] in [0, 1].
        style_size: The longest side that it is resized to, px.

    Raises:
        ValueError: If the picture is too small for the objective's layers.
        WeightsError: If the network's weights can't be had.
    """

    def __init__(self, objective: Objective, style: Image, *, style_size: int) -> None:
        reference = style_reference(objective, "style", style, style_size)
        self._loss = objective.build(pictures=reference.images)
        terms = {
            role: TotalLoss(
                [term for term in self._loss.terms if term.reference == role], self._loss.network
            )
            for role in ("content", "style")
        }
        self._fixed: Targets = {
            term.name: {} for term in self._loss.terms if term.reference is None
        }
        self._fixed |= terms["style"].targets({"style": reference})
        self._content = terms["content"]
        self._losses = tf.function(self._loss, autograph=False)

    def __call__(self, source: FloatArray, painted: FloatArray) -> dict[str, float]:
        """Return the losses of a frame by the names of the terms, and their ``total``."""
        content = self._content.targets({"content": Reference([tf.convert_to_tensor(source)])})
        total, shares = self._losses(tf.convert_to_tensor(painted), self._fixed | content)
        return {**{name: float(value) for name, value in shares.items()}, "total": float(total)}


def frame_figures(
    frames: Iterable[tuple[FloatArray, FloatArray]], *, losses: FrameLosses | None = None
) -> Iterator[FrameFigures]:
    """Measure the frames of a painted clip, one after the other.

    Args:
        frames: Each frame of the clip and its painting, [1, H, W, 3] in [0, 1] each, of one size.
        losses: What measures content and style, if that is wanted.

    Yields:
        The figures of each.
    """
    past: collections.deque[tuple[FloatArray, FloatArray]] = collections.deque(maxlen=LONG)
    for source, painted in frames:
        motions = {}
        if past:
            motions[SHORT] = video.motion(past[-SHORT][0], source)
            if motions[SHORT].is_cut:
                motions.clear()
                past.clear()
        if len(past) == LONG:
            motions[LONG] = video.motion(past[-LONG][0], source)
        errors = {
            (part, distance): temporal_error(picture, past[-distance][part], motion)
            for distance, motion in motions.items()
            for part, picture in enumerate((source, painted))
        }
        luma = images.luma(painted)[0, ..., 0]
        yield FrameFigures(
            short=errors.get((1, SHORT), np.nan),
            long=errors.get((1, LONG), np.nan),
            clip_short=errors.get((0, SHORT), np.nan),
            clip_long=errors.get((0, LONG), np.nan),
            brightness=float(luma.mean()),
            sharpness=_sharpness(luma),
            losses=losses(source, painted) if losses else {},
        )
        past.append((source, painted))


def _sharpness(luma: np.ndarray) -> float:
    changes = [np.abs(np.diff(luma, axis=axis)) for axis in (0, 1)]
    return float(np.mean([change.mean() for change in changes if change.size] or [0.0]))


def mean_figure(figures: Sequence[FrameFigures], field: str) -> float:
    """Return the mean of a figure over the frames that have it; NaN if none has."""
    values = [value for each in figures if np.isfinite(value := getattr(each, field))]
    return float(np.mean(values)) if values else float("nan")


def temporal_table(figures: Sequence[FrameFigures]) -> str:
    """Return the means over a clip as a Markdown table, with the first and last second of drifts."""
    rows = [
        "| | painted | clip | ratio |",
        "|---|---|---|---|",
    ]
    for title, field in ((f"temporal error, {SHORT} frame", "short"), (f"{LONG} frames", "long")):
        painted, clip = mean_figure(figures, field), mean_figure(figures, f"clip_{field}")
        ratio = painted / clip if clip else float("inf")
        rows.append(f"| {title} | {painted:.4f} | {clip:.4f} | {ratio:.2f} |")
    rows += ["", "| | all frames | first 10 | last 10 |", "|---|---|---|---|"]
    spans = (figures, figures[:10], figures[-10:])
    for field in ("brightness", "sharpness"):
        rows.append(_row(field, [mean_figure(span, field) for span in spans]))
    for name in figures[0].losses:
        means = [float(np.mean([each.losses[name] for each in span])) for span in spans]
        rows.append(_row(f"{name} loss" if name == "total" else name, means))
    return "\n".join(rows)


def _row(title: str, values: Sequence[float]) -> str:
    return f"| {title} | {' | '.join(f'{value:.4f}' for value in values)} |"
