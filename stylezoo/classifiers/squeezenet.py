"""SqueezeNet v1.1 (Iandola et al. 2016; v1.1 in the authors' code): AlexNet's accuracy in 5 MB."""

from stylezoo.classifiers.architecture import Architecture
from stylezoo.classifiers.building import Builder, Feature

# Filters that each module squeezes to, and expands to by 1x1 and by 3x3 convolutions.
_FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192)} | {
    8: (64, 256),
    9: (64, 256),
}


def _fire(b: Builder, x: Feature, name: str, squeezed: int, expanded: int) -> Feature:
    x = b.activate(b.conv(x, f"{name}_squeeze1x1", squeezed, 1), f"{name}_squeeze1x1_relu")
    branches = [
        b.activate(b.conv(x, f"{name}_expand{k}x{k}", expanded, k), f"{name}_expand{k}x{k}_relu")
        for k in (1, 3)
    ]
    return b.tap(b.concat(name, *branches))


def _trunk(b: Builder, x: Feature) -> Feature:
    """Append conv1 to fire9; poolings keep incomplete windows, as in Caffe."""
    x = b.tap(b.activate(b.tap(b.conv(x, "conv1", 64, 3, strides=2, padding=0)), "relu1"))
    x = b.tap(b.pool(x, "pool1", 3, ceil=True))
    for index, (squeezed, expanded) in _FIRES.items():
        x = _fire(b, x, f"fire{index}", squeezed, expanded)
        if index in (3, 5):
            x = b.tap(b.pool(x, f"pool{index}", 3, ceil=True))
    return x


def _head(b: Builder, x: Feature, num_classes: int, size: tuple[int, int]) -> Feature:
    """Append scores at every position, which are not negative, and their mean."""
    del size
    x = b.conv(b.dropout(x, "dropout", 0.5), "conv10", num_classes, 1)
    return b.global_average(b.activate(x, "relu10"))


ARCHITECTURES = {"squeezenet1_1": Architecture(_trunk, _head, "Iandola et al. 2016")}
