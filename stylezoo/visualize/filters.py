"""Filters: their weights, and the patches of real images that they respond to most."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from stylezoo.classifiers import TapInfo
from stylezoo.images import Image
from stylezoo.layers import Preprocess
from stylezoo.visualize.attribution import Attribution, AttributionConfig
from stylezoo.visualize.unit_scores import Unit


def colour_tiles(kernel: np.ndarray, preprocessing: str) -> np.ndarray:
    """A first layer's filters as pictures, in the colours that they respond to.

    Args:
        kernel: [h, w, 3, N].
        preprocessing: what the weights expect; see :class:`~stylezoo.layers.Preprocess`. Its order of
            channels and its scales are undone, so that colours are those of the image.

    Returns:
        [N, h, w, 3] in [0, 1]: grey is 0, the largest absolute value of each filter is full.
    """
    # Preprocessing is affine: its matrix is what it makes of black and of each colour.
    prepare = Preprocess(preprocessing)
    black = prepare(tf.zeros([1, 1, 1, 3]))
    matrix = (prepare(tf.reshape(tf.eye(3), [3, 1, 1, 3])) - black)[:, 0, 0].numpy()
    tiles = np.einsum("ic,hwcn->nhwi", matrix, kernel)
    return _full_range(tiles, axes=(1, 2, 3))


def grey_grid(kernel: np.ndarray) -> np.ndarray:
    """A later layer's filters: [N, C, h, w] in [0, 1], from [h, w, C, N].

    One tile for each filter and channel of its input; grey is 0, the largest absolute value of each filter
    over its channels is full.
    """
    return _full_range(kernel.transpose(3, 2, 0, 1), axes=(1, 2, 3))


@dataclasses.dataclass(frozen=True)
class Patch:
    """What a neuron saw.

    Attributes:
        image: number of the image.
        row: of the neuron, in features.
        column: likewise.
        activation: of the neuron.
    """

    image: int
    row: int
    column: int
    activation: float


def best_patches(
    network: keras.Model,
    images: Iterable[Image],
    *,
    layer: str,
    channels: Sequence[int],
    info: TapInfo,
    top: int,
) -> dict[int, list[Patch]]:
    """Where the neurons of channels respond most.

    No two patches of a channel are from the same place: their middles are at least half a receptive field
    apart, in rows or in columns.

    Args:
        network: images -> {tap: features}.
        images: [1, H, W, 3] in [0, 1] each, of any sizes; taken as they are needed.
        layer: a tap.
        channels: of it.
        info: the tap's geometry.
        top: how many patches of each channel.

    Returns:
        Of each channel the patches, the strongest first; fewer where there are not as many places.
    """
    best: dict[int, list[Patch]] = {channel: [] for channel in channels}
    apart = info.receptive_field / (2 * info.stride)
    for number, image in enumerate(images):
        features = network(image)[layer][0].numpy()
        for channel in channels:
            found = [
                Patch(number, row, column, float(features[row, column, channel]))
                for row, column in _peaks(features[:, :, channel], top, apart)
            ]
            merged = sorted([*best[channel], *found], key=lambda patch: -patch.activation)
            best[channel] = merged[:top]
    return best


def crop(picture: np.ndarray, patch: Patch, info: TapInfo, *, fill: float) -> np.ndarray:
    """What a neuron sees of [H, W, C], its receptive field; ``fill`` outside of the picture."""
    side = info.receptive_field
    result = np.full((side, side, picture.shape[-1]), fill, np.float32)
    top, left = (index * info.stride - info.offset for index in (patch.row, patch.column))
    inside = picture[max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    y, x = max(-top, 0), max(-left, 0)
    result[y : y + inside.shape[0], x : x + inside.shape[1]] = inside
    return result


def guided_backprop(
    network: keras.Model, image: Image, *, layer: str, channel: int, patch: Patch
) -> np.ndarray:
    """Guided backprop of the neuron of a patch, [H, W, 3] for the image [1, H, W, 3] that it is from."""
    unit = Unit(layer, channel, (patch.row, patch.column))
    attribution = Attribution(network, unit, AttributionConfig("guided_backprop"))
    return np.asarray(attribution(tf.convert_to_tensor(image))[0])


def _peaks(activations: np.ndarray, count: int, apart: float) -> list[tuple[int, int]]:
    """The strongest positions of [h, w], none so near to a stronger one in rows and columns."""
    peaks: list[tuple[int, int]] = []
    left = activations.astype(np.float64)
    while len(peaks) < count and np.isfinite(left).any():
        row, column = map(int, np.unravel_index(np.argmax(left), left.shape))
        peaks.append((row, column))
        rows, columns = (
            np.abs(np.arange(left.shape[0]) - row),
            np.abs(np.arange(left.shape[1]) - column),
        )
        left[np.ix_(rows < apart, columns < apart)] = -np.inf
    return peaks


def _full_range(values: np.ndarray, *, axes: tuple[int, ...]) -> np.ndarray:
    largest = np.abs(values).max(axis=axes, keepdims=True)
    return np.asarray(0.5 + 0.5 * values / np.maximum(largest, 1e-30), np.float32)


def kernels(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The kernels of convolutions among a network's tensors, by layer."""
    return {
        name.removesuffix("/kernel"): tensor
        for name, tensor in tensors.items()
        if name.endswith("/kernel") and tensor.ndim == 4
    }
