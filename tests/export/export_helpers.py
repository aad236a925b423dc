"""Small models with random weights that paint something."""

import numpy as np

from stylezoo import generators

CONFIGS = {
    "conditional": generators.JohnsonConfig(
        (3, 4, 5), num_blocks=1, kernel=3, normalization="conditional", num_styles=2
    ),
    "johnson": generators.JohnsonConfig((3, 4, 5), num_blocks=1, kernel=3),
    "texture": generators.TextureNetworkConfig(channels=2, num_scales=2),
    "stylizing": generators.TextureNetworkConfig(stylize=True, channels=2, num_scales=2),
}


def generator(config, *, seed=0):
    """Return a painter whose styles are a, b, ..."""
    painter = generators.build(config, styles="ab"[: max(config.num_styles, 1)])
    random = np.random.default_rng(seed)
    for variable in painter.weights:
        values = random.standard_normal(variable.shape)
        if len(variable.shape) == 4:
            values *= np.sqrt(2 / np.prod(variable.shape[:3]))
        elif variable.name == "scale":
            values = random.uniform(0.5, 1.5, variable.shape)
        variable.assign(values)
    return painter
