"""What a picture should match: one configuration for transfer, textures, training and evaluation."""

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from stylezoo import errors, images, objectives, perceptual
from stylezoo.objectives.scalings import SCALINGS, STYLE_LOSSES
from stylezoo.perceptual.configuration import Perceptual

if TYPE_CHECKING:
    import tensorflow as tf

    from stylezoo.images import Image
    from stylezoo.objectives.total_loss import TotalLoss

# The layers that papers take, of VGG and of AlexNet.
_CONTENT = (("relu4_2",), ("relu3",))  # Gatys et al. 2016
_STYLE = (  # Gatys et al. 2016
    ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    ("relu1", "relu2", "relu3", "relu4", "relu5"),
)
_TEXTURE = (  # Gatys et al. 2015, whose conv1_1 is after the ReLU
    ("relu1_1", "pool1", "pool2", "pool3", "pool4"),
    ("relu1", "pool1", "pool2", "relu3", "relu4"),
)
# Those of Li & Wand 2016, and the layer before, which holds colours and leaves no noise.
_PATCHES = (("relu2_1", "relu3_1", "relu4_1"), ("relu1", "relu2", "relu3"))
_NEIGHBORS = (("relu1_2", "relu2_2", "relu3_3", "relu4_3"), ("relu1", "relu2", "relu3"))

_HISTOGRAMS = (("relu1_1", "relu4_1"), ("relu1", "relu4"))  # Risser et al. 2017

# Number of steps after which histograms are matched anew, where no parts are.
_HISTOGRAM_STEPS = 10

# target_step_scale and target_step_rotation of CNNMRF's code; the paper's 5 % and 7.5 degrees.
_SCALE_STEP = 1.05
_ROTATION_STEP = 7.5


@dataclasses.dataclass(frozen=True)
class PatchConfig:
    """How the neural patches of a picture are matched with those of a style (Li & Wand 2016).

    Attributes:
        patch_size: Side of a patch, in features; an odd number.
        patch_stride: Distance from one patch to the next, in features.
        patch_scales: Number of steps of 5 % by which the style is enlarged, and reduced, for more patches.
        patch_rotations: Number of steps of 7.5 degrees by which the style is rotated either way, for more
            patches.
        match_every: Number of steps after which the nearest patches are looked for anew.
        match_memory: Memory that the search for the nearest patches may take, in MB (10^6 bytes).
        guide_weight: Weight of masks beside features when patches are matched.
    """

    patch_size: int = 3
    patch_stride: int = 2
    patch_scales: int = 0
    patch_rotations: int = 0
    match_every: int = 1
    match_memory: int = 512
    guide_weight: float = 1.0

    def __post_init__(self) -> None:
        for field, least in (
            ("patch_stride", 1),
            ("patch_scales", 0),
            ("patch_rotations", 0),
            ("match_every", 1),
            ("match_memory", 1),
        ):
            value = getattr(self, field)
            if value < least:
                raise ValueError(f"`{field}` must be >= {least}. Received: {field}={value}")
        if self.patch_size < 1 or self.patch_size % 2 == 0:
            raise ValueError(
                f"`patch_size` must be odd, >= 1. Received: patch_size={self.patch_size}"
            )
        if not 0 < self.guide_weight < math.inf:
            raise ValueError(
                f"`guide_weight` must be finite, > 0. Received: guide_weight={self.guide_weight}"
            )

    def variants(self, picture: "tf.Tensor") -> "Iterator[tuple[tf.Tensor, float]]":
        """Yield a style picture at every angle and scale, the picture itself first.

        Args:
            picture: [1, H, W, C].

        Yields:
            The rotated picture, and the longest side that it should be resized to as a multiple of what
            the longest side of ``picture`` is resized to.
        """
        for turns in _steps(self.patch_rotations):
            rotated = images.rotate(picture, turns * _ROTATION_STEP)
            share = max(rotated.shape[1:3]) / max(picture.shape[1:3])
            for steps in _steps(self.patch_scales):
                yield rotated, share * _SCALE_STEP**steps


@dataclasses.dataclass(frozen=True)
class NeighborConfig:
    """How the features of a picture are compared with the style's nearest ones (Kolkin et al. 2022, NNST).

    Attributes:
        hypercolumns: Whether the features of all layers at a place are one vector, or each layer is compared
            by itself.
        right_angles: Whether the style rotated by 90, 180 and 270 degrees is offered too.
        key_grid: Most feature vectors of a style along its longer side. By default all are compared.
        layer_grid: Most feature vectors of a picture and a style along the longer side where each layer is
            compared by itself; those of the picture are drawn anew at each match. By default all of the
            picture are compared.
    """

    hypercolumns: bool = True
    right_angles: bool = True
    key_grid: int | None = None
    layer_grid: int | None = None

    def __post_init__(self) -> None:
        for field in ("key_grid", "layer_grid"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"`{field}` must be >= 1. Received: {field}={value}")

    def variants(self, picture: "tf.Tensor") -> "Iterator[tuple[tf.Tensor, float]]":
        """Yield a style picture at every right angle; see :meth:`PatchConfig.variants`."""
        for quarters in range(4 if self.right_angles else 1):
            yield images.rotate(picture, 90.0 * quarters), 1.0


