"""Configurations of syntheses, which decide everything but the pictures, and their presets."""

import dataclasses
import math

from stylezoo import errors, images, perceptual
from stylezoo.objectives.named import OBJECTIVES
from stylezoo.objectives.objective import Objective, PatchConfig
from stylezoo.perceptual.configuration import Perceptual
from stylezoo.synthesis.optimizers import LBFGS, Adam, OptimizerConfig

Size = tuple[int, int]

PRESERVE_COLOR = ("none", "luminance", "linear", "histogram")
"""The ways to keep the colours of the content."""

# What an optimiser changes: the pixels, or the levels of a Laplacian pyramid.
PARAMETRIZATIONS = ("pixels", "pyramid")
INITS = ("content", "noise", "style")
"""What a transfer may start from."""

# Pairs of L-BFGS in a tiled run: each is twice the picture's size, 160 MB at 3000 px.
_TILED_MEMORY = 5
_BASE_TV_WEIGHT = 0.1  # chosen by looking: the paper's λ is in units of its images' mean norm


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How large the picture is at first, and for how many steps each size is optimised.

    Attributes:
        smallest: Longest side of the first of the sizes, px. Each size is about twice the one before, as near
            as whole numbers of sizes allow. Without it there is one size, the final one.
        initial_steps: Number of steps at the first size.
        steps: Number of steps at the last size, where it is not the first.
        middle_steps: Number of steps at the sizes between; None for as many as at the last.
    """

    smallest: int | None
    initial_steps: int
    steps: int
    middle_steps: int | None = None

    def __post_init__(self) -> None:
        if self.smallest is not None and self.smallest < 1:
            raise ValueError(f"`smallest` must be >= 1. Received: smallest={self.smallest}")
        fewest = min(self.initial_steps, self.steps, self.middle_steps or 0)
        if fewest < 0:
            raise ValueError(f"`steps` must be >= 0. Received: steps={fewest}")

    def levels(self, height: int, width: int, *, minimum: int = 1) -> list[tuple[Size, int]]:
        """Return (height, width) and steps of every level; no side is smaller than ``minimum``."""
        longest = max(height, width)
        smallest = self.smallest or longest
        smallest = max(smallest, math.ceil(minimum * longest / min(height, width)))
        doublings = max(round(math.log2(longest / smallest)), 0) if smallest < longest else 0
        sizes = []
        for level in range(doublings + 1):
            ratio = (smallest / longest) ** (1 - level / doublings) if doublings else 1.0
            sizes.append((max(round(height * ratio), 1), max(round(width * ratio), 1)))
        middle = self.steps if self.middle_steps is None else self.middle_steps
        steps = [self.initial_steps, *[middle] * (doublings - 1), *[self.steps] * bool(doublings)]
        return list(zip(sizes, steps, strict=True))


@dataclasses.dataclass(frozen=True)
class OptimizationConfig:
    """How a loss is minimised over a picture.

    Attributes:
        optimizer: Optimiser of the picture.
        tolerance: A size ends early when its loss changes by less than this fraction over 50 steps.
        average_decay: The result is the exponential moving average of the pictures with this decay, started
            without bias as Adam's moments are; the last picture for 0.
        match_every: Number of steps after which the targets are matched to the picture anew; see
            :meth:`~stylezoo.objectives.TotalLoss.match`. None for a loss without matching.

    Raises:
        ValueError: If ``tolerance`` is negative, ``average_decay`` not in [0, 1), or ``match_every`` not
            positive.
    """

    optimizer: OptimizerConfig = LBFGS()
    tolerance: float = 0.0
    average_decay: float = 0.0
    match_every: int | None = None

    def __post_init__(self) -> None:
        if not self.tolerance >= 0:
            raise ValueError(f"`tolerance` must be >= 0. Received: tolerance={self.tolerance}")
        if not 0 <= self.average_decay < 1:
            raise ValueError(f"`average_decay` must be in [0, 1). Received: {self.average_decay}")
        if self.match_every is not None and self.match_every < 1:
            raise ValueError(
                f"`match_every` must be >= 1. Received: match_every={self.match_every}"
            )


@dataclasses.dataclass(frozen=True)
class TransferConfig:
    """Everything that decides a style transfer but its pictures.

    Attributes:
        objective: What the picture should match.
        size: Longest side of the result, px.
        style_scale: Longest side of the style pictures as a multiple of the result's; strokes become larger
            with more.
        preserve_color: What keeps the colours of the content: none; luminance (transfer luminance only);
            linear (give the style pictures the mean and covariance of the content's colours first); or
            histogram (give them its whole distribution of colours). Sources: Gatys et al. 2017,
            "Controlling Perceptual Factors", section 5; for histogram Pitié et al. 2007.
        init: What the picture starts from: content, noise or style.
        optimizer: Optimiser of the pixels.
        schedule: Sizes of the picture, and steps at each.
        content_detail: Add the detail of the content whenever the picture is enlarged, which saves about a
            dozen steps at full size. Without a content weight none is added.
        parametrization: What the optimiser changes: pixels, or the levels of a Laplacian pyramid (pyramid),
            which have no bounds.
        content_share: Share of the content in the picture for which the style's features are chosen, with
            the style loss neighbors. At the first size it is all.
        final_steps: Number of steps at the end in which each layer is compared by itself, with the style
            loss neighbors.
        match_style_colour: Give the result the mean and covariance of the colours of the style pictures at
            the end. With masks it is left out.
        tolerance: A size ends early when its loss changes by less than this fraction over 50 steps.
        average_decay: Decay of the moving average of the pictures that is the result; with 0 the result is
            the last picture.
        tile: Side of the tiles in which larger pictures are evaluated, px, so that memory hardly depends on
            the size. L-BFGS then keeps five pairs at most. By default pictures are evaluated whole.
        seed: Seed of the noise and of random directions.
    """

    objective: Objective = OBJECTIVES["relative"]
    size: int = 512
    style_scale: float = 1.0
    preserve_color: str = "none"
    init: str = "content"
    optimizer: OptimizerConfig = LBFGS(memory=20, exponent=0.5)
    schedule: Schedule = Schedule(smallest=128, initial_steps=60, steps=80, middle_steps=40)
    content_detail: bool = True
    parametrization: str = "pixels"
    content_share: float = 0.75
    final_steps: int = 0
    match_style_colour: bool = False
    tolerance: float = 0.0
    average_decay: float = 0.0
    tile: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for field, known in (
            ("preserve_color", PRESERVE_COLOR),
            ("init", INITS),
            ("parametrization", PARAMETRIZATIONS),
        ):
            value = getattr(self, field)
            if value not in known:
                raise ValueError(
                    f"`{field}` must be one of {', '.join(known)}. Received: {field}={value!r}"
                )
        for field in ("size", "style_scale"):
            if not 0 < getattr(self, field) < math.inf:
                raise ValueError(f"`{field}` must be > 0. Received: {field}={getattr(self, field)}")
        if self.tile is not None and self.tile <= 0:
            raise ValueError(f"`tile` must be > 0. Received: tile={self.tile}")
        if not 0 <= self.content_share <= 1:
            raise ValueError(
                f"`content_share` must be in [0, 1]. Received: content_share={self.content_share}"
            )
        _ = self.optimization  # checks what it is made of
        self._check_style_loss()

    def _check_style_loss(self) -> None:
        style_loss = self.objective.style_loss
        if self.tile is not None and style_loss in ("sliced", "neighbors"):
            raise ValueError(
                f"`tile` must not be set with style_loss={style_loss!r} (needs all positions)"
            )
        if self.final_steps < 0 or (self.final_steps and style_loss != "neighbors"):
            raise ValueError(
                "`final_steps` must be >= 0, and 0 without style_loss='neighbors'. "
                f"Received: final_steps={self.final_steps}"
            )

    def resolved(self) -> "TransferConfig":
        """Return what is in force.

        The usual layers are written out, a tiled run has a short history, and a content that has no weight
        is not looked at.
        """
        optimizer = self.optimizer
        if self.tile is not None and isinstance(optimizer, LBFGS):
            memory = min(optimizer.memory, _TILED_MEMORY)
            optimizer = dataclasses.replace(optimizer, memory=memory)
        objective = self.objective
        if not objective.content_weight:
            objective = objective.without_content()
        return dataclasses.replace(
            self,
            objective=objective.resolved(),
            content_detail=self.content_detail and bool(objective.content_taps),
            optimizer=optimizer,
        )

    @property
    def optimization(self) -> OptimizationConfig:
        """How the loss is minimised at every size."""
        return OptimizationConfig(
            self.optimizer, self.tolerance, self.average_decay, self.objective.match_every
        )


PRESETS = {
    "fast": TransferConfig(),
    "draft": TransferConfig(
        schedule=Schedule(smallest=128, initial_steps=40, steps=8, middle_steps=15)
    ),
    "high": TransferConfig(
        schedule=Schedule(smallest=128, initial_steps=100, steps=250, middle_steps=100)
    ),
    # Coarse to fine after Gatys et al. 2017, section 6: strokes as at 512 px, with the canvas of 4096.
    "print": TransferConfig(
        size=4096,
        schedule=Schedule(smallest=512, initial_steps=200, steps=25, middle_steps=50),
        tile=512,
    ),
    # The paper starts from noise, and does not give the number of steps.
    "gatys2016-paper": TransferConfig(
        OBJECTIVES["gatys2016-paper"],
        init="noise",
        optimizer=LBFGS(memory=20),
        schedule=Schedule(smallest=None, initial_steps=500, steps=500),
    ),
    # github.com/leongatys/PytorchNeuralStyleTransfer: 500 steps at 512 px, then 200 at 800 to 1024.
    "gatys2016-code": TransferConfig(
        OBJECTIVES["gatys2016-code"],
        optimizer=LBFGS(memory=20),
        schedule=Schedule(smallest=512, initial_steps=500, steps=200),
        content_detail=False,
    ),
    "cnnmrf": TransferConfig(
        OBJECTIVES["cnnmrf"],
        size=384,
        schedule=Schedule(smallest=96, initial_steps=50, steps=50),
    ),
    # The paper starts from noise.
    "cnnmrf2016-paper": TransferConfig(
        OBJECTIVES["cnnmrf2016-paper"],
        size=384,
        init="noise",
        optimizer=LBFGS(),
        schedule=Schedule(smallest=64, initial_steps=200, steps=200),
        content_detail=False,
    ),
    # github.com/chuanli11/CNNMRF, run_trans.lua.
    "cnnmrf2016-code": TransferConfig(
        OBJECTIVES["cnnmrf2016-code"],
        size=384,
        optimizer=LBFGS(memory=25),
        schedule=Schedule(smallest=96, initial_steps=100, steps=100),
        content_detail=False,
    ),
    "nnst": TransferConfig(
        OBJECTIVES["nnst"],
        schedule=Schedule(smallest=64, initial_steps=100, steps=40, middle_steps=50),
        content_detail=False,
        final_steps=30,
        match_style_colour=True,
    ),
    # Four sizes, 200 steps each and as many at the end; the rate and the share are those of the code.
    "nnst2022-paper": TransferConfig(
        OBJECTIVES["nnst2022-paper"],
        optimizer=Adam(learning_rate=2e-3, beta_2=0.999),
        schedule=Schedule(smallest=64, initial_steps=200, steps=200),
        content_detail=False,
        parametrization="pyramid",
        final_steps=200,
        match_style_colour=True,
    ),
}
"""Configurations of style transfer by name."""


@dataclasses.dataclass(frozen=True)
class TextureConfig:
    """Everything that decides the synthesis of a texture but its source.

    Attributes:
        objective: What the texture should match; it has no content layers.
        optimizer: Optimiser of the pixels.
        schedule: Sizes of the picture, and steps at each.
        match_histogram: Give the result the histogram of the source in each channel at the end, as the code
            of Gatys et al. 2015 does.
        tolerance: A size ends early when its loss changes by less than this fraction over 50 steps.
        seed: Seed of the noise and of random directions.
    """

    objective: Objective = OBJECTIVES["texture"]
    optimizer: OptimizerConfig = LBFGS(memory=20)
    schedule: Schedule = Schedule(smallest=64, initial_steps=200, steps=200)
    match_histogram: bool = False
    tolerance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        self.objective.check_texture()
        _ = self.optimization  # checks what it is made of

    def resolved(self) -> "TextureConfig":
        """Return the same with the usual layers written out."""
        return dataclasses.replace(self, objective=self.objective.resolved())

    @property
    def optimization(self) -> OptimizationConfig:
        """How the loss is minimised at every size."""
        return OptimizationConfig(
            self.optimizer, self.tolerance, match_every=self.objective.match_every
        )


TEXTURE_PRESETS = {
    "gatys": TextureConfig(),
    "cnnmrf": TextureConfig(
        dataclasses.replace(
            OBJECTIVES["cnnmrf"].without_content(),
            style_weight=1.0,
            tv_weight=0.0,
            patches=PatchConfig(match_every=5),
        ),
        # Without it the noise that the texture starts from stays where no patch of features sees it.
        optimizer=LBFGS(memory=20, exponent=0.5),
        schedule=Schedule(smallest=64, initial_steps=100, steps=100),
    ),
    "cnnmrf2016-paper": TextureConfig(
        OBJECTIVES["cnnmrf2016-paper"].without_content(), optimizer=LBFGS()
    ),
    # github.com/chuanli11/CNNMRF, run_syn.lua: weights of 1e-4, and TV of 1e-3, times 1e4.
    "cnnmrf2016-code": TextureConfig(
        dataclasses.replace(
            OBJECTIVES["cnnmrf2016-code"].without_content(), style_weight=1.0, tv_weight=10.0
        ),
        optimizer=LBFGS(memory=25),
        schedule=Schedule(smallest=96, initial_steps=100, steps=100),
    ),
}
"""Configurations of texture synthesis by name."""


@dataclasses.dataclass(frozen=True)
class InversionConfig:
    """Everything that decides an inversion but its picture.

    Attributes:
        layer: Layer whose features are inverted; scores and log_probabilities are layers too, where the
            weights have a head.
        size: Longest side of the result, px.
        perceptual: The network whose features are inverted.
        tv_weight: Weight of the total variation. By default it grows with the depth of the layer, as in the
            paper: 1, 10 and 100 times a base by thirds of the network.
        tv_beta: Exponent of the total variation: 2 penalises steps, 1 spikes.
        optimizer: Optimiser of the pixels.
        steps: Number of steps.
        tolerance: The run ends early when the loss changes by less than this fraction over 50 steps.
        seed: Seed of the noise.
    """

    layer: str
    size: int = 256
    perceptual: Perceptual = Perceptual()
    tv_weight: float | None = None
    tv_beta: float = 2.0
    optimizer: OptimizerConfig = LBFGS(memory=20, exponent=0.5)
    steps: int = 200
    tolerance: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("size", "tv_beta"):
            if not 0 < getattr(self, field) < math.inf:
                raise ValueError(f"`{field}` must be > 0. Received: {field}={getattr(self, field)}")
        for field, value in (("tv_weight", self.tv_weight or 0), ("steps", self.steps)):
            if not 0 <= value < math.inf:
                raise ValueError(f"`{field}` must be finite, >= 0. Received: {field}={value}")
        _ = self.optimization  # checks what it is made of
        with errors.renamed(taps="layer"):
            perceptual.check_taps(self.perceptual.network, [self.layer], head=True)

    def resolved(self) -> "InversionConfig":
        """Return the same with the layer's weight of the total variation written out."""
        if self.tv_weight is not None:
            return self
        taps = list(perceptual.tap_info(self.perceptual.network))
        depth = len(taps) - 1 if self.layer in perceptual.HEAD else taps.index(self.layer)
        return dataclasses.replace(
            self, tv_weight=_BASE_TV_WEIGHT * 10.0 ** (3 * depth // len(taps))
        )

    @property
    def optimization(self) -> OptimizationConfig:
        """How the loss is minimised."""
        return OptimizationConfig(self.optimizer, self.tolerance)

    def sized(self, height: int, width: int) -> Size:
        """Return the size of the result for a picture of ``height`` and ``width``, px.

        It is without the last rows and columns that the layer does not see, which would stay noise, unless a
        head needs them.

        Raises:
            ValueError: If the picture is too small for the layer.
        """
        network, side = self.perceptual.network, self.fixed_side
        size = (side, side) if side else images.fit_size(height, width, self.size)
        perceptual.check_image_size(*size, architecture=network, taps=[self.layer])
        return size if side else perceptual.seen_size(*size, architecture=network, tap=self.layer)

    @property
    def fixed_side(self) -> int | None:
        """The side of the squares that a head needs, px; None where the layer takes any size."""
        return perceptual.fixed_size(self.perceptual.network, [self.layer])
