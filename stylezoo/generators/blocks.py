"""The convolutions that painters are built of."""

import dataclasses
from typing import Any

import keras

from stylezoo.layers import (
    ConditionalInstanceNormalization,
    CropTo,
    InstanceNormalization,
    Limit,
    MirrorPadding,
    NearestUpsampling,
    PredictedInstanceNormalization,
    UnitClip,
)


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Build the layers of one network, with what is the same for all its convolutions.

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

    def upsample(self, x: Any, filters: int, *, kind: str, name: str) -> Any:
        """Double the size: ``kind`` is ``"nearest"`` or ``"transposed"``."""
        return (self.nearest if kind == "nearest" else self.transposed)(x, filters, name=name)

    def transposed(self, x: Any, filters: int, *, name: str) -> Any:
        """Double the size by a transposed 3x3 convolution."""
        x = keras.layers.Conv2DTranspose(filters, 3, 2, padding="same", use_bias=False, name=name)(
            x
        )
        return self._finish(x, name)

    def nearest(self, x: Any, filters: int, *, name: str, activate: bool = True) -> Any:
        """Repeat every pixel in each direction, then convolve 3x3 (Odena et al. 2016)."""
        x = NearestUpsampling(name=f"{name}_nearest")(x)
        return self.conv(x, filters, 3, activate=activate, name=name)

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


def painted(x: Any, like: Any, *, factor: int = 1, output: str = "sigmoid") -> Any:
    """Finish a painter's output: ``factor`` times the size of ``like``, in [0, 1], in float32.

    See ``output`` of :class:`JohnsonConfig` for how the range is reached.
    """
    x = CropTo(factor, name="crop")(x, like)
    if output == "sigmoid":
        return keras.layers.Activation("sigmoid", dtype="float32", name="sigmoid")(x)
    if output == "tanh":
        x = keras.layers.Activation("tanh", dtype="float32", name="tanh")(x)
        x = keras.layers.Rescaling(150 / 255, 0.5, dtype="float32", name="stretch")(x)
    return UnitClip(dtype="float32", name="clip")(x)


def style_inputs(num_styles: int) -> dict[str, Any]:
    """Return the inputs of a network that paints photographs.

    There is an ``image`` and, if there are styles to choose from, ``style_weights``.
    """
    inputs = {"image": keras.Input([None, None, 3], name="image")}
    if num_styles:
        inputs["style_weights"] = keras.Input([num_styles], name="style_weights")
    return inputs
