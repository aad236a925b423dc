"""Painters made of weights that others trained."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stylezoo import weights
from stylezoo.errors import WeightsError
from stylezoo.generators.architectures import ARCHITECTURES
from stylezoo.generators.configs import GeneratorConfig, JohnsonConfig
from stylezoo.generators.families import build
from stylezoo.generators.painter import Painter
from stylezoo.weights import painter_files

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

LAYOUTS: dict[str, dict[str, Any]] = {
    "fast_neural_style": {"output": "linear"},
    "fast_style_transfer": {
        "upsampling": "transposed",
        "padding": "same",
        "normalize_output": True,
        "output": "tanh",
        "centred": False,
    },
    "image_stylization": {
        "normalization": "conditional",
        "normalize_output": True,
        "num_styles": 1,
    },
}
"""By the project that wrote a file: what is the same for all of its networks."""


def import_painter(
    file: str | os.PathLike[str],
    layout: str,
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> Painter:
    """Make a preset of a network that another project trained; it paints the same pictures.

    Args:
        file: See :func:`stylezoo.weights.painter_files.read_painter`.
        layout: The project that wrote it: ``"fast_neural_style"`` (PyTorch's examples),
            ``"fast_style_transfer"`` (lengstrom's) or ``"image_stylization"`` (Magenta's).
        output: The preset's folder.
        overwrite: Whether to replace a preset that is there already.

    Returns:
        The painter. Its only style is called like the file; Magenta's are ``style0``, ``style1``, ...

    Raises:
        ValueError: If the layout is unknown.
        OSError: If a file can't be read or written.
        WeightsError: If the file is not of that layout, or damaged.
    """
    if layout not in LAYOUTS:
        raise ValueError(
            f"`layout` must be one of {', '.join(LAYOUTS)}. Received: layout={layout!r}"
        )
    file = Path(file)
    tensors = painter_files.read_painter(file, layout)
    try:
        painter = _johnson(file.name.partition(".")[0], layout, tensors)
    except (ValueError, IndexError, WeightsError) as error:
        raise WeightsError(f"{file}: not a network of {layout}: {error}") from error
    painter.training_record = {"imported_from": file.name, "layout": layout}
    painter.save_to_preset(output, overwrite=overwrite)
    return painter


def _johnson(name: str, layout: str, tensors: Mapping[str, np.ndarray]) -> Painter:
    """Return the painter of Johnson's family that has such tensors."""
    kernels = [tensors[f"{layer}/kernel"] for layer in ("conv_in", "down1", "down2")]
    full, half, quarter = (kernel.shape[3] for kernel in kernels)
    config = JohnsonConfig((full, half, quarter), kernel=len(kernels[0]), **LAYOUTS[layout])
    styles = [name]
    if config.normalization == "conditional":
        styles = [f"style{index}" for index in range(len(tensors["conv_in_norm/scale"]))]
        config = config.with_styles(len(styles))
    return assemble(config, tensors, styles=styles)


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
    variables = {
        f"{part}{layer.name}/{variable.name}": variable
        for part, network in painter.parts().items()
        for layer in network.layers
        for variable in layer.weights
    }
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
