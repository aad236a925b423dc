"""The mean Fourier magnitude of photographs, which MaCo's pictures have.

Source: Fel et al. 2023, "Unlocking Feature Visualization for Deeper Networks with Magnitude Constrained
Optimization", section 3. The magnitude is that of the decorrelated colours' logits, which
:class:`~stylezoo.synthesis.MagnitudeConstrainedImage` makes pictures of. A photograph and its mirror image
are equally likely, so that the magnitude is a function of |vertical| and horizontal frequency. It is smooth,
and kept on a grid that is about logarithmic: 3 KB in place of the 11 MB of the authors' file.
"""

import functools
import pathlib
from collections.abc import Iterable

import numpy as np

from stylezoo.images import FloatArray, Image
from stylezoo.synthesis.parameters import decorrelated_logits

# Side of the photographs that are measured, px, and the frequencies of the grid, in cycles a picture.
_SIDE = 256
_NODES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
# Values this close to black and white count as at that distance; a highlight's logit would be without end.
_MARGIN = 0.02
_FILE = pathlib.Path(__file__).with_name("photograph_spectrum.npy")


def measure(photographs: Iterable[Image]) -> FloatArray:
    """Measure the mean magnitude of photographs.

    A window (Hann's) takes the edges away: a picture that does not tile has a cross of high frequencies, and
    pictures of that magnitude look woven. The paper has no window.

    Args:
        photographs: [1, 256, 256, 3] in [0, 1] each.

    Returns:
        [3, 15, 15] float32: the logarithm of the magnitude of a decorrelated colour, as a fraction of the
        number of pixels, at 0, 1, 2, 3, 4, 6, ... 128 cycles a picture, vertically and horizontally.
    """
    total, count = np.zeros([3, _SIDE, _SIDE // 2 + 1]), 0
    window = np.sin(np.pi * np.arange(_SIDE) / _SIDE) ** 2
    window = window[:, None] * window / np.mean(window**2)  # of a mean square of 1
    for photograph in photographs:
        logits = np.asarray(decorrelated_logits(photograph, margin=_MARGIN))[0]
        mean = logits.mean(axis=(1, 2), keepdims=True)
        magnitude = np.abs(np.fft.rfft2((logits - mean) * window)) / _SIDE**2
        magnitude[:, 0, 0] = np.abs(mean[:, 0, 0])
        total += magnitude
        count += 1
    mean = total / count
    mirrored = (mean[:, : _SIDE // 2 + 1] + mean[:, -np.arange(_SIDE // 2 + 1)]) / 2
    weights = _nearby_weights()
    return np.log(np.einsum("nv,cvh,mh->cnm", weights, mirrored, weights)).astype(np.float32)


def magnitudes(height: int, width: int) -> FloatArray:
    """Return the mean magnitude of photographs of a size.

    Frequencies are in cycles a picture. Above 128 of them magnitudes fall like 1 / (1 + frequency).

    Args:
        height: Height of the picture, px.
        width: Width of the picture, px.

    Returns:
        [3, height, width // 2 + 1] float32, as ``tf.signal.rfft2d`` orders and scales frequencies.
    """
    rows = np.arange(height)
    vertical, horizontal = np.minimum(rows, height - rows), np.arange(width // 2 + 1)
    logarithms = np.einsum(
        "vn,cnm,hm->cvh", _interpolation(vertical), _grid(), _interpolation(horizontal)
    )
    beyond = _beyond(vertical)[:, None] * _beyond(horizontal)
    return (np.exp(logarithms) * beyond * height * width).astype(np.float32)


def _beyond(frequencies: np.ndarray) -> np.ndarray:
    """Return the factor of frequencies above those of the grid; 1 for those of the grid."""
    return (1 + _NODES[-1]) / (1 + np.maximum(frequencies, _NODES[-1]))


@functools.cache
def _grid() -> FloatArray:
    grid: FloatArray = np.load(_FILE, allow_pickle=False)
    return grid


def _interpolation(frequencies: np.ndarray) -> np.ndarray:
    """Return the shares of the grid's nodes in frequencies, [n, 15], linear in log(1 + frequency)."""
    nodes, places = np.log1p(_NODES), np.log1p(np.minimum(frequencies, _NODES[-1]))
    left = np.clip(np.searchsorted(nodes, places, side="right") - 1, 0, len(nodes) - 2)
    share = (places - nodes[left]) / (nodes[left + 1] - nodes[left])
    weights = np.zeros([len(places), len(nodes)])
    weights[np.arange(len(places)), left] = 1 - share
    weights[np.arange(len(places)), left + 1] = share
    return weights


def _nearby_weights() -> np.ndarray:
    """Return the shares of the frequencies 0 to 128 in each node's mean, [15, 129]."""
    weights = _interpolation(np.arange(_SIDE // 2 + 1)).T
    shares: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return shares
