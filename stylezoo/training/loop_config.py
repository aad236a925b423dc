"""The configuration of the training loop; no TensorFlow, since flags are made from it."""

import dataclasses
import math
import typing
from typing import Any, Literal

Decay = Literal["none", "cosine", "ulyanov2016"]
Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
"""The precision of a training: float32, a mixed one, or whichever is fastest on the machine."""

Distribution = Literal["none", "mirrored", "multi_worker"]

DECAYS: tuple[Decay, ...] = typing.get_args(Decay)
"""The decays of the learning rate; see ``LoopConfig``."""

PRECISIONS: tuple[Precision, ...] = typing.get_args(Precision)
"""The precisions of a training."""

DISTRIBUTIONS: tuple[Distribution, ...] = typing.get_args(Distribution)
"""The distributions of a step over devices."""


@dataclasses.dataclass(frozen=True)
class StepDecay:
    """A learning rate that is multiplied by a factor again and again.

    Attributes:
        every: Number of steps between two multiplications.
        factor: Factor that the learning rate is multiplied by.

    Raises:
        ValueError: Unless ``every`` is 1 or more and ``factor`` in (0, 1].
    """

    every: int
    factor: float

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"`every` must be >= 1. Received: every={self.every}")
        if not 0 < self.factor <= 1:
            raise ValueError(f"`factor` must be in (0, 1]. Received: factor={self.factor}")


@dataclasses.dataclass(frozen=True)
class LoopConfig:
    """How the weights of a network are optimised.

    Gradients are clipped by default, because the first gradients of a random network are hundreds of
    times as large as the later ones, and Adam would remember them for thousands of steps. Under a
    distribution each replica normalises its own part of a batch; the moving statistics that are saved
    are the first replica's for a generator and the mean of all for a classifier. In Python ``decay`` may
    also be a :class:`StepDecay`.

    Attributes:
        num_steps: Number of optimisation steps.
        batch_size: Number of pictures in a step, over all replicas.
        learning_rate: Base learning rate.
        clip_norm: Largest norm of the gradient, which is scaled down to it; 0 never clips.
        decay: Decay of the learning rate. ``"cosine"`` falls to zero at the end; ``"ulyanov2016"``
            multiplies the rate by 0.7 every 200 steps from step 1000 on.
        precision: Keras dtype policy of all networks. ``"auto"`` is mixed_bfloat16 where the processor or
            the GPU computes with bfloat16 faster, else float32; a run goes on with what it began with.
        average: Decay of the running average of the weights, 0.999 for example, which the pictures and the
            model are made with; 0 takes the weights as they are.
        distribution: Distribution of a step over devices. ``"mirrored"`` uses the GPUs of this machine,
            ``"multi_worker"`` the machines that the environment variable TF_CONFIG describes, all of
            which must see the run's folder.
        jit_compile: Whether XLA compiles the step, which pays on some GPUs. Noise is then other noise, and
            sums on GPUs may be rounded in another way each time. Not for several replicas.
        seed: Seed of the weights, of the order and crops of pictures, of the choice of styles and of
            noise.
        log_every: Number of steps between two records of the losses; each saved state has one too.
        save_every: Number of steps between two saved states.
        sample_every: Number of steps between two sample pictures with losses on held-out pictures.

    Raises:
        ValueError: If a value is not among the choices, or a number is out of its range.
    """

    num_steps: int = 40000
    batch_size: int = 4
    learning_rate: float = 1e-3
    clip_norm: float = 10.0
    decay: Decay | StepDecay = "none"
    precision: Precision = "auto"
    average: float = 0.0
    distribution: Distribution = "none"
    jit_compile: bool = False
    seed: int = 0
    log_every: int = 20
    save_every: int = 200
    sample_every: int = 200

    def __post_init__(self) -> None:
        for field, known in (
            ("decay", DECAYS),
            ("precision", PRECISIONS),
            ("distribution", DISTRIBUTIONS),
        ):
            value = getattr(self, field)
            if value not in known and not isinstance(value, StepDecay):
                raise ValueError(
                    f"`{field}` must be one of {', '.join(known)}. Received: {field}={value!r}"
                )
        if self.jit_compile and self.distribution != "none":
            raise ValueError(
                "`jit_compile` must be False for several replicas. "
                f"Received: jit_compile=True, distribution={self.distribution!r}"
            )
        counts = ("num_steps", "batch_size", "log_every", "save_every", "sample_every")
        for field, least in (*((count, 1) for count in counts), ("seed", 0), ("clip_norm", 0)):
            value = getattr(self, field)
            if not value >= least:
                raise ValueError(f"`{field}` must be >= {least}. Received: {field}={value}")
        if not 0 <= self.average < 1:
            raise ValueError(f"`average` must be in [0, 1). Received: average={self.average}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(
                f"`learning_rate` must be > 0. Received: learning_rate={self.learning_rate}"
            )

    def deciding(self) -> dict[str, Any]:
        """Return the fields that decide the trained weights."""
        reporting = ("log_every", "save_every", "sample_every")
        fields = dataclasses.asdict(self)
        # Runs that began before there was this field go on.
        without = reporting if self.jit_compile else (*reporting, "jit_compile")
        return {name: value for name, value in fields.items() if name not in without}
