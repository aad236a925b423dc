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
        size: Height and width of the pictures, px; None for any. GPUs take files of one size alone, and
            CPUs are much faster with them.
        quantize: Numbers of a .tflite file. ``"none"`` is float32; ``"float16"`` takes half the space,
            and is computed with in float32 on CPUs and as the GPU likes on GPUs; ``"int8"`` computes those
            convolutions that can bear it in 8 bits, with ranges that it finds anew for each picture, and
            stores the rest in float16.
        photographs: Folder of photographs on which int8 is compared with the Keras model, each in all
            styles. By default, scikit-image's samples.

    Raises:
        ValueError: If a side is not positive, the numbers are unknown, or 8 bits have no size.
    """

    size: tuple[int, int] | None
    quantize: Quantization = "none"
    photographs: str | None = None

    def __post_init__(self) -> None:
        if self.size is not None and min(self.size) < 1:
            raise ValueError(f"`size` must be >= 1. Received: size={self.size}")
        if self.quantize not in QUANTIZATIONS:
            raise ValueError(
                f"`quantize` must be one of {', '.join(QUANTIZATIONS)}. "
                f"Received: quantize={self.quantize!r}"
            )
        if self.quantize == "int8" and self.size is None:
            raise ValueError("`size` must be given for quantize=int8")
