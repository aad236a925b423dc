"""AlexNet: the paper's network of two towers, and the variant whose weights torchvision publishes."""

from stylezoo.classifiers.architecture import Architecture, fully_connected_head
from stylezoo.classifiers.building import Builder, Feature


def _alexnet(b: Builder, x: Feature) -> Feature:
    """Append the trunk of Krizhevsky et al. 2012: two towers, one on each GPU, that meet in conv3."""
    x = b.tap(b.conv(x, "conv1", 96, 11, strides=4, padding=0))
    x = b.tap(b.activate(x, "relu1"))
    x = b.tap(b.local_response_norm(x, "norm1"))
    x = b.tap(b.pool(x, "pool1", 3))
    x = b.tap(b.conv(x, "conv2", 256, 5, groups=2))
    x = b.tap(b.activate(x, "relu2"))
    x = b.tap(b.local_response_norm(x, "norm2"))
    x = b.tap(b.pool(x, "pool2", 3))
    for index, (filters, groups) in enumerate(((384, 1), (384, 2), (256, 2)), start=3):
        x = b.tap(b.conv(x, f"conv{index}", filters, groups=groups))
        x = b.tap(b.activate(x, f"relu{index}"))
    return b.tap(b.pool(x, "pool5", 3))


def _one_weird_trick(b: Builder, x: Feature) -> Feature:
    """Append the trunk of Krizhevsky 2014: one tower of 64, 192, 384, 256 and 256 filters."""
    x = b.tap(b.conv(x, "conv1", 64, 11, strides=4, padding=2))
    x = b.tap(b.activate(x, "relu1"))
    x = b.tap(b.pool(x, "pool1", 3))
    x = b.tap(b.conv(x, "conv2", 192, 5))
    x = b.tap(b.activate(x, "relu2"))
    x = b.tap(b.pool(x, "pool2", 3))
    for index, filters in enumerate((384, 256, 256), start=3):
        x = b.tap(b.conv(x, f"conv{index}", filters))
        x = b.tap(b.activate(x, f"relu{index}"))
    return b.tap(b.pool(x, "pool5", 3))


ARCHITECTURES = {
    # 227 px: with the paper's 224 px, its 55x55 positions would need zeros outside.
    "alexnet": Architecture(
        _alexnet, fully_connected_head, "Krizhevsky et al. 2012", input_size=227
    ),
    "alexnet_owt": Architecture(_one_weird_trick, fully_connected_head, "Krizhevsky 2014"),
}
