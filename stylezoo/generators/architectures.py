"""Architectures by name: each family with the variants that its papers compare."""

from stylezoo.generators.configs import (
    ArbitraryConfig,
    GeneratorConfig,
    JohnsonConfig,
    LightConfig,
    SuperResolutionConfig,
    TextureNetworkConfig,
)

ARCHITECTURES: dict[str, GeneratorConfig] = {
    # What later work settled on: instance norm, no checkerboard, no border.
    "johnson": JohnsonConfig(),
    "johnson2016-paper": JohnsonConfig(
        normalization="batch", upsampling="transposed", padding="once"
    ),
    "johnson2016-code": JohnsonConfig(
        normalization="instance", upsampling="transposed", padding="once"
    ),
    # Dumoulin et al. 2017, appendix A; skips, which keep the photograph; a wider view for large strokes;
    # no grid and no frame.
    "conditional": JohnsonConfig(
        normalization="conditional",
        normalize_output=True,
        num_styles=1,
        skips=True,
        upsampling="bilinear",
        eighth_blocks=4,
        margin=16,
    ),
    "dumoulin2017": JohnsonConfig(normalization="conditional", normalize_output=True, num_styles=1),
    "light": LightConfig(skips=True, upsampling="bilinear", eighth_blocks=2, margin=8),
    # Any style: Ghiasi et al. 2017.
    "arbitrary": ArbitraryConfig(),
    # The same as its authors distilled it for phones, with batch normalisations merged.
    "magenta-arbitrary": ArbitraryConfig((8, 16, 32), normalization="none"),
    # The same statistics at any size, and no droplets.
    "texture_network": TextureNetworkConfig(normalization="batch", limit=3.0),
    "ulyanov2016-texture": TextureNetworkConfig(normalization="batch"),
    "ulyanov2016-stylize": TextureNetworkConfig(stylize=True, normalization="batch"),
    "ulyanov2017-stylize": TextureNetworkConfig(stylize=True),
    # What later work settled on: no normalisation, and only what is missing is painted.
    "superres_x4": SuperResolutionConfig(factor=4, normalization="none", residual=True),
    "superres_x8": SuperResolutionConfig(factor=8, normalization="none", residual=True),
    "johnson2016-superres-x4": SuperResolutionConfig(factor=4, upsampling="transposed"),
    "johnson2016-superres-x8": SuperResolutionConfig(factor=8, upsampling="transposed"),
}
"""Architectures of painters by name."""


def generator_config(generator: str, *, num_styles: int = 1, width: float = 1.0) -> GeneratorConfig:
    """Return the configuration of a named architecture for a number of styles.

    Args:
        generator: A name in :data:`ARCHITECTURES`.
        num_styles: Number of styles, >= 1; more than one only with conditional instance
            normalisation.
        width: Factor of the numbers of channels, > 0.

    Raises:
        ValueError: If the name is unknown, the width not positive, or if several styles are asked of
            a network that paints one.
    """
    if generator not in ARCHITECTURES:
        raise ValueError(
            f"`generator` must be one of {', '.join(ARCHITECTURES)}. "
            f"Received: generator={generator!r}"
        )
    if not width > 0:
        raise ValueError(f"`width` must be > 0. Received: width={width}")
    return ARCHITECTURES[generator].scaled(width).with_styles(num_styles)
