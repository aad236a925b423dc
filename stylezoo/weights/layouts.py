"""The layers of networks in order and the heads of LPIPS, which conversions need.

The classifiers know the shapes, and check them when a network gets its weights.
"""

Shapes = dict[str, tuple[int, ...]]

# Convolutions a block: Simonyan & Zisserman 2015, table 1, A, B, D and E.
VGG_DEPTHS = {
    "vgg11": (1, 1, 2, 2, 2),
    "vgg13": (2, 2, 2, 2, 2),
    "vgg16": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
}

# A file has all heads of an architecture or none: `lpips/{tap}` is a weight for each channel of the tap
# (Zhang et al. 2018). The taps are the slices in pretrained_networks.py of richzhang/PerceptualSimilarity.
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


def alexnet_layers() -> tuple[str, ...]:
    """Return the convolutions of AlexNet from the image upwards."""
    return tuple(f"conv{index}" for index in range(1, 6))


def vgg_layers(depths: tuple[int, ...]) -> tuple[str, ...]:
    """Return the convolutions of a VGG from the image upwards; ``depths`` counts each block's."""
    return tuple(
        f"conv{block}_{index}"
        for block, depth in enumerate(depths, start=1)
        for index in range(1, depth + 1)
    )
