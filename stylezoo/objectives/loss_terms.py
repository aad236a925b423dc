"""Make the terms of an objective's loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from stylezoo import losses, perceptual
from stylezoo.images import Image
from stylezoo.objectives.objective import Objective
from stylezoo.objectives.scalings import SCALINGS
from stylezoo.objectives.tiled import TiledLoss
from stylezoo.objectives.total_loss import TotalLoss

_MEGABYTE = 1_000_000


def build_loss(
    objective: Objective,
    *,
    pictures: Sequence[Image] = (),
    regions: Mapping[str, float] | None = None,
    temporal_weight: float | None = None,
    tile: int | None = None,
    seed: int = 0,
) -> TotalLoss:
    """Return the loss of an objective; see :meth:`Objective.build`."""
    network = objective.perceptual.build(objective.taps)
    units = _feature_units(objective, network, pictures)
    terms: list[losses.LossTerm] = []
    if objective.content_taps:
        terms.append(_content_term(objective, units))
    weights = {"style": objective.style_weight} if regions is None else regions
    terms += [_style_term(objective, units, seed, name, each) for name, each in weights.items()]
    if objective.histogram_taps:
        terms.append(
            losses.HistogramLoss(objective.histogram_taps, weight=objective.histogram_weight)
        )
    if objective.tv_weight:
        terms.append(_variation_term(objective))
    if objective.dream_taps:
        terms.append(losses.ActivationLoss(objective.dream_taps, weight=objective.dream_weight))
    if temporal_weight is not None:
        factor = SCALINGS[objective.scaling].temporal_factor
        terms.append(losses.TemporalLoss(weight=factor * temporal_weight))
    if tile is None:
        return TotalLoss(terms, network)
    infos = perceptual.tap_info(objective.perceptual.network)
    return TiledLoss(terms, network, infos=infos, tile=tile)


def _feature_units(
    objective: Objective, network: keras.Model, pictures: Sequence[Image]
) -> dict[str, float]:
    """Return the numbers that the features of each tap are divided by; see :class:`Scaling`."""
    features = SCALINGS[objective.scaling].features
    if features == "mean":
        return _mean_activations(network, pictures)
    unit = network.get_layer("preprocess").gain / 255.0 if features == "inputs" else 1.0
    return dict.fromkeys(objective.taps, unit)


def _mean_activations(network: keras.Model, pictures: Sequence[Image]) -> dict[str, float]:
    """Return the mean absolute feature of each tap over pictures, each picture counting the same."""
    if not pictures:
        raise ValueError("`pictures` must be given for mean activations. Received: none")
    means = [
        {tap: tf.reduce_mean(tf.abs(features)) for tap, features in network(picture).items()}
        for picture in pictures
    ]
    return {tap: float(sum(mean[tap] for mean in means)) / len(means) for tap in means[0]}


def _content_term(objective: Objective, units: Mapping[str, float]) -> losses.ContentLoss:
    scaling, taps = SCALINGS[objective.scaling], objective.content_taps
    # Sources have one layer where features have a unit; for several it is their mean.
    unit = sum(units[tap] for tap in taps) / len(taps)
    weight = objective.content_weight * scaling.content_factor / unit**2
    if scaling.sums_layers:
        weight *= len(taps)  # `ContentLoss` is a mean over layers
    return losses.ContentLoss(taps, weight=weight, scale=scaling.content)


def _style_term(
    objective: Objective, units: Mapping[str, float], seed: int, name: str, weight: float
) -> losses.LayeredLoss:
    scaling, taps = SCALINGS[objective.scaling], objective.style_taps
    infos = perceptual.tap_info(objective.perceptual.network)
    # A Gram matrix has products of features, and all losses square.
    power = 4 if objective.style_loss == "gram" else 2
    options: dict[str, Any] = {
        "name": name,
        "weight": weight,
        "layer_weights": [
            scaling.layer_weight(infos[tap].channels, share, len(taps)) / units[tap] ** power
            for tap, share in zip(taps, objective.shares, strict=True)
        ],
    }
    if objective.style_loss == "gram":
        return losses.GramLoss(taps, relative=scaling.relative, **options)
    if objective.style_loss == "moments":
        return losses.MomentsLoss(taps, relative=scaling.relative, **options)
    if objective.style_loss == "sliced":
        return losses.SlicedWassersteinLoss(taps, seed=seed, relative=scaling.relative, **options)
    patches = objective.patches
    options |= {
        "guide_weight": patches.guide_weight,
        "memory": patches.match_memory * _MEGABYTE,
    }
    if objective.style_loss == "neighbors":
        neighbors = objective.neighbors
        grid = None if neighbors.hypercolumns else neighbors.layer_grid
        return losses.NeighborLoss(
            taps,
            hypercolumns=neighbors.hypercolumns,
            key_grid=grid or neighbors.key_grid,
            query_grid=grid,
            seed=seed,
            **options,
        )
    return losses.MRFLoss(
        taps,
        scale=scaling.patches,
        patch_size=patches.patch_size,
        stride=patches.patch_stride,
        **options,
    )


def _variation_term(objective: Objective) -> losses.TotalVariationLoss:
    scaling = SCALINGS[objective.scaling]
    return losses.TotalVariationLoss(
        weight=objective.tv_weight * scaling.tv_factor, scale="sum" if scaling.tv_sums else "mean"
    )
