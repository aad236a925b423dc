"""The configuration of fooling pictures; no TensorFlow, since flags are made from it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class FoolingConfig:
    """How a picture may be changed so that a network takes it for another class.

    Attributes:
        epsilon: Largest change of a pixel, in pixel values from 0 to 1.
        step_size: Change of every pixel in one step, in pixel values.
        steps: Largest number of steps.
        confidence: Probability of the class at which no more steps are taken, once it is the likeliest.

    Raises:
        ValueError: For a number out of its range.
    """

    epsilon: float = 8.0 / 255.0
    step_size: float = 1.0 / 255.0
    steps: int = 50
    confidence: float = 0.9

    def __post_init__(self) -> None:
        for name in ("epsilon", "step_size"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(
                    f"`{name}` must be in (0, 1]. Received: {name}={getattr(self, name)}"
                )
        if self.steps < 1:
            raise ValueError(f"`steps` must be >= 1. Received: steps={self.steps}")
        if not 0 <= self.confidence <= 1:
            raise ValueError(
                f"`confidence` must be in [0, 1]. Received: confidence={self.confidence}"
            )
