"""Classifiers: LeNet-5, AlexNet, VGG, GoogLeNet, ResNet, SqueezeNet, EfficientNet-Lite."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
