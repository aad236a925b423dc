"""A layer's filters: their weights, and the patches of real images that they respond to most."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from stylezoo.classifiers import TapInfo
from stylezoo.images import Image
from stylezoo.layers import Preprocess
from stylezoo.visualize.attribution import Attribution
from stylezoo.visualize.attribution_config import AttributionConfig
from stylezoo.visualize.unit_scores import Unit


def colour_tiles(kernel: np.ndarray, preprocessing: str) -> np.ndarray:
    """Return a first layer's filters as pictures, in the colours that they respond to.

    Args:
        kernel: [h, w, 3, N].
        preprocessing: The mode of :class:`~stylezoo.layers.Preprocess` that the weights expect. Its order
            of channels and its scales are undone, so that colours are those of the image.

    Returns:
        [N, h, w, 3] in [0, 1]: 0 is grey, and the largest absolute value of each filter has full colour.
    """
    # Preprocessing is affine, so that its values for black and for each colour give its matrix.
    prepare = Preprocess(preprocessing)
    black = prepare(tf.zeros([1, 1, 1, 3]))
    matrix = (prepare(tf.reshape(tf.eye(3), [3, 1, 1, 3])) - black)[:, 0, 0].numpy()
    tiles = np.einsum("ic,hwcn->nhwi", matrix, kernel)
    return _full_range(tiles, axes=(1, 2, 3))


def grey_grid(kernel: np.ndarray) -> np.ndarray:
    """Return a later layer's filters as grey tiles, one for each filter and channel of its input.

    Args:
        kernel: [h, w, C, N].

    Returns:
        [N, C, h, w] in [0, 1]: 0 is grey, and the largest absolute value of each filter over its channels
        is white or black.
    """
    return _full_range(kernel.transpose(3, 2, 0, 1), axes=(1, 2, 3))


@dataclasses.dataclass(frozen=True)
class Patch:
    """A place in an image that a neuron responds to.

    Attributes:
        image: Number of the image.
        row: Row of the neuron, in features.
        column: Column of the neuron, in features.
        activation: Activation of the neuron.
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
    """Find the patches that the neurons of some channels respond to most.

    No two patches of a channel are from the same place: their middles are at least half a receptive field
    apart, in rows or in columns.

    Args:
        network: Images -> {tap: features}.
        images: [1, H, W, 3] in [0, 1] each, of any sizes; each is taken when it is needed.
        layer: A tap.
        channels: Indices of the layer's channels.
        info: The tap's geometry.
        top: Number of patches of each channel.

    Returns:
        The patches of each channel, the strongest first; fewer where there are not as many places.
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
    """Cut a neuron's receptive field out of [H, W, C]; outside of the picture it has the value ``fill``."""
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
    """Return the guided backprop of a patch's neuron, [H, W, 3], for its image, [1, H, W, 3]."""
    unit = Unit(layer, channel, (patch.row, patch.column))
    attribution = Attribution(network, unit, AttributionConfig("guided_backprop"))
    return np.asarray(attribution(tf.convert_to_tensor(image))[0])


def _peaks(activations: np.ndarray, count: int, apart: float) -> list[tuple[int, int]]:
    """Return the strongest positions of [h, w], each at least ``apart`` from stronger ones."""
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
    """Scale values to [0, 1] by the largest absolute value over some axes; 0 becomes 0.5."""
    largest = np.abs(values).max(axis=axes, keepdims=True)
    return np.asarray(0.5 + 0.5 * values / np.maximum(largest, 1e-30), np.float32)


def kernels(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the kernels of convolutions among a network's tensors, by layer."""
    return {
        name.removesuffix("/kernel"): tensor
        for name, tensor in tensors.items()
        if name.endswith("/kernel") and tensor.ndim == 4
    }