def _steps(count: int) -> list[int]:
    """Return 0, 1, -1, 2, -2, and so on."""
    return sorted(range(-count, count + 1), key=lambda step: (abs(step), -step))


@dataclasses.dataclass(frozen=True)
class Objective:
    """What a picture should match, whoever makes it: an optimiser of pixels, or a network that is trained.

    Attributes:
        perceptual: The network whose features are compared.
        content_layers: Layers where content is compared; none for a texture. By default that of Gatys et
            al. 2016, relu4_2.
        style_layers: Layers where style is compared. By default those of Gatys et al. 2016, relu1_1 to
            relu5_1; for a texture those of Gatys et al. 2015, conv1_1 and pool1 to pool4; for patches
            relu2_1 and those of Li and Wand 2016, relu3_1 and relu4_1; for neighbors the last of each of
            four blocks.
        style_layer_weights: A number for each of the style layers, in proportion to its share of the style
            loss. By default the shares are equal.
        style_loss: Style loss: gram (Gram matrices), moments (means and deviations), sliced (distributions),
            mrf (patches), or neighbors (single feature vectors).
        scaling: How losses are scaled, which decides what weights mean: relative to the target, which means
            the same for every network and size; or as in a paper or its code: gatys2016-paper,
            gatys2016-code, cnnmrf2016-paper, cnnmrf2016-code, neural-style, johnson2016, dumoulin2017.
        content_weight: Weight of the content loss.
        style_weight: Weight of the style loss.
        histogram_weight: Weight of the loss of histograms at relu1_1 and relu4_1 (Risser et al. 2017), which
            holds the contrast that Gram matrices leave free.
        tv_weight: Weight of the total variation; pictures become smoother with more.
        dream_layer: A layer whose activation is amplified at the same time. By default there is none.
        dream_weight: Weight of the amplification of the dream layer.
        patches: How patches are matched, for the style loss mrf; neighbors takes match_every, match_memory
            and guide_weight of it.
        neighbors: How feature vectors are compared, for the style loss neighbors.

    Raises:
        ValueError: For an unknown layer, style loss or scaling; for a weight that is not finite and >= 0; for
            shares that are not one a layer, or all 0; for a scaling that its source has not got for the
            style loss.
    """

    perceptual: Perceptual = Perceptual()
    content_layers: tuple[str, ...] | None = None
    style_layers: tuple[str, ...] | None = None
    style_layer_weights: tuple[float, ...] | None = None
    style_loss: str = "gram"
    scaling: str = "relative"
    content_weight: float = 1.0
    style_weight: float = 10.0
    histogram_weight: float = 0.0
    tv_weight: float = 0.0
    dream_layer: str | None = None
    dream_weight: float = 1.0
    patches: PatchConfig = PatchConfig()
    neighbors: NeighborConfig = NeighborConfig()

    def __post_init__(self) -> None:
        for field, known in (("style_loss", STYLE_LOSSES), ("scaling", tuple(SCALINGS))):
            value = getattr(self, field)
            if value not in known:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(known)}. Received: {field}={value!r}"
                )
        weights = (
            "content_weight",
            "style_weight",
            "histogram_weight",
            "tv_weight",
            "dream_weight",
        )
        for field in weights:
            if not 0 <= getattr(self, field) < math.inf:
                raise ValueError(
                    f"`{field}` must be finite, >= 0. Received: {field}={getattr(self, field)}"
                )
        for field, taps in (
            ("content_layers", self.content_taps),
            ("style_layers", self.style_taps),
            ("dream_layer", self.dream_taps),
        ):
            with errors.renamed(taps=field):
                perceptual.check_taps(self.perceptual.network, taps, distinct=True)
        self._check_scaling()
        self._check_shares()

    def _check_scaling(self) -> None:
        if self.style_loss not in SCALINGS[self.scaling].style_losses:
            known = [
                name for name, each in SCALINGS.items() if self.style_loss in each.style_losses
            ]
            raise ValueError(
                f"`scaling` must be one of {', '.join(known)} with style_loss={self.style_loss!r}. "
                f"Received: scaling={self.scaling!r}"
            )

    def _check_shares(self) -> None:
        weights = self.style_layer_weights
        if weights is None:
            return
        finite = all(0 <= weight < math.inf for weight in weights)
        if not finite or not sum(weights) or len(weights) != len(self.style_taps):
            raise ValueError(
                "`style_layer_weights` must be finite, >= 0, not all 0, one for each of "
                f"{', '.join(self.style_taps)}. Received: {', '.join(map(str, weights))}"
            )

    @property
    def content_taps(self) -> tuple[str, ...]:
        """``content_layers``, or the usual ones of the architecture."""
        return self._usual(_CONTENT) if self.content_layers is None else self.content_layers

    @property
    def style_taps(self) -> tuple[str, ...]:
        """``style_layers``, or the usual ones of the architecture."""
        if self.style_layers is not None:
            return self.style_layers
        if self.uses_patches:
            return self._usual(_PATCHES)
        if self.style_loss == "neighbors":
            return self._usual(_NEIGHBORS)
        return self._usual(_STYLE if self.content_taps else _TEXTURE)

    def _usual(self, layers: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[str, ...]:
        vgg, alexnet = layers
        return alexnet if "relu3" in perceptual.tap_info(self.perceptual.network) else vgg

    @property
    def histogram_taps(self) -> tuple[str, ...]:
        """The layers whose histograms are compared, if they have a weight."""
        return self._usual(_HISTOGRAMS) if self.histogram_weight else ()

    @property
    def dream_taps(self) -> tuple[str, ...]:
        """``dream_layer``, if there is one."""
        return () if self.dream_layer is None else (self.dream_layer,)

    @property
    def taps(self) -> tuple[str, ...]:
        """All layers that are looked at, each once."""
        looked_at = (self.style_taps, self.histogram_taps, self.content_taps, self.dream_taps)
        return tuple(dict.fromkeys(itertools.chain(*looked_at)))

    @property
    def shares(self) -> tuple[float, ...]:
        """The style layers' shares of the style loss, which add up to 1."""
        weights = self.style_layer_weights or (1.0,) * len(self.style_taps)
        return tuple(weight / sum(weights) for weight in weights)

    @property
    def uses_patches(self) -> bool:
        """Whether the style loss is that of patches."""
        return self.style_loss == "mrf"

    @property
    def matches(self) -> bool:
        """Whether the style loss matches parts of the picture with parts of the style."""
        return self.style_loss in ("mrf", "neighbors")

    @property
    def match_every(self) -> int | None:
        """The number of steps after which parts or histograms are matched anew; None without a match."""
        if self.matches:
            return self.patches.match_every
        return _HISTOGRAM_STEPS if self.histogram_weight else None

    @property
    def minimum_size(self) -> int:
        """The shortest side that a picture may have, px, so that every layer has what it needs."""
        infos = perceptual.tap_info(self.perceptual.network)
        return max(infos[tap].side(features) for taps, features in self._needs for tap in taps)

    @property
    def _needs(self) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Layers, and how many features they need either way."""
        return (self.taps, 1), (
            self.style_taps,
            self.patches.patch_size if self.uses_patches else 1,
        )

    def check_image_size(self, height: int, width: int) -> None:
        """Raise a ValueError that names the layer for which an image of this size, px, is too small."""
        for taps, features in self._needs:
            perceptual.check_image_size(
                height,
                width,
                architecture=self.perceptual.network,
                taps=taps,
                features=features,
            )

    def check_texture(self) -> None:
        """Raise a ValueError if there are content layers: a texture has no photograph."""
        if self.content_taps:
            raise ValueError(
                "`content_layers` must be none for a texture. "
                f"Received: {', '.join(self.content_taps)}"
            )

    def without_content(self) -> "Objective":
        """Return what is left of the objective for a texture, with the same style layers."""
        texture = dataclasses.replace(self, content_layers=())
        if texture.style_taps == self.style_taps:
            return texture
        return dataclasses.replace(texture, style_layers=self.style_taps)

    def resolved(self) -> "Objective":
        """Return the same objective with the usual layers written out."""
        return dataclasses.replace(
            self, content_layers=self.content_taps, style_layers=self.style_taps
        )

    def variants(self, style: "tf.Tensor") -> "list[tuple[tf.Tensor, float]]":
        """Return the pictures that stand for a style picture; see :meth:`PatchConfig.variants`."""
        if not self.matches:
            return [(style, 1.0)]
        return list((self.patches if self.uses_patches else self.neighbors).variants(style))

    def build(
        self,
        *,
        pictures: "Sequence[Image]" = (),
        regions: Mapping[str, float] | None = None,
        temporal_weight: float | None = None,
        tile: int | None = None,
        seed: int = 0,
    ) -> "TotalLoss":
        """Return the loss: the terms ``content``, ``style``, ``histogram``, ``tv``, ``dream``, if there.

        Args:
            pictures: The content and style pictures, each [1, H, W, 3] in [0, 1], that the scalings of Gatys
                et al. 2016 take mean activations of; the others need none.
            regions: Names and weights of style terms that take the place of ``style``, one a region.
            temporal_weight: Weight of a term ``temporal``, whose target
                :func:`~stylezoo.losses.temporal_target` gives; None for no such term.
            tile: Side of the tiles, px, in which larger pictures are evaluated; None for whole pictures.
            seed: Seed of the directions of the style loss sliced.

        Raises:
            ValueError: If there are no ``pictures`` where they are needed, or the style loss needs all
                positions at once and ``tile`` is given.
            WeightsError: If the network's weights can't be had.
        """
        return objectives.build_loss(
            self,
            pictures=pictures,
            regions=regions,
            temporal_weight=temporal_weight,
            tile=tile,
            seed=seed,
        )
