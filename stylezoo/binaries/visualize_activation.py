"""Pictures that drive a class or a unit up, by gradient ascent.

Usage:
  stylezoo visualize activation --class=CLASS,... --output=PICTURE [--preset=NAME] [--judge=NETWORK] [--flags]
  stylezoo visualize activation --layer=LAYER --channel=N,... --output=PICTURE [--flags]

Several classes or channels become a sheet. Presets; flags take the place of their values:
  robust     Fourier coefficients, decorrelated colours, random transforms (Olah et al. 2017; the default)
  smooth     the same, coarser and averaged over steps: for EfficientNet
  l2         Simonyan et al. 2014
  yosinski1  blur and clipping of small norms (Yosinski et al. 2015, like the next three)
  yosinski2  decay and clipping of small norms
  yosinski3  decay and blur
  yosinski4  blur and clipping of small contributions

With --judge=NETWORK another network is shown the pictures of classes, as `stylezoo classify` would; how it
ranks the class of each is printed.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from absl import flags

from stylezoo import images
from stylezoo.binaries.common import options, quiet, reporting, unit_flags

if TYPE_CHECKING:
    import tensorflow as tf

    from stylezoo.visualize import ActivationConfig, Regularizer, Transform

_T = TypeVar("_T")
_FIELDS = (
    "network",
    "weights",
    "size",
    "parametrization",
    "exponent",
    "start",
    "steps",
    "average_decay",
    "l2_weight",
    "tv_weight",
    "diversity_weight",
    "diversity_layer",
    "seed",
)
_TRANSFORMS = ("padding", "jitter", "scale", "rotation")
_REGULARIZERS = ("decay", "blur", "clip_norm", "clip_contribution")


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="The picture or sheet to write.",
        report="Also write scores, ranks, losses, times and settings to this JSON file.",
    )
    unit_flags.define_network_flags(values, default="efficientnet_lite0")
    unit_flags.define_unit_flags(values, position="all")

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    def count(name: str, default: int | None, text: str, lowest: int = 1) -> None:
        flags.DEFINE_integer(name, default, text, lowest, flag_values=values)

    def number(name: str, text: str) -> None:
        flags.DEFINE_float(name, None, text, 0.0, flag_values=values)

    string("preset", "robust", "Of the list above.")
    string("judge", None, "A network that is shown the pictures.")
    count("size", None, "Of the square pictures, px (224).")
    count("steps", None, "Of gradient ascent (256; 500 of yosinski's).", 0)
    count("batch_size", 16, "Pictures at once.")
    count("columns", None, "Of the sheet; as many as rows if not given.")
    count("seed", None, "Of everything random (0).", 0)
    string("parametrization", None, "What is optimised: pixels or fourier coefficients.")
    number(
        "exponent", "Fourier coefficients are scaled by frequency^-exponent: smoother with more."
    )
    number("average_decay", "Give the moving average of the pictures with this decay; below 1.")
    number("learning_rate", "Of Adam (0.05).")
    number("step_size", "Of the plain ascent of l2 and yosinski: mean change of a pixel (0.01).")
    string("start", None, "grey or noise; what is driven up if --images is not given.")
    string(
        "images",
        None,
        "Pictures, a folder or a pattern to start from: their mean, or those of --facets clusters.",
    )
    count("facets", 1, "How many clusters of --images; a picture of each unit from each of them.")
    count("pictures", 1, "Of each unit; to differ, give them a --diversity_weight.")
    number("diversity_weight", "Of the likeness of the pictures of one batch.")
    string("diversity_layer", None, "To which they shall look different.")
    number("l2_weight", "Of the squared difference to grey.")
    number("tv_weight", "Of the total variation: smoother with more.")
    number("decay", "Regulariser: by which fraction all pixels go to grey at every step.")
    number("blur", "Regulariser: standard deviation of a Gaussian blur, px.")
    count("blur_every", 4, "After how many steps.")
    number("clip_norm", "Regulariser: how many of the pixels, %, are set to grey, the faintest.")
    number("clip_contribution", "Regulariser: likewise, those that matter least for the score.")
    number("padding", "Transform: width of a grey frame, px.")
    number("jitter", "Transform: random shift, px.")
    number("scale", "Transform: random change of size, as a fraction.")
    number("rotation", "Transform: random turn, degrees.")


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; returns its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    starts = None if values.images is None else options.pictures([values.images])
    quiet.import_tensorflow()

    from stylezoo import visualize

    config = configure(values)
    chosen = unit_flags.selected(values)
    if values.judge is not None and values["class"].value is None:
        raise ValueError("`--judge` must come with --class")
    judge = None if values.judge is None else _judge(values.judge)
    start = None if starts is None else _start(values, config, starts)
    copies = values.pictures * (1 if start is None else start.shape[0])
    named: list[unit_flags.Named | None] = [*chosen] or [None]  # None stands for a direction
    every = [unit for unit in named for _ in range(copies)]
    pictures: list[np.ndarray] = []
    scores: list[float] = []
    runs: list[dict[str, Any]] = []
    for row in _batches(every, values.batch_size):
        objective = unit_flags.objective(values, [unit for unit in row if unit])
        with reporting.steps("activation") as callback:
            result = visualize.maximize(
                objective,
                config=config,
                batch=len(row),
                start=None if start is None else _repeated(start, len(pictures), len(row)),
                callback=callback,
            )
        pictures += list(result.image)
        scores += visualize.scores(objective, config, result.image).tolist()
        runs.append({"losses": result.losses, "seconds": result.seconds})
    columns = values.columns or math.ceil(math.sqrt(len(pictures)))
    rows: list[dict[str, Any]] = [
        {"unit": unit.name if unit else f"{values.layer}:{values.direction}", "score": score}
        for unit, score in zip(every, scores, strict=True)
    ]
    verdict = None
    if judge is not None:
        ranks = visualize.ranks(judge, pictures, [unit.channel for unit in every if unit])
        verdict = _verdict(values, rows, ranks)
    reporting.write_picture(values, images.contact_sheet(pictures, columns=columns), values.output)
    print(_table(rows, verdict))
    reporting.write_report(
        values,
        {
            "pictures": rows,
            "judge": verdict,
            "runs": runs,
            "settings": reporting.settings(config.resolved()),
            **reporting.circumstances(values),
        },
    )
    return 0


def configure(values: flags.FlagValues) -> "ActivationConfig":
    """The preset, with the flags in its place."""
    from stylezoo import visualize
    from stylezoo.synthesis import Adam

    if values.preset not in visualize.PRESETS:
        raise ValueError(
            f"`--preset` must be one of {', '.join(visualize.PRESETS)}. Received: {values.preset}"
        )
    preset = visualize.PRESETS[values.preset]
    config = dataclasses.replace(preset, **options.given(values, _FIELDS))
    optimizer = config.optimizer
    regularizers = _regularizers(values)
    if isinstance(optimizer, visualize.GradientAscent):
        if values.learning_rate is not None:
            raise ValueError(f"`--learning_rate` must not be given with --preset={values.preset}")
        optimizer = dataclasses.replace(
            optimizer,
            step_size=values.step_size or optimizer.step_size,
            regularizers=regularizers or optimizer.regularizers,
        )
    elif regularizers or values.step_size is not None:
        optimizer = visualize.GradientAscent(
            values.step_size or visualize.GradientAscent.step_size, regularizers
        )
    elif values.learning_rate is not None:
        optimizer = Adam(learning_rate=values.learning_rate)
    return dataclasses.replace(
        config, optimizer=optimizer, transforms=_transforms(values, preset.transforms)
    )


def _regularizers(values: flags.FlagValues) -> "tuple[Regularizer, ...]":
    from stylezoo import visualize

    made = {
        "decay": visualize.Decay,
        "blur": lambda sigma: visualize.Blur(sigma, values.blur_every),
        "clip_norm": visualize.ClipNorm,
        "clip_contribution": visualize.ClipContribution,
    }
    return tuple(made[name](values[name].value) for name in _REGULARIZERS if values[name].value)


def _transforms(
    values: flags.FlagValues, defaults: "tuple[Transform, ...]"
) -> "tuple[Transform, ...]":
    """The preset's, each replaced by what its flag says; 0 takes it away."""
    from stylezoo import visualize

    kinds: tuple[Any, ...] = (
        visualize.Padding,
        visualize.Jitter,
        visualize.Scale,
        visualize.Rotation,
    )
    chosen: list[Transform] = []
    for name, kind in zip(_TRANSFORMS, kinds, strict=True):
        if values[name].value is None:
            chosen += [each for each in defaults if isinstance(each, kind)]
        elif values[name].value:
            chosen.append(kind(values[name].value))
    return tuple(chosen)


