"""Painters that start from a smaller one: more blocks, more styles, other upsampling."""

from collections.abc import Iterator, Sequence

import keras

from stylezoo.generators.configs import GeneratorConfig
from stylezoo.generators.families import build
from stylezoo.generators.painter import Painter
from stylezoo.layers import ConditionalInstanceNormalization

# The last normalisations of blocks that are added to something else; scaled by 0, they add nothing.
_ADDS = ("_conv2_norm", "eighth_up_norm")


def grow(painter: Painter, config: GeneratorConfig, *, styles: Sequence[str] = ()) -> Painter:
    """Build a painter that starts with the weights of a smaller one.

    Every layer of the smaller painter has its place in the larger one. Residual blocks that only the
    larger one has add nothing at first, and styles that only it has start as the mean of those that the
    smaller one knows. So both paint the same in the known styles at first, unless upsampling or margin
    differ.

    Args:
        painter: The smaller painter. It is not changed.
        config: The architecture of the larger one.
        styles: Names of its styles, among them those of the smaller one.

    Raises:
        ValueError: If a layer or a style of the smaller painter has no place, or a layer has another
            shape.
    """
    larger = build(config, styles=styles)
    lost = sorted(set(painter.style_rows) - set(larger.style_rows)) if config.num_styles else []
    if lost:
        raise ValueError(f"`styles` must have those of `painter`. Missing: {', '.join(lost)}")
    targets = dict(_with_weights(larger))
    for name, layer in _with_weights(painter):
        target = targets.pop(name, None)
        if target is None:
            raise ValueError(f"`config` must have the layers of `painter`. It lacks {name}")
        _assign(layer, target, painter.style_rows, larger.style_rows)
    for name, added in targets.items():
        if name.endswith(_ADDS):
            for variable in added.trainable_weights:
                variable.assign(keras.ops.zeros(variable.shape))
    return larger


def _with_weights(painter: Painter) -> Iterator[tuple[str, keras.layers.Layer]]:
    for part, network in painter.parts().items():
        for layer in network.layers:
            if layer.weights:
                yield f"{part}{layer.name}", layer


def _assign(
    source: keras.layers.Layer,
    target: keras.layers.Layer,
    known: Sequence[str],
    wanted: Sequence[str],
) -> None:
    """Copy the weights of a layer; scales and shifts have a row for each of the ``wanted`` styles."""
    for old, new in zip(source.weights, target.weights, strict=True):
        values = old.numpy()
        if isinstance(source, ConditionalInstanceNormalization):
            mean = values.mean(axis=0)
            values = [values[known.index(row)] if row in known else mean for row in wanted]
            values = keras.ops.stack(values)
        if values.shape != new.shape:
            raise ValueError(
                f"`config` must have layers of the shapes of `painter`. {target.name} "
                f"is {tuple(new.shape)}, must be {tuple(values.shape)}"
            )
        new.assign(values)
