"""The features of a folder's pictures, by the flags of the commands that compare pictures."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import network_flags, options, reporting

if TYPE_CHECKING:
    import tensorflow as tf


def define_flags(values: flags.FlagValues, *, report: str) -> None:
    """Add the flags of :class:`FolderFeatures` and of the output to ``values``."""
    options.define_output_flags(values, output="Sheet to write.", report=report)
    network_flags.define(values, default="efficientnet_lite0")
    for name, text in (
        ("images", "Pictures, a folder or a pattern."),
        ("layer", "Layer whose features are compared; by default the last."),
    ):
        flags.DEFINE_string(name, None, text, flag_values=values)
    for name, default, text in (
        (
            "size",
            224,
            "Longest side at which the network sees pictures, px. Networks of one size get a square of it.",
        ),
        ("thumbnail_size", 96, "Side of a picture on the sheet, px."),
    ):
        flags.DEFINE_integer(name, default, text, 1, flag_values=values)


class FolderFeatures:
    """The features of pictures of one layer of the network of the flags.

    Attributes:
        layer: The layer.

    Raises:
        ValueError: If the network lacks the layer.
    """

    def __init__(self, values: flags.FlagValues) -> None:
        from stylezoo import perceptual

        self._values = values
        self._looked = network_flags.read(values)
        self.layer: str = values.layer or list(perceptual.tap_info(self._looked))[-1]
        with errors.renamed(taps="layer"):
            perceptual.check_taps(self._looked, [self.layer], head=True)
        self._network = network_flags.perceptual(values, self._looked).build([self.layer])

    def of(self, paths: Sequence[pathlib.Path]) -> np.ndarray:
        """Return a unit vector for each picture, [N, C]."""
        from stylezoo import visualize

        return visualize.embed(self._network, self._shown(paths))

    def thumbnail(self, path: pathlib.Path) -> np.ndarray:
        """Return the middle square of a picture in the size of the sheet, [h, w, 3]."""
        pixels = images.read_image(path, max_pixels=self._values.max_pixels)
        return images.centre_square(pixels, self._values.thumbnail_size)[0].numpy()

    def _shown(self, paths: Sequence[pathlib.Path]) -> "Iterator[tf.Tensor]":
        with reporting.bar("features", "picture", total=len(paths)) as bar:
            for path in paths:
                pixels = images.read_image(path, max_pixels=self._values.max_pixels)
                with errors.renamed(image=str(path)):
                    yield network_flags.fitted(
                        pixels, network=self._looked, taps=[self.layer], size=self._values.size
                    )
                bar.update()
