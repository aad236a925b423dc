"""Load the model that a name or a file stands for."""

import pathlib
from collections.abc import Sequence

from stylezoo import classifiers, errors, generators, perceptual, pretrained
from stylezoo.export.servables.classifier_servables import Classifier, FeatureExtractor
from stylezoo.export.servables.photograph_servables import PhotographServable
from stylezoo.export.servables.servable import Servable
from stylezoo.export.servables.texture_servables import TextureServable

KINDS = {
    each.kind: each for each in (PhotographServable, TextureServable, Classifier, FeatureExtractor)
}
"""What exports do, and the classes for it."""


def load(
    model: str,
    *,
    weights: str | None = None,
    layers: Sequence[str] = (),
    labels: Sequence[str] | None = None,
) -> Servable:
    """Load the model that is to be exported.

    Args:
        model: A painter, as :func:`stylezoo.generators.load` takes it, or a classifier of
            :func:`stylezoo.classifiers.list_models` or an alias.
        weights: Weights of a classifier: ``"imagenet"``, a name of ``stylezoo weights list``, or a
            file; by default those of ImageNet.
        layers: Layers of a classifier whose features are exported; none to export its classes.
        labels: What a classifier's classes are called; ImageNet's names if there are 1000 of them,
            else numbers.

    Raises:
        OSError: If a file can't be read.
        ValueError: If a model or layer is unknown, a folder or file is no painter, or the painter
            paints neither photographs nor textures, or in any picture's style.
        WeightsError: If a classifier's weights can't be had.
    """
    source = pathlib.Path(model).name
    if model in (*classifiers.list_models(), *classifiers.ALIASES):
        name, weights = classifiers.canonical(model), weights or "imagenet"
        if layers:
            with errors.renamed(taps="layers"):
                perceptual.check_taps(name, layers, distinct=True)
            network = perceptual.Perceptual(name, weights).build(layers)
            return FeatureExtractor(network, name, name, list(network.output))
        classifier = classifiers.build(name, weights=weights)
        imagenet = [label.name for label in classifiers.imagenet_labels()]
        if labels is None and classifier.output_shape[-1] == len(imagenet):
            labels = imagenet
        return Classifier(classifier, name, labels)
    for argument, given in (("layers", layers), ("weights", weights)):
        if given:
            raise ValueError(f"`{argument}` must come with a classifier. Received: model={model}")
    if model not in pretrained.LISTED and not pathlib.Path(model).exists():
        known = ", ".join((*pretrained.LISTED, *classifiers.list_models()))
        raise ValueError(f"`model` must be a preset's folder, or one of {known}. Received: {model}")
    painter = generators.load(model)
    servables = {each.kind: each for each in (PhotographServable, TextureServable)}
    if painter.paints not in servables:
        raise ValueError(
            f"`model` must paint photographs or textures. Received: {model}, for {painter.paints}"
        )
    if isinstance(painter, generators.Arbitrary):
        raise ValueError(
            f"`model` must paint in styles of its own. Received: {model}, which takes any picture's"
        )
    return servables[painter.paints](painter, source, generators.read_card(model))
