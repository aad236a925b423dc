"""The configuration of photographs to train on; no TensorFlow, since flags are made from it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ContentConfig:
    """Which photographs a generator is trained on, and how they are cropped.

    See :func:`~stylezoo.training.data.open_photographs` for how photographs are named.

    Attributes:
        content: Photographs to train on: a folder, or a TensorFlow Datasets name such as
            ``"coco/2014:train"``.
        held_out: Photographs for held-out losses and sample pictures, a folder or a name; by default four
            of ``content`` are set apart.
        data_dir: Folder where TensorFlow Datasets keeps its datasets; by default its own.
        image_size: Side of the crops that are trained on, in pixels.
        min_scale: Side of the smallest crop, as a fraction of the photograph's shorter side.

    Raises:
        ValueError: If a number is out of its range.
    """

    content: str
    held_out: str | None = None
    data_dir: str | None = None
    image_size: int = 256
    min_scale: float = 0.0

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise ValueError(f"`image_size` must be >= 1. Received: image_size={self.image_size}")
        if not 0 <= self.min_scale <= 1:
            raise ValueError(f"`min_scale` must be in [0, 1]. Received: min_scale={self.min_scale}")
