"""What a name or a file stands for."""

import pathlib
from collections.abc import Sequence

from stylezoo import classifiers, errors, generators, perceptual, pretrained
from stylezoo.export.servables.classifier_servables import Classifier, FeatureExtractor
from stylezoo.export.servables.painters import Painter
from stylezoo.export.servables.servable import Servable
from stylezoo.export.servables.texture_painters import TexturePainter

KINDS = {each.kind: each for each in (Painter, TexturePainter, Classifier, FeatureExtractor)}


def load(
    model: str,
    *,
    weights: str = "imagenet",
    layers: Sequence[str] = (),
    labels: Sequence[str] | None = None,
) -> Servable:
    """The model that is to be exported.

    Args:
        model: a name of :data:`stylezoo.pretrained.MODELS`, a generator's file, or a classifier of
            :func:`stylezoo.classifiers.list_models` or an alias.
        weights: of a classifier: ``"imagenet"``, a name of ``stylezoo weights list``, or a file.
        layers: of a classifier, to export the features of these layers; none to export its classes.
        labels: what a classifier's classes are called; ImageNet's names if there are 1000 of them,
            else numbers.

    Raises:
        OSError: if a file can't be read.
        ValueError: for an unknown model or layer, a file that is no generator's, or a generator that
            paints neither photographs nor textures.
        WeightsError: if a classifier's weights can't be had.
    """
    source = pathlib.Path(model).name
    if model in (*classifiers.list_models(), *classifiers.ALIASES):
        name = classifiers.canonical(model)
        if layers:
            with errors.renamed(taps="layers"):
                perceptual.check_taps(name, layers)
            network = perceptual.perceptual_network(name, layers, weights=weights)
            return FeatureExtractor(network, name, name, list(network.output))
        classifier = classifiers.build(name, weights=weights)
        imagenet = [label.name for label in classifiers.imagenet_labels()]
        if labels is None and classifier.output_shape[-1] == len(imagenet):
            labels = imagenet
        return Classifier(classifier, name, labels)
    if layers:
        raise ValueError(f"`layers` must come with a classifier. Received: model={model}")
    if model not in pretrained.MODELS and not pathlib.Path(model).is_file():
        known = ", ".join((*pretrained.MODELS, *classifiers.list_models()))
        raise ValueError(
            f"`model` must be a generator's file, or one of {known}. Received: {model}"
        )
    generator = generators.load(model)
    if isinstance(generator.config, generators.SuperResolutionConfig):
        raise ValueError(
            f"`model` must paint photographs or textures. Received: {model}, for super-resolution"
        )
    config = generator.config
    if isinstance(config, generators.TextureNetworkConfig) and not config.stylize:
        return TexturePainter(generator, source)
    return Painter(generator, source)
