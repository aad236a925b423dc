"""The configurations of painters' trainings; no TensorFlow, since flags are made from them."""

import dataclasses
import math
import pathlib
from typing import TYPE_CHECKING, Any

from stylezoo import errors, images, perceptual
from stylezoo.generators.configs import (
    IDENTITY,
    PHOTOGRAPHS,
    TEXTURES,
    ArbitraryConfig,
    GeneratorConfig,
    SuperResolutionConfig,
    TextureNetworkConfig,
)
from stylezoo.objectives.named import OBJECTIVES
from stylezoo.objectives.objective import Objective
from stylezoo.perceptual.configuration import Perceptual
from stylezoo.training.content_config import ContentConfig

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class StyleTraining:
    """Everything that decides the training of a style network but its loop.

    Attributes:
        generator: Architecture of the network; its ``num_styles`` is the number of styles, or 0 for a
            network of one style.
        styles: Paintings whose styles are learned; the names of the files are those of the styles. For a
            generator of any style a folder of paintings or a TensorFlow Datasets name; up to four of
            them are set apart.
        content: Photographs to train on.
        objective: What painted photographs should match.
        style_size: Longest side of the paintings, in pixels, or the side of the squares that a generator
            of any style sees; strokes become larger with more.
        identity_weight: Weight of the identity, one more row of scales and shifts of a conditional network,
            which learns to paint the photograph itself, for ``strength``; 0 for none. Its loss is the
            mean squared difference of pixels, normalised channel by channel.
        grid_weight: Weight of patterns that repeat every 2, 4 or 8 px in step with the network's grid,
            which networks paint into flat parts; 0 allows them.
        temporal_weight: Weight of the temporal loss, which makes a painter of clips flicker less: the
            difference between the painting of a photograph that moved a little and the painting of the
            photograph, moved alike. It needs no clips; 0 for none.
        init_weights: Painter to start from, a name or a file, of the same family; it may have fewer
            blocks and styles. By default weights are random.
        finetune_style: Conditional painter that the styles are added to, a name or a file; only the new
            scales and shifts are trained.

    Raises:
        ValueError: If the network doesn't paint photographs, there is no style, two have one name, there
            are several with the style loss of patches, pictures are too small for the layers, or there
            is no place for the identity.
    """

    generator: GeneratorConfig
    styles: tuple[str, ...]
    content: ContentConfig
    objective: Objective = OBJECTIVES["relative"]
    style_size: int = 256
    identity_weight: float = 0.0
    grid_weight: float = 0.0
    temporal_weight: float = 0.0
    init_weights: str | None = None
    finetune_style: str | None = None

    def __post_init__(self) -> None:
        if self.generator.paints != PHOTOGRAPHS:
            raise ValueError(
                "`generator` must paint photographs. "
                f"Received: one of the type {type(self.generator).__name__}"
            )
        if self.style_size < 1:
            raise ValueError(f"`style_size` must be >= 1. Received: style_size={self.style_size}")
        _check_weights(self, "identity_weight", "grid_weight", "temporal_weight")
        if self.identity_weight and (self.finetune_style or not self.generator.num_styles):
            raise ValueError(
                "`identity_weight` must be 0 with `finetune_style` and for networks of one style. "
                f"Received: identity_weight={self.identity_weight}"
            )
        if not self.styles or len(set(self.style_names)) < len(self.styles):
            raise ValueError(
                "`styles` must be pictures of different names. "
                f"Received: {', '.join(self.styles) or 'none'}"
            )
        if self.objective.matches and len(self.styles) > 1:
            raise ValueError(
                "`styles` must be one picture with the style loss of patches or neighbors. "
                f"Received: {', '.join(self.styles)}"
            )
        if isinstance(self.generator, ArbitraryConfig):
            self._check_any_style()
        with errors.renamed(image="image_size"):
            self.objective.check_image_size(*(self.content.image_size,) * 2)

    def _check_any_style(self) -> None:
        if len(self.styles) > 1:
            raise ValueError(
                "`styles` must be one folder of paintings, or a name, for a generator of any style. "
                f"Received: {', '.join(self.styles)}"
            )
        if self.objective.matches:
            raise ValueError(
                "`style_loss` must not be that of patches or neighbors for a generator of any style"
            )
        if self.finetune_style is not None:
            raise ValueError(
                "`finetune_style` must not be given for a generator of any style. "
                f"Received: {self.finetune_style}"
            )
        with errors.renamed(image="style_size"):
            self.objective.check_image_size(self.style_size, self.style_size)

    @property
    def style_names(self) -> tuple[str, ...]:
        """The names of the styles: those of the files, without extensions."""
        return tuple(pathlib.Path(path).stem for path in self.styles)

    @property
    def rows(self) -> tuple[str, ...]:
        """The names of the network's rows of scales and shifts: the styles and the identity."""
        if isinstance(self.generator, ArbitraryConfig):
            return ()
        return self.style_names + ((IDENTITY,) if self.identity_weight else ())

    def describe(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""
        resolved = dataclasses.replace(self, objective=self.objective.resolved())
        return {"task": "style", **dataclasses.asdict(resolved)}


@dataclasses.dataclass(frozen=True)
class TextureTraining:
    """Everything that decides the training of a texture network but its loop.

    Attributes:
        generator: Architecture of the network; its ``grey`` follows from the source.
        source: Picture whose texture is learned; the name of the file is that of the texture.
        objective: What painted textures should match; it has no content layers.
        image_size: Side of the textures that are painted in training, in pixels.
        source_size: Longest side that the source is resized to, in pixels; by default it keeps its size.
        init_weights: Painter to start from, a name or a file; its architecture must be the same. By
            default weights are random.

    Raises:
        ValueError: If the network or the objective needs photographs, or a size is too small.
    """

    generator: TextureNetworkConfig
    source: str
    objective: Objective = OBJECTIVES["texture"]
    image_size: int = 256
    source_size: int | None = None
    init_weights: str | None = None

    def __post_init__(self) -> None:
        if self.generator.paints != TEXTURES:
            raise ValueError(
                "`generator` must paint textures. Received: one that paints photographs"
            )
        if self.source_size is not None and self.source_size < 1:
            raise ValueError(
                f"`source_size` must be >= 1. Received: source_size={self.source_size}"
            )
        self.objective.check_texture()
        with errors.renamed(image="image_size"):
            self.objective.check_image_size(self.image_size, self.image_size)

    def read_source(self) -> "tf.Tensor":
        """Return the texture that is learned, [1, H, W, 3] in [0, 1].

        Raises:
            OSError, ValueError: If it can't be read, or is too small.
        """
        source = images.read_image(self.source)
        if self.source_size is not None:
            source = images.resize_longest_side(source, self.source_size)
        with errors.renamed(image="source"):
            self.objective.check_image_size(*source.shape[1:3])
        return source

    def describe(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""
        resolved = dataclasses.replace(self, objective=self.objective.resolved())
        return {"task": "texture", **dataclasses.asdict(resolved)}


@dataclasses.dataclass(frozen=True)
class SuperresTraining:
    """Everything that decides the training of a super-resolution network but its loop.

    Attributes:
        generator: Architecture of the network.
        content: Photographs to train on. ``image_size`` is the side of the large pictures, a multiple of
            the network's factor; 288 px in the paper.
        perceptual: Network whose features are compared.
        content_layers: Layers where features are compared; the paper has relu2_2 alone.
        pixel_weight: Weight of the difference of pixels, relative as that of features, which the paper has
            not; it keeps colours and smooth parts as they are.
        tv_weight: Weight of the total variation.
        init_weights: Painter to start from, a name or a file; its architecture must be the same. By
            default weights are random.

    Raises:
        ValueError: If a layer is unknown, a weight out of its range, or the size no multiple of the factor
            or too small for the layers.
    """

    generator: SuperResolutionConfig
    content: ContentConfig
    perceptual: Perceptual = Perceptual()
    content_layers: tuple[str, ...] = ("relu2_2",)
    pixel_weight: float = 0.0
    tv_weight: float = 0.0
    init_weights: str | None = None

    def __post_init__(self) -> None:
        _check_weights(self, "pixel_weight", "tv_weight")
        with errors.renamed(taps="content_layers"):
            perceptual.check_taps(self.perceptual.network, self.content_layers, distinct=True)
        if self.content.image_size % self.generator.factor:
            raise ValueError(
                f"`image_size` must be a multiple of {self.generator.factor}. "
                f"Received: image_size={self.content.image_size}"
            )
        side, network = self.content.image_size, self.perceptual.network
        with errors.renamed(image="image_size"):
            perceptual.check_image_size(side, side, architecture=network, taps=self.content_layers)

    def describe(self) -> dict[str, Any]:
        """Return the configuration as JSON can hold it."""
        return {"task": "superres", **dataclasses.asdict(self)}


def _check_weights(config: StyleTraining | SuperresTraining, *fields: str) -> None:
    """Raise a ValueError unless the weights in some fields are possible."""
    for field in fields:
        value = getattr(config, field)
        if not 0 <= value < math.inf:
            raise ValueError(f"`{field}` must be finite, >= 0. Received: {field}={value}")
