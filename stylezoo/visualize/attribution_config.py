"""The configuration of attribution; no TensorFlow, since flags are made from it."""

import dataclasses
import typing
from typing import Literal

Method = Literal[
    "gradient",
    "deconvnet",
    "guided_backprop",
    "smoothgrad",
    "integrated_gradients",
    "grad_cam",
    "guided_grad_cam",
    "occlusion",
]

METHODS: tuple[Method, ...] = typing.get_args(Method)
"""The methods of attribution."""

CAM_METHODS: tuple[Method, ...] = ("grad_cam", "guided_grad_cam")
"""The methods of attribution that need a layer."""


@dataclasses.dataclass(frozen=True)
class AttributionConfig:
    """A method that tells which pixels a score comes from, and its parameters.

    The methods are ``"gradient"`` (Simonyan et al. 2014, section 3); ``"deconvnet"`` (Zeiler & Fergus
    2014); ``"guided_backprop"`` (Springenberg et al. 2015); ``"smoothgrad"`` (Smilkov et al. 2017);
    ``"integrated_gradients"`` (Sundararajan et al. 2017) from a black picture; ``"grad_cam"`` and
    ``"guided_grad_cam"`` (Selvaraju et al. 2017); ``"occlusion"`` by a grey square (Zeiler & Fergus 2014,
    section 4.2).

    Attributes:
        method: Method of attribution.
        cam_layer: Layer before the unit whose channels Grad-CAM weighs. The last layer stands for a
            class by default on the command line; in Python it has to be given.
        samples: Number of noisy pictures that SmoothGrad averages over.
        noise: Standard deviation of SmoothGrad's noise, as a fraction of the picture's range of values.
        steps: Number of pictures between black and the picture that integrated gradients take.
        seed: Seed of SmoothGrad's noise.
        occluder: Side of the grey square that hides a part of the picture, px.
        occluder_stride: Distance from one place of the square to the next, px.

    Raises:
        ValueError: For an unknown method, a number out of its range, or Grad-CAM without a layer.
    """

    method: Method = "guided_backprop"
    cam_layer: str | None = None
    samples: int = 25
    noise: float = 0.15
    steps: int = 50
    seed: int = 0
    occluder: int = 48
    occluder_stride: int = 16

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(
                f"`method` must be one of {', '.join(METHODS)}. Received: method={self.method!r}"
            )
        if self.method in CAM_METHODS and not self.cam_layer:
            raise ValueError(f"`cam_layer` must be given for {self.method}. Received: none")
        for name in ("samples", "steps", "occluder", "occluder_stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be >= 1. Received: {name}={getattr(self, name)}")
        for name in ("noise", "seed"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"`{name}` must be >= 0. Received: {name}={getattr(self, name)}")
