"""Which pixels of a picture a class or a neuron responds to.

Usage:
  stylezoo visualize attribution --image=PICTURE --class=CLASS --output=PICTURE [--method=NAME,...] [--flags]
  stylezoo visualize attribution --image=PICTURE --layer=LAYER --channel=N --output=PICTURE [--flags]

The output has a row for each class or channel: the picture, then the attribution of each method. With
--method=all those are left out that say nothing with the network: guided rules without ReLUs, and deconvnet
without maximum pooling. Methods:
  gradient              the largest derivative over the colours (Simonyan et al. 2014)
  deconvnet             Zeiler & Fergus 2014
  guided_backprop       Springenberg et al. 2015
  smoothgrad            the gradient averaged over noisy pictures (Smilkov et al. 2017)
  integrated_gradients  from a black picture to this one (Sundararajan et al. 2017)
  grad_cam              the region, as warm colours (Selvaraju et al. 2017)
  guided_grad_cam       guided backprop in that region
  occlusion             how far the score falls when a grey square hides a part (Zeiler & Fergus 2014)
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import (
    config_flags,
    flag_checks,
    network_flags,
    options,
    quiet,
    reporting,
    unit_flags,
)
from stylezoo.visualize.attribution_config import CAM_METHODS, METHODS, AttributionConfig

if TYPE_CHECKING:
    import tensorflow as tf

    from stylezoo.perceptual import Network
    from stylezoo.visualize import Score

_CONFIG = config_flags.ConfigFlags(AttributionConfig, skip=["method"])
# The methods that flags are for.
_METHODS = {
    **dict.fromkeys(("noise", "samples", "seed"), ("smoothgrad",)),
    "steps": ("integrated_gradients",),
    **dict.fromkeys(("occluder", "occluder_stride"), ("occlusion",)),
    "cam_layer": CAM_METHODS,
}
# Memory grows with the number of pixels: 12 megapixels would take over 20 GB.
_SIDE = 512
_UNSIGNED = ("gradient", "smoothgrad", "integrated_gradients")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Picture to write.",
        report="Also write scores and settings to this JSON file.",
    )
    network_flags.define(values, default="efficientnet_lite0")
    unit_flags.define_unit_flags(values, position="strongest")
    _CONFIG.define(values)
    flags.DEFINE_string("image", None, "Picture to look at.", flag_values=values)
    flags.DEFINE_integer(
        "size",
        None,
        f"Longest side to which the picture is resized, px; by default its own, at most {_SIDE}. Networks "
        "whose head needs one size get a square of that size.",
        1,
        flag_values=values,
    )
    flags.DEFINE_list(
        "method",
        [AttributionConfig.method],
        "Methods of the list above, or all.",
        flag_values=values,
    )


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "output", "method")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    for name, methods in _METHODS.items():
        is_used = not {*methods, "all"}.isdisjoint(values.method)
        flag_checks.needs(values, name, f"--method={' or '.join(methods)}", met=is_used)
    image = images.read_image(values.image, max_pixels=values.max_pixels)
    quiet.import_tensorflow()

    looked = network_flags.read(values)
    chosen = unit_flags.selected(values, looked)
    configs = _configs(values, looked)
    rows = [[each] for each in chosen] or [[]]
    objectives = [unit_flags.objective(values, looked, row) for row in rows]
    names = [row[0].name if row else f"{values.layer}:{values.direction}" for row in rows]
    shown, network = _seen(values, looked, image, objectives, configs)
    configs = _suitable(values, network, configs)
    cells, captions, scores = _attributions(
        network, shown, list(zip(names, objectives, strict=True)), configs
    )
    sheet = images.contact_sheet(cells, columns=1 + len(configs), captions=captions)
    reporting.write_picture(values, sheet, values.output)
    found = list(zip(names, scores, strict=True))
    print(reporting.table([(name, f"{score:.4f}") for name, score in found]))
    reporting.note_silent(names, scores)
    reporting.write_report(
        values,
        {
            "units": [{"unit": name, "score": score} for name, score in found],
            "methods": [reporting.settings(each) for each in configs],
            **reporting.circumstances(values),
        },
    )
    return 0


def _seen(
    values: flags.FlagValues,
    looked: "Network",
    image: np.ndarray,
    objectives: "list[Score]",
    configs: list[AttributionConfig],
) -> "tuple[tf.Tensor, Any]":
    """Return the picture as the network sees it, and the network."""
    from stylezoo import perceptual

    layers = tuple(dict.fromkeys(layer for each in objectives for layer in each.layers))
    cams = tuple({each.cam_layer for each in configs if each.cam_layer})
    with errors.renamed(taps="cam_layer"):
        perceptual.check_taps(looked, cams)
    size = options.longest_side(image, values.size, most=_SIDE)
    shown = network_flags.fitted(image, network=looked, taps=(*layers, *cams), size=size)
    network = network_flags.perceptual(values, looked).build((*layers, *cams))
    return shown, network


def _suitable(
    values: flags.FlagValues, network: Any, configs: list[AttributionConfig]
) -> list[AttributionConfig]:
    """Return the configurations without those of methods that say nothing; one that was named stays."""
    from stylezoo import visualize

    unsuitable = visualize.unsuitable_methods(network)
    for config in configs:
        if reason := unsuitable.get(config.method):
            which = "is left out" if values.method == ["all"] else "says nothing of this picture"
            reporting.note(f"{config.method} {which}: {reason}")
    if values.method != ["all"]:
        return configs
    return [each for each in configs if each.method not in unsuitable]


def _attributions(
    network: Any,
    shown: "tf.Tensor",
    objectives: "list[tuple[str, Score]]",
    configs: list[AttributionConfig],
) -> tuple[list[np.ndarray], list[str], list[float]]:
    """Return the sheet's cells, their captions, and the scores.

    For each objective there are the picture and what each method makes of it.
    """
    cells: list[np.ndarray] = []
    captions: list[str] = []
    scores: list[float] = []
    with reporting.bar("attribution", "map", total=len(objectives) * len(configs)) as bar:
        for name, objective in objectives:
            score = float(objective(network(shown))[0])
            scores.append(score)
            cells.append(shown[0].numpy())
            captions.append(reporting.caption(name, score))
            for config in configs:
                cells.append(picture(network, objective, config, shown))
                captions.append(config.method)
                bar.update()
    return cells, captions, scores


def _configs(values: flags.FlagValues, looked: "Network") -> list[AttributionConfig]:
    """Return a configuration for each of the methods."""
    from stylezoo import perceptual

    given = _CONFIG.given(values)
    if "cam_layer" not in given and values["class"].value is not None:
        given["cam_layer"] = list(perceptual.tap_info(looked))[-1]
    without_layer = {**given, "cam_layer": None}
    return [
        AttributionConfig(method, **(given if method in CAM_METHODS else without_layer))
        for method in (METHODS if values.method == ["all"] else values.method)
    ]


def picture(
    network: Any, objective: "Score", config: AttributionConfig, image: "tf.Tensor"
) -> np.ndarray:
    """Return the attribution of a picture, [1, H, W, 3], as a picture, [H, W, 3]."""
    import tensorflow as tf

    from stylezoo import visualize

    attribute: Any = visualize.Attribution(network, objective, config)
    if config.method in _METHODS.values():  # many passes through the network pay for a trace
        attribute = tf.function(attribute, autograph=False)
    attribution = attribute(tf.convert_to_tensor(image))
    shown: Any
    if config.method in ("grad_cam", "occlusion"):
        shown = visualize.heat(attribution, image)
    elif config.method in _UNSIGNED:
        shown = visualize.magnitudes(attribution)
    else:
        shown = visualize.colours(attribution)
    return shown[0].numpy()
