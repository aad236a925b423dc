"""VGG A to E (Simonyan & Zisserman 2015, table 1): the convolutional parts."""

from stylezoo.classifiers.chain import Conv, Pool

_FILTERS = (64, 128, 256, 512, 512)

# Convolutions of each block. C's third ones are 1x1.
_DEPTHS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg_c": (2, 2, 3, 3, 3),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}
ARCHITECTURES = tuple(_DEPTHS)


def chain(architecture: str) -> tuple[Conv | Pool, ...]:
    """The layers of ``architecture``, conv1_1 to pool5."""
    layers: list[Conv | Pool] = []
    for block, (depth, filters) in enumerate(
        zip(_DEPTHS[architecture], _FILTERS, strict=True), start=1
    ):
        for conv in range(1, depth + 1):
            one_by_one = architecture == "vgg_c" and conv == 3
            kernel, padding = (1, 0) if one_by_one else (3, 1)
            layers.append(Conv(f"{block}_{conv}", filters, kernel=kernel, padding=padding))
        layers.append(Pool(str(block), filters))
    return tuple(layers)
