"""The configuration of a TFLite file; no TensorFlow, since flags are made from it."""

import dataclasses
import typing
from typing import Literal

Quantization = Literal["none", "float16", "int8"]

QUANTIZATIONS: tuple[Quantization, ...] = typing.get_args(Quantization)
"""The numbers that a TFLite file may compute with; see ``TfliteConfig``."""


@dataclasses.dataclass(frozen=True)
class TfliteConfig:
    """Everything that decides a TFLite file but its model.

    Attributes:
        size: Height and width of the pictures, px.
        quantize: Numbers of a .tflite file. ``"none"`` is float32; ``"float16"`` takes half the space,
            and is computed with in float32 on CPUs and as the GPU likes on GPUs; ``"int8"`` has weights
            and features in 8 bits, with inputs and outputs in float32.
        calibration: Folder of photographs from which int8 takes the ranges of features. Every third is
            held out and compared with the Keras model. By default, scikit-image's samples.

    Raises:
        ValueError: If a side is not positive, or the numbers are unknown.
    """

    size: tuple[int, int]
    quantize: Quantization = "none"
    calibration: str | None = None

    def __post_init__(self) -> None:
        if min(self.size) < 1:
            raise ValueError(f"`size` must be >= 1. Received: size={self.size}")
        if self.quantize not in QUANTIZATIONS:
            raise ValueError(
                f"`quantize` must be one of {', '.join(QUANTIZATIONS)}. "
                f"Received: quantize={self.quantize!r}"
            )
