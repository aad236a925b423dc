"""How pretrained networks want their input scaled. Needs neither TensorFlow nor Keras."""

from typing import NamedTuple


class InputScaling(NamedTuple):
    """The map from images, RGB in [0, 1], to a network's input: ``(scale * channel - mean) / std``.

    Attributes:
        scale: The factor that the image is multiplied with.
        reverse: Whether the input's channels are BGR.
        mean: What is subtracted from each channel of the input.
        std: What each channel of the input is divided by.
    """

    scale: float = 1.0
    reverse: bool = False
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)


INPUT_SCALINGS = {
    # The VGG authors' Caffe networks take 0-255 and subtract the training set's mean colour.
    "caffe": InputScaling(255.0, True, mean=(103.939, 116.779, 123.68)),
    # torchvision's networks take ImageNet's mean colour and standard deviation.
    "torch": InputScaling(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    "symmetric": InputScaling(2.0, mean=(1.0, 1.0, 1.0)),
    # EfficientNet-Lite was trained with these.
    "lite": InputScaling(255.0, mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0)),
    # Models of keras.applications that have a layer of their own for it take 0-255.
    "bytes": InputScaling(255.0),
    "unit": InputScaling(),
}

# ImageNet's mean colour, RGB in [0, 1].
IMAGENET_MEAN = INPUT_SCALINGS["torch"].mean
