"""ImageNet classifiers; for now the convolutional parts of VGG and AlexNet."""

from stylezoo.classifiers import alexnet, vgg
from stylezoo.classifiers.chain import POOLINGS, Conv, Pool, TapInfo, build_taps, tap_infos

_CHAINS = {name: module.chain for module in (vgg, alexnet) for name in module.ARCHITECTURES}
ARCHITECTURES = tuple(_CHAINS)


def chain(architecture: str) -> tuple[Conv | Pool, ...]:
    """The layers of the convolutional part of ``architecture``.

    Raises:
        ValueError: for an unknown name; the message lists the known ones.
    """
    if architecture not in _CHAINS:
        raise ValueError(
            f"`architecture` must be one of {', '.join(ARCHITECTURES)}. "
            f"Received: architecture={architecture!r}"
        )
    return _CHAINS[architecture](architecture)


__all__ = [
    "ARCHITECTURES",
    "POOLINGS",
    "Conv",
    "Pool",
    "TapInfo",
    "build_taps",
    "chain",
    "tap_infos",
]
