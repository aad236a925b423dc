"""One perceptual network, many terms, every tap computed once."""

import dataclasses
from collections.abc import Mapping, Sequence

import keras
import tensorflow as tf

from stylezoo.images import Image
from stylezoo.losses import IMAGE, Features, LossTerm, Target
from stylezoo.losses.base import Statistics, mask_key

Targets = dict[str, Target]
"""The target of each term of a loss, by the name of the term."""


@dataclasses.dataclass(frozen=True)
class Reference:
    """The pictures that play a role.

    Attributes:
        images: The pictures, each [1, H, W, 3] in [0, 1], of any sizes.
        weights: How much each picture counts, >= 0; by default all count the same.
        mask: Where in the result the role applies (K = 1), or K regions that guide it: [1, H, W, K] in
            [0, 1], of any size.
        image_masks: Which part of each picture plays the role (K = 1), or its K regions: for each picture
            [1, H, W, K] in [0, 1], of any size.
    """

    images: Sequence[Image]
    weights: Sequence[float] | None = None
    mask: Image | None = None
    image_masks: Sequence[Image] | None = None


class TotalLoss:
    """The weighted sum of loss terms over the features of one network.

    Args:
        terms: The terms; their names are different.
        network: The network that gives the taps of all terms; None if the terms look at pixels only.

    Raises:
        ValueError: If two terms have one name, or the network lacks a tap.
    """

    def __init__(self, terms: Sequence[LossTerm], network: keras.Model | None) -> None:
        names = [term.name for term in terms]
        if len(set(names)) < len(names):
            raise ValueError(f"`terms` must have different names. Received: {', '.join(names)}")
        self.terms = tuple(terms)
        self.network = network
        missing = {tap for term in terms for tap in term.taps} - {IMAGE}
        missing -= set(network.output if network else ())
        if missing:
            raise ValueError(f"`network` must have the taps {', '.join(sorted(missing))}")
        self._match = tf.function(self._match_terms, autograph=False)

    def features(self, image: Image) -> Features:
        """Return the features of all taps, and the image itself, for an image [B, H, W, 3] in [0, 1]."""
        features = self.network(image) if self.network else {}
        return {IMAGE: tf.convert_to_tensor(image), **features}

    def targets(
        self, references: Mapping[str, Reference], *, image_size: tuple[int, int] | None = None
    ) -> Targets:
        """Return the targets of all terms.

        Args:
            references: The references by role. Every term with a ``reference`` needs its own.
            image_size: Height and width of the picture that will be compared, px; needed with masks.

        Raises:
            ValueError: If a role is missing, weights don't fit, or a term can't be masked.
        """
        return {term.name: self._target(term, references, image_size) for term in self.terms}

    def _target(
        self,
        term: LossTerm,
        references: Mapping[str, Reference],
        image_size: tuple[int, int] | None,
    ) -> Target:
        if term.reference is None:
            return {}
        if term.reference not in references:
            raise ValueError(
                f"`references` must have the role {term.reference!r}. "
                f"Received: {', '.join(references)}"
            )
        reference = references[term.reference]
        each = self._targets_of(term, reference.images, self._image_masks(term, reference))
        target = term.combine(each, reference.weights or [1.0] * len(each))
        if reference.mask is not None:
            if image_size is None:
                raise ValueError("`image_size` must be given with a mask. Received: None")
            target |= self._masks(term, reference.mask, image_size)
        return target

    def _targets_of(
        self, term: LossTerm, images: Sequence[Image], masks: Sequence[Target]
    ) -> list[Target]:
        """Return the targets of pictures with their masks, one a picture."""
        if not images:
            return []
        # A graph does not compute what the term does not look at, and keeps no features for long.
        target = tf.function(
            lambda image, masks: term.target(self.features(image) | masks),
            input_signature=[
                tf.TensorSpec([None, None, None, 3]),
                {
                    key: tf.TensorSpec([1, None, None, mask.shape[-1]])
                    for key, mask in masks[0].items()
                },
            ],
            autograph=False,
        )
        return [target(image, mask) for image, mask in zip(images, masks, strict=True)]

    def _image_masks(self, term: LossTerm, reference: Reference) -> list[Target]:
        if reference.image_masks is None:
            return [{} for _ in reference.images]
        return [
            self._masks(term, mask, image.shape[1:3])
            for image, mask in zip(reference.images, reference.image_masks, strict=True)
        ]

    def _masks(self, term: LossTerm, mask: Image, image_size: tuple[int, int]) -> Target:
        """Return the mask at the resolution of each of a term's taps."""
        if not term.takes_masks or IMAGE in term.taps:
            raise ValueError(f"`mask` must not be set for the term {term.name} (it takes none)")
        assert self.network is not None  # the term has taps
        shapes = self.network.compute_output_shape((1, *image_size, 3))
        return {
            mask_key(tap): tf.image.resize(mask, shapes[tap][1:3], method="area")
            for tap in term.taps
        }

    @property
    def matches(self) -> bool:
        """Whether any term has targets that are to be matched; see :meth:`match`."""
        return any(term.matches for term in self.terms)

    def match(self, image: tf.Tensor, targets: Targets) -> Targets:
        """Return the targets as terms match them to a picture; see :meth:`LossTerm.match`.

        They serve for this picture and for others, until they are matched anew.
        """
        return self._match(image, targets)

    def _match_terms(self, image: tf.Tensor, targets: Targets) -> Targets:
        return self._matched(self.features(image), targets)

    def _matched(self, features: Features, targets: Targets) -> Targets:
        return {term.name: term.match(features, targets[term.name]) for term in self.terms}

    def compare(
        self, statistics: Mapping[str, Statistics], targets: Targets
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return what :meth:`__call__` returns, from the terms' statistics of a whole picture."""
        shares = {
            term.name: term.weight * term.compare(statistics[term.name], targets[term.name])
            for term in self.terms
        }
        return tf.add_n(list(shares.values())), shares

    def __call__(
        self, image: tf.Tensor, targets: Targets
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the loss of an image [B, H, W, 3] in [0, 1].

        Returns:
            The total, a float32 scalar, and each term's share of it (weight included) by name.
        """
        features = self.features(image)
        targets = self._matched(features, targets)
        return self.compare(
            {term.name: term.represent(features, targets[term.name]) for term in self.terms},
            targets,
        )