def _judge(name: str) -> Any:
    from stylezoo import classifiers

    return classifiers.build(name, weights="imagenet")


def _start(values: flags.FlagValues, config: "ActivationConfig", paths: list[Any]) -> "tf.Tensor":
    """A mean for each facet, [facets, size, size, 3]."""
    from stylezoo import perceptual, visualize

    deepest = list(perceptual.tap_info(config.network))[-1]
    network = perceptual.perceptual_network(config.network, [deepest], weights=config.weights)
    squares = (
        images.centre_square(images.read_image(path, max_pixels=values.max_pixels), config.size)
        for path in paths
    )
    return visualize.cluster_means(network, squares, values.facets, seed=config.seed)


def _repeated(start: "tf.Tensor", first: int, count: int) -> "tf.Tensor":
    """The starts of the pictures ``first`` to ``first + count``, which take them by turns."""
    import tensorflow as tf

    return tf.gather(start, [index % start.shape[0] for index in range(first, first + count)])


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def _verdict(
    values: flags.FlagValues, rows: list[dict[str, Any]], ranks: np.ndarray
) -> dict[str, Any]:
    """What the judge says of all pictures; ``rows`` get their ranks, from 1."""
    for row, rank in zip(rows, ranks.tolist(), strict=True):
        row["rank"] = rank
    return {
        "network": values.judge,
        "pictures": len(rows),
        "top1": int((ranks == 1).sum()),
        "top5": int((ranks <= 5).sum()),
    }


def _table(rows: list[dict[str, Any]], verdict: dict[str, Any] | None) -> str:
    lines = [
        (row["unit"], f"{row['score']:.4f}", *([str(row["rank"])] if verdict else []))
        for row in rows
    ]
    heading = ("UNIT", "SCORE", *([f"RANK OF {verdict['network']}"] if verdict else []))
    table = reporting.table([heading, *lines])
    if verdict is None:
        return table
    return (
        f"{table}\n\n{verdict['network']}: {verdict['top1']} of {verdict['pictures']} first, "
        f"{verdict['top5']} in the first five"
    )
