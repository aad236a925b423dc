"""AlexNet: the variant whose ImageNet weights torchvision publishes."""

from stylezoo.classifiers.chain import Conv, Pool

ARCHITECTURES = ("alexnet_owt",)


def chain(architecture: str) -> tuple[Conv | Pool, ...]:
    """The layers of ``architecture``, conv1 to pool5.

    Source: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks": one
    group of 64-192-384-256-256 filters, no local response normalisation.
    """
    del architecture
    return (
        Conv("1", 64, kernel=11, stride=4, padding=2),
        Pool("1", 64, kernel=3),
        Conv("2", 192, kernel=5, padding=2),
        Pool("2", 192, kernel=3),
        Conv("3", 384),
        Conv("4", 256),
        Conv("5", 256),
        Pool("5", 256, kernel=3),
    )
