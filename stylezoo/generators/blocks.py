"""The convolutions that painters are built of."""

import dataclasses
from typing import Any

import keras

from stylezoo.layers import (
    BilinearConv2D,
    ConditionalInstanceNormalization,
    CropTo,
    CutMargin,
    InstanceNormalization,
    Limit,
    Margin,
    MirrorPadding,
    NearestUpsampling,
    PadToMultiple,
    PredictedInstanceNormalization,
    UnitClip,
)


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Build the layers of one network, whose convolutions have these options in common.

    Attributes:
        normalization: ``"batch"``, ``"instance"``, ``"conditional"``, ``"predicted"``, or ``"none"``
            for biases in its place.
        padding: ``"reflect"``, ``"wrap"``, ``"zero"``, or ``"same"`` for zeros where TensorFlow puts
            them.
        leak: Slope of the ReLU after the normalisation where its input is negative.
        limit: Normalised values are cut to ±``limit`` except in training; 0 for no limit.
        num_styles: Number of styles, for ``"conditional"``.
        style: What scales and shifts depend on: for ``"conditional"`` the network's input
            ``style_weights``, [B, num_styles], for ``"predicted"`` the styles' vectors, [B, n].
    """

    normalization: str
    padding: str
    leak: float = 0.0
    limit: float = 0.0
    num_styles: int = 0
    style: Any = None

    def conv(
        self,
        x: Any,
        filters: int,
        kernel: int,
        *,
        name: str,
        strides: int = 1,
        activate: bool = True,
        normalize: bool = True,
        padded: bool = True,
    ) -> Any:
        """Convolve, normalise and activate; the size is divided by ``strides``."""
        same = self.padding == "same"
        if padded and kernel > 1 and not same:
            x = self._pad(x, kernel // 2, name=f"{name}_pad")
        normalize = normalize and self.normalization != "none"
        x = keras.layers.Conv2D(
            filters,
            kernel,
            strides,
            padding="same" if same else "valid",
            use_bias=not normalize,  # it would be normalised away
            name=name,
        )(x)
        return self._finish(x, name, activate=activate, normalize=normalize)

    def upsample(self, x: Any, filters: int, *, kind: str, name: str, activate: bool = True) -> Any:
        """Double the size, and convolve 3x3.

        ``kind`` is ``"transposed"`` for one transposed convolution; ``"nearest"`` repeats every pixel
        before the convolution (Odena et al. 2016), and ``"bilinear"`` interpolates before it.
        """
        if kind == "nearest":
            x = NearestUpsampling(name=f"{name}_nearest")(x)
            return self.conv(x, filters, 3, activate=activate, name=name)
        normalize = self.normalization != "none"
        if kind == "bilinear":
            x = self._pad(x, 1, name=f"{name}_pad")
            x = BilinearConv2D(filters, use_bias=not normalize, name=name)(x)
        else:
            x = keras.layers.Conv2DTranspose(
                filters, 3, 2, padding="same", use_bias=not normalize, name=name
            )(x)
        return self._finish(x, name, activate=activate, normalize=normalize)

    def wider_view(self, x: Any, filters: int, num_blocks: int, *, kind: str, name: str) -> Any:
        """Add residual blocks at half the size, which see twice as far, to their input."""
        y = self.conv(x, filters, 3, strides=2, name=f"{name}_down")
        for index in range(num_blocks):
            y = self.residual(y, name=f"{name}_block{index + 1}")
        y = self.upsample(y, x.shape[-1], kind=kind, activate=False, name=f"{name}_up")
        return keras.layers.Add(name=f"{name}_add")([x, y])

    def residual(self, x: Any, *, name: str, padded: bool = True) -> Any:
        """Add two 3x3 convolutions to their input; no ReLU follows (Gross & Wilber 2016)."""
        filters = x.shape[-1]
        y = self.conv(x, filters, 3, padded=padded, name=f"{name}_conv1")
        y = self.conv(y, filters, 3, padded=padded, activate=False, name=f"{name}_conv2")
        if not padded:
            x = keras.layers.Cropping2D(2, name=f"{name}_crop")(x)
        return keras.layers.Add(name=f"{name}_add")([x, y])

    def normalize(self, x: Any, *, name: str) -> Any:
        """Normalise, and cut to the limit if there is one."""
        x = self._moments(x, name=name)
        return Limit(self.limit, name=f"{name}_limit")(x) if self.limit else x

    def _moments(self, x: Any, *, name: str) -> Any:
        if self.normalization == "batch":
            return keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, name=name)(x)
        if self.normalization == "instance":
            return InstanceNormalization(name=name)(x)
        if self.normalization == "predicted":
            return PredictedInstanceNormalization(name=name)(x, self.style)
        return ConditionalInstanceNormalization(self.num_styles, name=name)(x, self.style)

    def _pad(self, x: Any, padding: int, *, name: str) -> Any:
        if self.padding == "zero":
            return keras.layers.ZeroPadding2D(padding, name=name)(x)
        return MirrorPadding(padding, self.padding, name=name)(x)

    def _finish(self, x: Any, name: str, *, activate: bool = True, normalize: bool = True) -> Any:
        if normalize:
            x = self.normalize(x, name=f"{name}_norm")
        if activate:
            x = keras.layers.ReLU(negative_slope=self.leak, name=f"{name}_relu")(x)
        return x


def entered(
    image: Any, stride: int, *, mirrored: int, margin: int = 0, centred: bool = True
) -> Any:
    """Return what a painter of photographs convolves first.

    The picture is mirrored until its sides are multiples of ``stride`` and until ``mirrored`` px of it
    can be reflected, at the coarsest features one position. It is scaled to [-1, 1] if it is to be
    ``centred``, and gets a margin of ``margin`` mirrored px on each side when it is painted.
    """
    minimum = max(2 * stride, stride * -(-(mirrored + 1) // stride))
    x = PadToMultiple(stride, minimum, name="pad_to_multiple")(image)
    if centred:
        x = keras.layers.Rescaling(2.0, -1.0, name="rescale")(x)
    return Margin(margin, name="margin")(x) if margin else x


def painted(x: Any, like: Any, *, factor: int = 1, output: str = "sigmoid", margin: int = 0) -> Any:
    """Finish a painter's output: ``factor`` times the size of ``like``, in [0, 1], in float32.

    See ``output`` of :class:`JohnsonConfig` for how the range is reached; ``margin`` px are cut from
    each side.
    """
    if margin:
        x = CutMargin(margin, name="cut_margin")(x)
    x = CropTo(factor, name="crop")(x, like)
    if output == "sigmoid":
        return keras.layers.Activation("sigmoid", dtype="float32", name="sigmoid")(x)
    if output == "tanh":
        x = keras.layers.Activation("tanh", dtype="float32", name="tanh")(x)
        x = keras.layers.Rescaling(150 / 255, dtype="float32", name="stretch")(x)
    return UnitClip(dtype="float32", name="clip")(x)


def style_inputs(num_styles: int) -> dict[str, Any]:
    """Return the inputs of a network that paints photographs.

    There is an ``image`` and, if there are styles to choose from, ``style_weights``.
    """
    inputs = {"image": keras.Input([None, None, 3], name="image")}
    if num_styles:
        inputs["style_weights"] = keras.Input([num_styles], name="style_weights")
    return inputs
