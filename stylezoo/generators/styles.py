"""Styles added to a trained conditional network (Dumoulin et al. 2017, section 3.2)."""

from collections.abc import Sequence

import keras

from stylezoo.generators.families import build
from stylezoo.generators.growing import grow
from stylezoo.generators.painter import Painter
from stylezoo.layers import ConditionalInstanceNormalization


def style_variables(painter: keras.Model) -> list[keras.Variable]:
    """Return the scales and shifts that tell styles apart, each [num_styles, C]."""
    return [
        variable
        for layer in painter.layers
        if isinstance(layer, ConditionalInstanceNormalization)
        for variable in layer.weights
    ]


def blank_styles(painter: Painter, styles: Sequence[str]) -> Painter:
    """Copy a painter for other styles, each starting as the mean of those it knows.

    Args:
        painter: A conditional painter. It is not changed.
        styles: The names of the new styles.

    Raises:
        ValueError: If the painter is not conditional, or knows one of the names.
    """
    if not painter.config.num_styles:
        raise ValueError(
            f"`painter` must be a conditional one. Received: a {type(painter).__name__} without styles"
        )
    known = sorted(set(styles) & set(painter.style_rows))
    if known:
        raise ValueError(f"`styles` must be new to the model. Received: {', '.join(known)}")
    blank = build(painter.config.with_styles(len(styles)), styles=styles)
    for source, target in zip(painter.variables, blank.variables, strict=True):
        if _tells_styles(blank, target):
            mean = keras.ops.mean(source, axis=0, keepdims=True)
            target.assign(keras.ops.broadcast_to(mean, target.shape))
        else:
            target.assign(source)
    return blank


def append_styles(painter: Painter, added: Painter) -> Painter:
    """Return one painter with the styles of both; all else is the first one's."""
    styles = (*painter.style_rows, *added.style_rows)
    joined = grow(painter, painter.config.with_styles(len(styles)), styles=styles)
    joined.training_record = painter.training_record
    for first, second, both in zip(*map(style_variables, (painter, added, joined)), strict=True):
        both.assign(keras.ops.concatenate([first, second], axis=0))
    return joined


def _tells_styles(painter: Painter, variable: keras.Variable) -> bool:
    return any(variable is each for each in style_variables(painter))
