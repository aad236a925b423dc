"""Scores of paintings by an objective and by LPIPS."""

import copy
import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from stylezoo import errors, ops
from stylezoo.evaluation.lpips import Lpips
from stylezoo.images import Image
from stylezoo.objectives import Objective, Reference, StyleReferences, Targets, TotalLoss

LPIPS_ARCHITECTURES = ("alexnet_owt", "vgg16")
"""The networks that LPIPS is measured with."""


@dataclasses.dataclass(frozen=True)
class Scores:
    """The scores of one painting, or the means of several; less is better.

    Attributes:
        content: The content loss, its weight included.
        style: The style loss, its weight included.
        tv: The total variation, the mean of squared differences of neighbours without a weight, whether
            or not the objective has such a term; see :func:`stylezoo.ops.total_variation`.
        total: The loss of the objective.
        lpips: The distance from the photograph, by architecture; see :class:`Lpips`.
    """

    content: float
    style: float
    tv: float
    total: float
    lpips: Mapping[str, float]


def mean_scores(scores: Sequence[Scores]) -> Scores:
    """Return the mean of each figure over one or more paintings."""

    def mean(field: str) -> float:
        return float(np.mean([getattr(each, field) for each in scores]))

    return Scores(
        content=mean("content"),
        style=mean("style"),
        tv=mean("tv"),
        total=mean("total"),
        lpips={
            name: float(np.mean([each.lpips[name] for each in scores])) for name in scores[0].lpips
        },
    )


class Judge:
    """Scores paintings of some photographs in some styles by one fixed objective.

    Args:
        objective: What the paintings should match.
        photographs: The photographs by name, each [1, H, W, 3] in [0, 1].
        styles: The style pictures by name, each [1, H, W, 3] in [0, 1], of any sizes.
        style_size: The longest side that style pictures are resized to, px; None to leave them as they are.
        lpips: The architectures of :class:`Lpips`.

    Attributes:
        objective: What the paintings should match.
        loss: The loss of the objective.
        photographs: The photographs by name.
        styles: The names of the styles.

    Raises:
        ValueError: If a picture is too small for the layers of the objective or of LPIPS; the message
            names it.
        WeightsError: If a network's weights can't be had.
    """

    def __init__(
        self,
        objective: Objective,
        *,
        photographs: Mapping[str, Image],
        styles: Mapping[str, Image],
        style_size: int | None = None,
        lpips: Sequence[str] = LPIPS_ARCHITECTURES,
    ) -> None:
        references = {
            name: style_reference(objective, name, style, style_size or max(style.shape[1:3]))
            for name, style in styles.items()
        }
        pictures = [picture for reference in references.values() for picture in reference.images]
        self.objective = objective
        self.loss = objective.build(pictures=[*photographs.values(), *pictures])
        self.styles = tuple(styles)
        self._style = {
            name: self._targets({"style": reference}) for name, reference in references.items()
        }
        self._losses = tf.function(self.loss, autograph=False)
        self._checks = [objective.check_image_size]
        self._lpips = {}
        for distance in map(Lpips, lpips):
            self._checks.append(distance.check_image_size)
            self._lpips[distance.architecture] = tf.function(distance, autograph=False)
        self._look_at(photographs)

    def of(self, photographs: Mapping[str, Image]) -> "Judge":
        """Return a judge by the same networks and loss of paintings of other photographs.

        Raises:
            ValueError: As for the class.
        """
        other = copy.copy(self)
        other._look_at(photographs)
        return other

    def _look_at(self, photographs: Mapping[str, Image]) -> None:
        for name, image in photographs.items():
            with errors.renamed(image=name):
                for check in self._checks:
                    check(*image.shape[1:3])
        self.photographs = dict(photographs)
        self._content = {
            name: self._targets({"content": Reference([photograph])})
            for name, photograph in photographs.items()
        }

    def _targets(self, references: Mapping[str, Reference]) -> Targets:
        """Return the targets of the terms that have these references."""
        terms = [term for term in self.loss.terms if term.reference in references]
        return TotalLoss(terms, self.loss.network).targets(references)

    def targets(self, photograph: str, style: str) -> Targets:
        """Return the targets of :attr:`loss` for a painting of a photograph in a style."""
        without: Targets = {term.name: {} for term in self.loss.terms if term.reference is None}
        return without | self._content[photograph] | self._style[style]

    def losses(self, picture: Image, *, photograph: str, style: str) -> dict[str, float]:
        """Return the loss of a picture: ``total`` and each term's share of it.

        Args:
            picture: The picture, [1, H, W, 3] in [0, 1], as large as the photograph.
            photograph: The name of the photograph that is painted.
            style: The name of the style that it is painted in.

        Raises:
            FloatingPointError: If a value is not finite.
        """
        losses = self._values(picture, photograph, style)
        _check_finite(losses, photograph, style)
        return losses

    def _values(self, picture: Image, photograph: str, style: str) -> dict[str, float]:
        total, shares = self._losses(tf.convert_to_tensor(picture), self.targets(photograph, style))
        return {"total": float(total), **{name: float(value) for name, value in shares.items()}}

    def scores(self, picture: Image, *, photograph: str, style: str) -> Scores:
        """Return the scores of a picture.

        Args:
            picture: The picture, [1, H, W, 3] in [0, 1], as large as the photograph.
            photograph: The name of the photograph that is painted.
            style: The name of the style that it is painted in.

        Raises:
            ValueError: If the picture has not the size of the photograph.
            FloatingPointError: If a loss or a distance is not finite.
        """
        original = self.photographs[photograph]
        if tuple(picture.shape) != tuple(original.shape):
            raise ValueError(
                f"`picture` must have the photograph's shape, {tuple(original.shape)}. "
                f"Received: shape={tuple(picture.shape)}"
            )
        losses = self._values(picture, photograph, style)
        tv = float(ops.total_variation(picture)[0])
        lpips = {
            name: float(distance(picture, original)[0]) for name, distance in self._lpips.items()
        }
        _check_finite({**losses, "tv": tv, **lpips}, photograph, style)
        return Scores(losses.get("content", 0.0), losses["style"], tv, losses["total"], lpips)


def style_reference(objective: Objective, name: str, style: Image, longest_side: int) -> Reference:
    """Return a style picture as the objective looks at it."""
    references = StyleReferences(objective, [style])
    with errors.renamed(style=name):
        references.check_size(longest_side)
    return references.at(longest_side)["style"]


def _check_finite(values: Mapping[str, float], photograph: str, style: str) -> None:
    wrong = [name for name, value in values.items() if not np.isfinite(value)]
    if wrong:
        raise FloatingPointError(
            f"The loss of {photograph} in {style} is not finite: {', '.join(wrong)}"
        )
