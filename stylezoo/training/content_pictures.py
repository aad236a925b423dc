"""The photographs of a run: crops to train on, and a few held-out ones for losses and samples."""

import tensorflow as tf

from stylezoo import errors
from stylezoo.training.content_config import ContentConfig
from stylezoo.training.data import CropConfig, centre_crops, crops, open_photographs
from stylezoo.training.loop_config import LoopConfig

_NUM_SHOWN = 4


class Content:
    """The opened photographs of a :class:`ContentConfig`.

    Args:
        config: The photographs and their crops.
        loop: The loop, whose batch size and seed decide the crops.

    Attributes:
        shown: Held-out photographs, [N, image_size, image_size, 3] float32 in [0, 1].

    Raises:
        ValueError, OSError: If there are no photographs, or too few to hold some out.
    """

    def __init__(self, config: ContentConfig, loop: LoopConfig) -> None:
        self._crop = CropConfig(config.image_size, min_scale=config.min_scale)
        self._loop = loop
        photographs = open_photographs(config.content, data_dir=config.data_dir)
        if config.held_out is None:
            if len(photographs) < 2:
                raise ValueError(
                    f"`content` must hold 2 pictures or more. Received: {config.content}, 1 picture"
                )
            photographs, held_out = photographs.hold_out(min(_NUM_SHOWN, len(photographs) - 1))
        else:
            with errors.renamed(content="held_out"):
                held_out = open_photographs(config.held_out, data_dir=config.data_dir)
        self._photographs = photographs
        shown = range(min(_NUM_SHOWN, len(held_out)))
        self.shown = centre_crops(held_out, shown, size=config.image_size)

    @property
    def skipped(self) -> dict[str, str]:
        """The pictures that could not be read so far, and why, by name."""
        return self._photographs.skipped

    def batches(
        self, *, first_step: int, num_steps: int, shard: tuple[int, int]
    ) -> tf.data.Dataset:
        """Return batches of crops; see :meth:`stylezoo.training.trainer.Task.batches`."""
        return crops(
            self._photographs,
            config=self._crop,
            batch_size=self._loop.batch_size,
            seed=self._loop.seed,
            first_step=first_step,
            num_steps=num_steps,
            shard=shard,
        )
