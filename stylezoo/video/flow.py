"""Optical flow, and where it can be relied on."""

import dataclasses
import functools
from typing import Any

import numpy as np

from stylezoo.images import FloatArray
from stylezoo.video.extras import optional

# Below this side DIS has no room for a level of its pyramid.
_SMALLEST_SIDE = 16
# A cut: the flow leads back to where it came from at fewer pixels than this share.
_CUT_SHARE = 0.4
# Side of the window over which soft weights are averaged, px.
_FADE = 9


def optical_flow(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return where each pixel of one picture is in another.

    This is DIS (Kroeger et al. 2016, "Fast Optical Flow using Dense Inverse Search") by OpenCV, whose
    preset "medium" is made finer by one level, the pictures' own.

    Args:
        first: [1, H, W, 3] in [0, 1].
        second: [1, H, W, 3] in [0, 1], of the same size.

    Returns:
        [1, H, W, 2] float32: x and y of the displacement, px.

    Raises:
        ModuleNotFoundError: If OpenCV is not installed.
        ValueError: If the sizes differ.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"`second` must have the shape of `first`, {first.shape}. Received: {second.shape}"
        )
    height, width = first.shape[1:3]
    margins = [(0, max(_SMALLEST_SIDE - side, 0)) for side in (height, width)]
    grey = [np.pad(_grey(picture), margins, "edge") for picture in (first, second)]
    return np.asarray(_dis().calc(*grey, None))[np.newaxis, :height, :width]


@functools.cache
def _dis() -> Any:
    cv2 = optional("cv2", "Optical flow")
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    return dis


def _grey(picture: FloatArray) -> np.ndarray:
    cv2 = optional("cv2", "Optical flow")
    return np.asarray(cv2.cvtColor(np.rint(255 * picture[0]).astype(np.uint8), cv2.COLOR_RGB2GRAY))


@dataclasses.dataclass(frozen=True)
class Motion:
    """How a picture follows from an earlier one.

    Attributes:
        flow: [1, H, W, 2], where each of its pixels is in the earlier picture, px: the backward flow.
        weights: [1, H, W, 1], 1 where that can be relied on; 0 where a pixel was not visible before, and at
            the boundaries of motions.
        is_cut: Whether hardly anything of the earlier picture is left, as after a cut.
    """

    flow: FloatArray
    weights: FloatArray
    is_cut: bool

    @property
    def soft_weights(self) -> FloatArray:
        """The weights, falling towards the places where they are 0: blends have no ragged edges then."""
        return self.weights * self._around

    @property
    def uncovered(self) -> FloatArray:
        """[1, H, W, 1], 1 where little around a pixel can be relied on, as where something comes into view.

        It falls to 0 where half of what is around can be: single pixels are no uncovered places.
        """
        return np.clip(1 - 2 * self._around, 0, 1)

    @property
    def _around(self) -> FloatArray:
        """Means of the weights in windows."""
        cv2 = optional("cv2", "Warping")
        means = cv2.blur(self.weights[0, ..., 0], (_FADE, _FADE))
        return np.asarray(means)[np.newaxis, ..., np.newaxis]


def motion(earlier: FloatArray, picture: FloatArray) -> Motion:
    """Compare a picture with an earlier one.

    Args:
        earlier: [1, H, W, 3] in [0, 1].
        picture: [1, H, W, 3] in [0, 1], of the same size.

    Raises:
        ModuleNotFoundError, ValueError: As :func:`optical_flow`.
    """
    backward = optical_flow(picture, earlier)
    consistent = consistency(backward, optical_flow(earlier, picture))
    weights = consistent * (1 - motion_boundaries(backward))
    return Motion(backward, weights, bool(consistent.mean() < _CUT_SHARE))


def consistency(flow: FloatArray, other: FloatArray) -> FloatArray:
    """Return where a flow leads back: 1, or 0 where the pixel is not visible in the other picture.

    Source: Ruder, Dosovitskiy & Brox 2016, the detection of disocclusions, after Sundaram et al. 2010.
    Pixels that leave the picture are not visible either, as in the authors' code.

    Args:
        flow: [1, H, W, 2], px, from a picture to another.
        other: [1, H, W, 2], px, from the other to the picture.

    Returns:
        [1, H, W, 1] float32.
    """
    height, width = flow.shape[1:3]
    x, y = _targets(flow)
    returned = _sample(other, x, y)
    difference = np.square(flow + returned).sum(-1, keepdims=True)
    length = (np.square(flow) + np.square(returned)).sum(-1, keepdims=True)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    visible = (difference <= 0.01 * length + 0.5) & inside[np.newaxis, ..., np.newaxis]
    return visible.astype(np.float32)


def motion_boundaries(flow: FloatArray) -> FloatArray:
    """Return 1 where motions meet, 0 elsewhere: |∇u|² + |∇v|² > 0.01 |w|² + 0.002.

    Source: Ruder, Dosovitskiy & Brox 2016, the detection of motion boundaries. Derivatives are central
    differences.

    Args:
        flow: [1, H, W, 2], px.

    Returns:
        [1, H, W, 1] float32.
    """
    square = np.zeros(flow.shape[1:3], np.float32)
    for axis in (0, 1):
        if flow.shape[1 + axis] > 1:
            square += np.square(np.gradient(flow[0], axis=axis)).sum(-1)
    length = np.square(flow[0]).sum(-1)
    return (square > 0.01 * length + 0.002).astype(np.float32)[np.newaxis, ..., np.newaxis]


def remap(picture: FloatArray, flow: FloatArray) -> FloatArray:
    """Fetch each pixel from where a flow says it is, with a cubic kernel, which keeps pictures sharp.

    :func:`stylezoo.ops.warp` is the bilinear one of the graph, which has gradients.

    Args:
        picture: [1, H, W, C].
        flow: [1, H, W, 2], px.

    Returns:
        [1, H, W, C] float32, within the range of ``picture``. Beyond the picture its edge goes on.
    """
    cv2 = optional("cv2", "Warping")
    x, y = _targets(flow)
    warped = cv2.remap(picture[0], x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    warped = warped.reshape(flow.shape[1], flow.shape[2], -1)
    return np.clip(warped, picture.min(), picture.max())[np.newaxis]


def _targets(flow: FloatArray) -> tuple[np.ndarray, np.ndarray]:
    """Return column and row, [H, W] each, that pixels lead to."""
    height, width = flow.shape[1:3]
    x = np.arange(width, dtype=np.float32) + flow[0, ..., 0]
    y = np.arange(height, dtype=np.float32)[:, np.newaxis] + flow[0, ..., 1]
    return x, y


def _sample(field: FloatArray, x: np.ndarray, y: np.ndarray) -> FloatArray:
    cv2 = optional("cv2", "Warping")
    sampled = cv2.remap(field[0], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled)[np.newaxis]
