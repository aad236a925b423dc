"""Pictures that drive a class or a unit up, by gradient ascent.

Usage:
  stylezoo visualize activation --class=CLASS,... --output=PICTURE [--preset=NAME] [--judge=NETWORK] [--flags]
  stylezoo visualize activation --layer=LAYER --channel=N,... --output=PICTURE [--flags]

Several classes or channels become a sheet. Presets, whose values single flags change:
  robust     Fourier coefficients, decorrelated colours, random transforms (Olah et al. 2017; the default)
  smooth     the same, coarser and averaged over steps; for EfficientNet
  l2         Simonyan et al. 2014
  yosinski1  blur and clipping of small norms (Yosinski et al. 2015, like the next three)
  yosinski2  decay and clipping of small norms
  yosinski3  decay and blur
  yosinski4  blur and clipping of small contributions

With --judge=NETWORK another network is shown the pictures of classes, as `stylezoo classify` would; its
rank of each picture's class is printed.
"""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries.common import config_flags, options, quiet, reporting, unit_flags
from stylezoo.visualize.activation_config import ActivationConfig, GradientAscent

if TYPE_CHECKING:
    import tensorflow as tf

    from stylezoo.synthesis.optimizers import OptimizerConfig
    from stylezoo.visualize import Regularizer, Score, Transform

_T = TypeVar("_T")
_CONFIG = config_flags.ConfigFlags(
    ActivationConfig, skip=["network", "weights", "optimizer", "transforms"]
)
_ADAM = config_flags.ConfigFlags(ActivationConfig.optimizer, fields=["learning_rate"])
_ASCENT = config_flags.ConfigFlags(GradientAscent, skip=["regularizers"])
_REGULARIZERS = {
    "decay": "Fraction of every pixel's difference to grey that is taken away after each step.",
    "blur": "Standard deviation of the Gaussian that blurs the picture, px.",
    "clip_norm": "Percentage of the pixels, those of the smallest norms, that are set to grey.",
    "clip_contribution": "Percentage of the pixels, those that matter least for the score, that are set "
    "to grey.",
}
_TRANSFORMS = {
    "padding": "Width of a grey frame that the picture gets before the network sees it, px.",
    "jitter": "Largest random shift before the network sees the picture, px.",
    "scale": "Largest random change of size before the network sees the picture, as a fraction.",
    "rotation": "Largest random turn before the network sees the picture, degrees.",
}


class _Run:
    """The pictures of all units, made in batches.

    Attributes:
        pictures: finished pictures, [H, W, 3] each.
        scores: their scores.
        batches: losses and seconds of each batch, for the report.
    """

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []
        self.scores: list[float] = []
        self.batches: list[dict[str, Any]] = []

    def paint(
        self,
        objective: "Score",
        config: ActivationConfig,
        start: "tf.Tensor | None",
        batch: int,
    ) -> None:
        """Make the next ``batch`` pictures; they start from ``start`` by turns if it is given."""
        from stylezoo import visualize

        own = None if start is None else _repeated(start, len(self.pictures), batch)
        with reporting.steps("activation") as callback:
            result = visualize.maximize(
                objective, config=config, batch=batch, start=own, callback=callback
            )
        self.pictures += list(result.image)
        self.scores += visualize.scores(objective, config, result.image).tolist()
        self.batches.append({"losses": result.losses, "seconds": result.seconds})


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="The picture or sheet to write.",
        report="Also write scores, ranks, losses, times and settings to this JSON file.",
    )
    unit_flags.define_network_flags(values, default=ActivationConfig.network)
    unit_flags.define_unit_flags(values, position="all")
    _CONFIG.define(values)
    _ADAM.define(values)
    _ASCENT.define(values)
    _define_picture_flags(values)
    for name, text in (_REGULARIZERS | _TRANSFORMS).items():
        flags.DEFINE_float(name, None, text, 0.0, flag_values=values)
    flags.DEFINE_integer(
        "blur_every", 4, "Number of steps from one --blur to the next.", 1, flag_values=values
    )


