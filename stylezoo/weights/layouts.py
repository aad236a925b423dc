"""The tensors that an architecture's pretrained weights must have, and in what order.

Names are ours: `conv{block}_{conv}/kernel` for VGG (Simonyan & Zisserman 2015, table 1, D and E),
`conv{n}/kernel` for AlexNet. Kernels are [height, width, in, out].

Besides them there may be the heads of LPIPS (Zhang et al. 2018), all of an architecture's or none:
`lpips/{tap}` is a weight for each channel of the tap.
"""

from collections.abc import Iterable, Iterator

Shapes = dict[str, tuple[int, ...]]

TOP_LAYERS = ("fc6", "fc7", "fc8")


def _shapes(layers: Iterable[tuple[str, int, int]], channels: int = 3) -> Shapes:
    """Shapes from each layer's name, kernel size and number of filters."""
    shapes: Shapes = {}
    for name, size, filters in layers:
        shapes[f"{name}/kernel"] = (size, size, channels, filters)
        shapes[f"{name}/bias"] = (filters,)
        channels = filters
    return shapes


def _vgg(*convolutions: int) -> Iterator[tuple[str, int, int]]:
    for block, (count, filters) in enumerate(
        zip(convolutions, (64, 128, 256, 512, 512), strict=True), start=1
    ):
        for convolution in range(1, count + 1):
            yield f"conv{block}_{convolution}", 3, filters


LAYOUTS: dict[str, Shapes] = {
    "vgg16": _shapes(_vgg(2, 2, 3, 3, 3)),
    "vgg19": _shapes(_vgg(2, 2, 4, 4, 4)),
    # Krizhevsky 2014, "One weird trick", without the two towers of the 2012 network.
    "alexnet_owt": _shapes(
        [
            ("conv1", 11, 64),
            ("conv2", 5, 192),
            ("conv3", 3, 384),
            ("conv4", 3, 256),
            ("conv5", 3, 256),
        ]
    ),
}

# Taps as in pretrained_networks.py of richzhang/PerceptualSimilarity, which calls them slices.
LPIPS_HEADS: dict[str, Shapes] = {
    "vgg16": {
        "lpips/relu1_2": (64,),
        "lpips/relu2_2": (128,),
        "lpips/relu3_3": (256,),
        "lpips/relu4_3": (512,),
        "lpips/relu5_3": (512,),
    },
    "alexnet_owt": {
        "lpips/relu1": (64,),
        "lpips/relu2": (192,),
        "lpips/relu3": (384,),
        "lpips/relu4": (256,),
        "lpips/relu5": (256,),
    },
}


def layer_names(architecture: str) -> tuple[str, ...]:
    """The convolutions of an architecture from the image upwards."""
    names = (tensor.partition("/")[0] for tensor in LAYOUTS[architecture])
    return tuple(dict.fromkeys(names))
