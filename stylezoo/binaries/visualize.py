"""Look at what a network sees: its filters, what units respond to, pictures that drive them up.

Usage:
  stylezoo visualize WHAT --output=PICTURE [--flags]     (stylezoo visualize WHAT --help lists them)

SqueezeNet 1.1 (--network=squeezenet1_1) and EfficientNet-Lite0 (efficientnet_lite0) know classes and all
their layers with weights from a package index; AlexNet (alexnet_owt) and VGG-16 (vgg16) their layers.
`stylezoo models NETWORK` lists the layers of a network. WHAT is one of:
"""

SUBCOMMANDS = ("filters", "attribution", "activation", "inversion", "dream")