def _define_picture_flags(values: flags.FlagValues) -> None:
    """Add the flags that say which pictures are made, and of what."""
    for name, default, text in (
        ("preset", "robust", "Preset of the list above."),
        ("judge", None, "Network that is shown the pictures of classes afterwards."),
        (
            "images",
            None,
            "Pictures to start from, a folder or a pattern: the mean of all, or of each of --facets "
            "clusters.",
        ),
    ):
        flags.DEFINE_string(name, default, text, flag_values=values)
    for name, default_count, text in (
        ("batch_size", 16, "Number of pictures that are made at once."),
        ("columns", None, "Number of columns of the sheet; by default about as many as rows."),
        (
            "facets",
            1,
            "Number of clusters of --images; each unit gets a picture from each of them.",
        ),
        ("pictures", 1, "Number of pictures of each unit; a --diversity_weight makes them differ."),
    ):
        flags.DEFINE_integer(name, default_count, text, 1, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "output")
    images.check_output_path(values.output, overwrite=values.overwrite)
    reporting.check_report(values)
    starts = None if values.images is None else options.pictures([values.images])
    quiet.import_tensorflow()

    config = configure(values)
    chosen = unit_flags.selected(values)
    judge = _judge(values)
    start = None if starts is None else _start(values, config, starts)
    copies = values.pictures * (1 if start is None else start.shape[0])
    named: list[unit_flags.Named | None] = [*chosen] or [None]  # None stands for a direction
    every = [unit for unit in named for _ in range(copies)]
    run = _Run()
    for row in _batches(every, values.batch_size):
        objective = unit_flags.objective(values, [unit for unit in row if unit])
        run.paint(objective, config, start, len(row))
    rows: list[dict[str, Any]] = [
        {"unit": unit.name if unit else f"{values.layer}:{values.direction}", "score": score}
        for unit, score in zip(every, run.scores, strict=True)
    ]
    verdict = None
    if judge is not None:
        verdict = _verdict(values, judge, run.pictures, every, rows)
    columns = values.columns or math.ceil(math.sqrt(len(run.pictures)))
    sheet = images.contact_sheet(run.pictures, columns=columns)
    reporting.write_picture(values, sheet, values.output)
    print(_table(rows, verdict))
    reporting.write_report(
        values,
        {
            "pictures": rows,
            "judge": verdict,
            "runs": run.batches,
            "settings": reporting.settings(config.resolved()),
            **reporting.circumstances(values),
        },
    )
    return 0


def configure(values: flags.FlagValues) -> ActivationConfig:
    """Return the preset's configuration with the values of the flags that were given."""
    from stylezoo import visualize

    if values.preset not in visualize.PRESETS:
        raise ValueError(
            f"`--preset` must be one of {', '.join(visualize.PRESETS)}. Received: {values.preset}"
        )
    preset = dataclasses.replace(
        visualize.PRESETS[values.preset], network=values.network, weights=values.weights
    )
    return dataclasses.replace(
        _CONFIG.replace(values, preset),
        optimizer=_optimizer(values, preset.optimizer),
        transforms=_transforms(values, preset.transforms),
    )


def _optimizer(values: flags.FlagValues, preset: "OptimizerConfig") -> "OptimizerConfig":
    """Return the preset's optimiser, or the one that the flags ask for."""
    regularizers = _regularizers(values)
    if isinstance(preset, GradientAscent):
        if values.learning_rate is not None:
            raise ValueError(f"`--learning_rate` must not be given with --preset={values.preset}")
        ascent = dataclasses.replace(preset, regularizers=regularizers or preset.regularizers)
        return _ASCENT.replace(values, ascent)
    if regularizers or values.step_size is not None:
        return _ASCENT.replace(values, GradientAscent(regularizers=regularizers))
    return _ADAM.replace(values, preset)


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
    """Return the preset's transforms, each replaced by what its flag says; 0 takes it away."""
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


def _judge(values: flags.FlagValues) -> Any:
    """Return the network of ``--judge``, or None."""
    from stylezoo import classifiers

    if values.judge is None:
        return None
    if values["class"].value is None:
        raise ValueError("`--judge` must come with --class")
    return classifiers.build(values.judge, weights="imagenet")


def _start(values: flags.FlagValues, config: ActivationConfig, paths: list[Any]) -> "tf.Tensor":
    """Return the mean picture of each facet, [facets, size, size, 3]."""
    from stylezoo import perceptual, visualize

    deepest = list(perceptual.tap_info(config.network))[-1]
    network = perceptual.perceptual_network(config.network, [deepest], weights=config.weights)
    squares = (
        images.centre_square(images.read_image(path, max_pixels=values.max_pixels), config.size)
        for path in paths
    )
    with errors.renamed(count="facets"):
        return visualize.cluster_means(network, squares, values.facets, seed=config.seed)


def _repeated(start: "tf.Tensor", first: int, count: int) -> "tf.Tensor":
    """Return the starts of ``count`` pictures from number ``first`` on, which take them by turns."""
    import tensorflow as tf

    return tf.gather(start, [index % start.shape[0] for index in range(first, first + count)])


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def _verdict(
    values: flags.FlagValues,
    judge: Any,
    pictures: Sequence[np.ndarray],
    units: "Sequence[unit_flags.Named | None]",
    rows: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return what the judge says of all pictures, and add each picture's rank to its row."""
    from stylezoo import visualize

    ranks = visualize.ranks(judge, pictures, [unit.channel for unit in units if unit])
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
