"""LeNet-5 (LeCun et al. 1998), which read the digits on cheques."""

from stylezoo.classifiers.architecture import Architecture
from stylezoo.classifiers.building import Builder, Feature


def _trunk(b: Builder, x: Feature) -> Feature:
    """Append conv1 to conv3, the paper's C1 to C5, for 28x28 px; the paper's 32x32 have 2 zeros around.

    As in most implementations subsampling has no coefficients, C3 sees all maps, and tanh is not
    scaled.
    """
    for index, filters, padding in ((1, 6, 2), (2, 16, 0)):
        x = b.tap(b.conv(x, f"conv{index}", filters, 5, padding=padding))
        x = b.tap(b.activate(x, f"tanh{index}", "tanh"))
        x = b.tap(b.pool(x, f"pool{index}", average=True))
    x = b.tap(b.conv(x, "conv3", 120, 5, padding=0))
    return b.tap(b.activate(x, "tanh3", "tanh"))


def _head(b: Builder, x: Feature, num_classes: int, size: tuple[int, int]) -> Feature:
    x = b.dense(b.flatten(x, size), "fc4", 84)
    return b.dense(b.activate(x, "tanh4", "tanh"), "fc5", num_classes)


ARCHITECTURES = {
    "lenet5": Architecture(
        _trunk,
        _head,
        "LeCun et al. 1998",
        input_size=28,
        channels=1,
        num_classes=10,
        preprocessing="unit",
    )
}
