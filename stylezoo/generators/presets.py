"""Generators by name: each with the variants that its papers compare."""

from typing import TypeAlias

from stylezoo.generators.johnson import JohnsonConfig
from stylezoo.generators.light import LightConfig
from stylezoo.generators.super_resolution import SuperResolutionConfig
from stylezoo.generators.texture_network import TextureNetworkConfig

GeneratorConfig: TypeAlias = (
    JohnsonConfig | LightConfig | SuperResolutionConfig | TextureNetworkConfig
)

# By the name under which files know them.
TYPES: dict[str, type[GeneratorConfig]] = {
    "johnson": JohnsonConfig,
    "light": LightConfig,
    "super_resolution": SuperResolutionConfig,
    "texture_network": TextureNetworkConfig,
}

PRESETS: dict[str, GeneratorConfig] = {
    # What later work settled on: instance norm, no checkerboard, no border.
    "johnson": JohnsonConfig(),
    "johnson2016-paper": JohnsonConfig(
        normalization="batch", upsampling="transposed", padding="once"
    ),
    "johnson2016-code": JohnsonConfig(
        normalization="instance", upsampling="transposed", padding="once"
    ),
    # Dumoulin et al. 2017, appendix A, and skips, which keep the photograph.
    "conditional": JohnsonConfig(
        normalization="conditional", normalize_output=True, num_styles=1, skips=True
    ),
    "dumoulin2017": JohnsonConfig(normalization="conditional", normalize_output=True, num_styles=1),
    "light": LightConfig(skips=True),
    # The same statistics at any size, and no droplets.
    "texture_network": TextureNetworkConfig(normalization="batch", limit=3.0),
    "ulyanov2016-texture": TextureNetworkConfig(normalization="batch"),
    "ulyanov2016-stylize": TextureNetworkConfig(stylize=True, normalization="batch"),
    "ulyanov2017-stylize": TextureNetworkConfig(stylize=True),
    "superres_x4": SuperResolutionConfig(factor=4),
    "superres_x8": SuperResolutionConfig(factor=8),
    "johnson2016-superres-x4": SuperResolutionConfig(factor=4, upsampling="transposed"),
    "johnson2016-superres-x8": SuperResolutionConfig(factor=8, upsampling="transposed"),
}


def generator_config(preset: str, *, num_styles: int = 1, width: float = 1.0) -> GeneratorConfig:
    """The configuration of a preset for a number of styles.

    Args:
        preset: a name of :data:`PRESETS`.
        num_styles: >= 1; more than one for those with conditional instance normalisation only.
        width: multiplies the numbers of channels, > 0.

    Raises:
        ValueError: for an unknown preset, a width that isn't positive, or several styles of a network
            that paints one.
    """
    if preset not in PRESETS:
        raise ValueError(
            f"`generator` must be one of {', '.join(PRESETS)}. Received: generator={preset!r}"
        )
    if not width > 0:
        raise ValueError(f"`width` must be > 0. Received: width={width}")
    return PRESETS[preset].scaled(width).with_styles(num_styles)
