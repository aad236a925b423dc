"""Look at what a network sees: its filters, what its units respond to, pictures that drive units up.

Usage:
  stylezoo visualize WHAT --output=PICTURE [--flags]     (stylezoo visualize WHAT --help lists them)

The weights that a package index has of SqueezeNet 1.1 (--network=squeezenet1_1) and EfficientNet-Lite0
(efficientnet_lite0) know ImageNet's classes; those of AlexNet (alexnet_owt) and VGG-16 (vgg16) have no head.
`stylezoo models NETWORK` lists the layers of a network. WHAT is one of:
"""

SUBCOMMANDS = (
    "filters",
    "activations",
    "attribution",
    "activation",
    "inversion",
    "dream",
    "fooling",
    "neighbours",
    "map",
    "report",
)
