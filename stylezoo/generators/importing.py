"""Painters made of weights that others trained."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from stylezoo import weights
from stylezoo.errors import WeightsError
from stylezoo.generators.arbitrary import Arbitrary
from stylezoo.generators.architectures import ARCHITECTURES
from stylezoo.generators.configs import GeneratorConfig, JohnsonConfig
from stylezoo.generators.families import build
from stylezoo.generators.painter import Painter

# The painters that others trained by the name of their weights: architecture and names of styles.
PUBLISHED: dict[str, tuple[GeneratorConfig, tuple[str, ...]]] = {
    "arbitrary.magenta": (ARCHITECTURES["magenta-arbitrary"], ()),
    "multistyle26.magenta": (
        JohnsonConfig(
            (32, 32, 32),
            num_blocks=6,
            expanding_widths=(8, 4),
            normalization="conditional",
            normalize_output=True,
            num_styles=26,
        ),
        tuple(f"style{index}" for index in range(26)),
    ),
}


def load_published(name: str) -> Painter:
    """Load a painter of :data:`PUBLISHED`, whose weights are fetched first if need be.

    Raises:
        WeightsError: If they can't be had.
    """
    config, styles = PUBLISHED[name]
    painter = assemble(config, weights.load(name).tensors, styles=styles)
    painter.training_record = {"weights": name}
    return painter


def assemble(
    config: GeneratorConfig, tensors: Mapping[str, np.ndarray], *, styles: Sequence[str] = ()
) -> Painter:
    """Build a painter with given weights.

    Args:
        config: The architecture.
        tensors: Float arrays by ``layer/variable``; those of an :class:`Arbitrary`'s style-prediction
            network by ``predictor/layer/variable``.
        styles: See :class:`Painter`.

    Raises:
        ValueError: As :class:`Painter`.
        WeightsError: If a tensor is missing, of no variable, or of another shape; all are named.
    """
    painter = build(config, styles=styles)
    variables = _variables(painter)
    if isinstance(painter, Arbitrary):
        of_predictor = _variables(painter.predictor)
        variables |= {f"predictor/{name}": each for name, each in of_predictor.items()}
    wrong = [
        f"{name} {tensors[name].shape if name in tensors else 'nothing'}, not {tuple(each.shape)}"
        for name, each in variables.items()
        if name not in tensors or tensors[name].shape != tuple(each.shape)
    ]
    wrong += [f"{name}, of no layer" for name in tensors if name not in variables]
    if wrong:
        raise WeightsError(f"not weights of this {type(painter).__name__}: {'; '.join(wrong)}")
    for name, variable in variables.items():
        variable.assign(tensors[name])
    return painter


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the variables of a model by ``layer/variable``."""
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in model.layers
        for variable in layer.weights
    }
