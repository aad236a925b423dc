"""Pictures that drive a class or a unit up, by gradient ascent.

Usage:
  stylezoo visualize activation --class=CLASS,... --output=PICTURE [--preset=NAME] [--judge=NETWORK] [--flags]
  stylezoo visualize activation --layer=LAYER --channel=N,... --output=PICTURE [--flags]

Several classes or channels become a sheet. --prior=DECODER stands for --preset=decoder with that decoder.
Single flags change the values of a preset, and 0 takes a regulariser, a transform or the crops away. The
presets are:
  robust     Fourier coefficients, decorrelated colours, random transforms (Olah et al. 2017; the default)
  smooth     the same, coarser and averaged over steps; for EfficientNet
  maco       phases of Fourier coefficients of photographs' magnitudes, random crops (Fel et al. 2023)
  decoder    codes of a learned prior, within the bounds of real codes (Nguyen et al. 2016)
  ppgn       the same with reconstruction and noise, for different pictures of one class (Nguyen et al. 2017)
  l2         Simonyan et al. 2014
  yosinski1  blur and clipping of small norms (Yosinski et al. 2015, like the next three)
  yosinski2  decay and clipping of small norms
  yosinski3  decay and blur
  yosinski4  blur and clipping of small contributions

With --judge=NETWORK another network is shown the pictures of classes, as `stylezoo classify` would; its
rank of each picture's class is printed.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

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
from stylezoo.visualize import priors
from stylezoo.visualize.activation_config import ActivationConfig, GradientAscent

if TYPE_CHECKING:
    import tensorflow as tf

    from stylezoo.synthesis.optimizers import OptimizerConfig
    from stylezoo.visualize import Score

_T = TypeVar("_T")
_CONFIG = config_flags.ConfigFlags(
    ActivationConfig, skip=["network", "weights", "optimizer", "transforms", "crops", "prior"]
)
_ADAM = config_flags.ConfigFlags(ActivationConfig.optimizer, fields=["learning_rate"])
_ASCENT = config_flags.ConfigFlags(GradientAscent, skip=["regularizers"])
_REGULARIZERS = {
    priors.Decay: config_flags.ConfigFlags(priors.Decay, names={"rate": "decay"}),
    priors.Blur: config_flags.ConfigFlags(
        priors.Blur, names={"sigma": "blur", "every": "blur_every"}
    ),
    priors.ClipNorm: config_flags.ConfigFlags(priors.ClipNorm, names={"percentile": "clip_norm"}),
    priors.ClipContribution: config_flags.ConfigFlags(
        priors.ClipContribution, names={"percentile": "clip_contribution"}
    ),
}
_TRANSFORMS = {
    priors.Padding: config_flags.ConfigFlags(priors.Padding, names={"pixels": "padding"}),
    priors.Jitter: config_flags.ConfigFlags(priors.Jitter, names={"pixels": "jitter"}),
    priors.Scale: config_flags.ConfigFlags(priors.Scale, names={"fraction": "scale"}),
    priors.Rotation: config_flags.ConfigFlags(priors.Rotation, names={"degrees": "rotation"}),
}

_CROPS = config_flags.ConfigFlags(
    priors.Crops,
    names={
        "count": "crops",
        "largest": "largest_crop",
        "smallest": "smallest_crop",
        "seen": "crop_size",
        "noise": "crop_noise",
    },
)
_PRIOR = config_flags.ConfigFlags(
    priors.LearnedPrior, names={"decoder": "prior", "decay": "code_decay", "noise": "code_noise"}
)


class _Run:
    """The pictures of all units, made in batches.

    Attributes:
        pictures: Finished pictures, [H, W, 3] each.
        scores: Their scores.
        batches: Losses and seconds of each batch, for the report.
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
        output="Picture or sheet to write.",
        report="Also write scores, ranks, losses, times and settings to this JSON file.",
    )
    network_flags.define(values, default=str(ActivationConfig.network))
    unit_flags.define_unit_flags(values, position="all")
    _CONFIG.define(values)
    _ADAM.define(values)
    _ASCENT.define(values)
    _define_picture_flags(values)
    for part in (*_REGULARIZERS.values(), *_TRANSFORMS.values(), _CROPS, _PRIOR):
        part.define(values)


def _define_picture_flags(values: flags.FlagValues) -> None:
    """Add the flags that say which pictures are made, and of what."""
    for name, default, text in (
        ("preset", None, "Preset of the list above; by default decoder with --prior, else robust."),
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
    chosen = unit_flags.selected(values, config.network)
    judge = _judge(values)
    start = None if starts is None else _start(values, config, starts)
    copies = values.pictures * (1 if start is None else start.shape[0])
    named: list[unit_flags.Named | None] = [*chosen] or [None]  # None stands for a direction
    every = [unit for unit in named for _ in range(copies)]
    run = _Run()
    for row in _batches(every, values.batch_size):
        objective = unit_flags.objective(values, config.network, [unit for unit in row if unit])
        run.paint(objective, config, start, len(row))
    rows: list[dict[str, Any]] = [
        {"unit": unit.name if unit else f"{values.layer}:{values.direction}", "score": score}
        for unit, score in zip(every, run.scores, strict=True)
    ]
    verdict = None
    if judge is not None:
        verdict = _verdict(values, judge, run.pictures, every, rows)
    columns = values.columns or math.ceil(math.sqrt(len(run.pictures)))
    names = [row["unit"] for row in rows]
    captions = list(map(reporting.caption, names, run.scores))
    sheet = images.contact_sheet(run.pictures, columns=columns, captions=captions)
    reporting.write_picture(values, sheet, values.output)
    print(_table(rows, verdict))
    reporting.note_silent(names, run.scores)
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

    name = values.preset or ("decoder" if values.prior else "robust")
    if name not in visualize.PRESETS:
        raise ValueError(
            f"`--preset` must be one of {', '.join(visualize.PRESETS)}. Received: {name}"
        )
    decodes = bool(values.prior or visualize.PRESETS[name].prior)
    for each in _PRIOR.names:
        flag_checks.needs(values, each, "--prior", met=decodes)
    preset = dataclasses.replace(
        visualize.PRESETS[name], network=network_flags.read(values), weights=values.weights
    )
    return dataclasses.replace(
        preset,
        **_CONFIG.given(values),
        optimizer=_optimizer(values, preset.optimizer),
        transforms=_changed(values, preset.transforms, _TRANSFORMS),
        crops=_part(values, preset.crops, _CROPS, priors.Crops),
        prior=_part(values, preset.prior, _PRIOR, priors.LearnedPrior),
    )


def _part(
    values: flags.FlagValues, part: Any, own_flags: config_flags.ConfigFlags, kind: type[Any]
) -> Any:
    """Return a preset's part, or a new one, changed by its flags; the preset's if none is given."""
    return own_flags.replace(values, part or kind()) if own_flags.given(values) else part


def _optimizer(values: flags.FlagValues, preset: "OptimizerConfig") -> "OptimizerConfig":
    """Return the preset's optimiser, or the one that the flags ask for."""
    preset_regularizers = preset.regularizers if isinstance(preset, GradientAscent) else ()
    regularizers = _changed(values, preset_regularizers, _REGULARIZERS)
    if isinstance(preset, GradientAscent):
        if values.learning_rate is not None:
            raise ValueError(f"`--learning_rate` must not be given with --preset={values.preset}")
        return _ASCENT.replace(values, dataclasses.replace(preset, regularizers=regularizers))
    if regularizers or values.step_size is not None:
        return _ASCENT.replace(values, GradientAscent(regularizers=regularizers))
    return _ADAM.replace(values, preset)


def _changed(
    values: flags.FlagValues,
    parts: tuple[Any, ...],
    kinds: "Mapping[type[Any], config_flags.ConfigFlags]",
) -> tuple[Any, ...]:
    """Return a preset's regularisers or transforms, each changed by its flags.

    One whose strength, its first field, is 0 does nothing and is left out.
    """
    chosen = []
    for kind, own_flags in kinds.items():
        own = [each for each in parts if isinstance(each, kind)]
        if own_flags.given(values):
            own = [own_flags.replace(values, (own or [kind])[0])]
        chosen += [each for each in own if dataclasses.astuple(each)[0]]
    return tuple(chosen)


def _judge(values: flags.FlagValues) -> Any:
    """Return the network of ``--judge``, or None."""
    from stylezoo import classifiers

    if values.judge is None:
        return None
    if values["class"].value is None:
        raise ValueError("`--judge` must come with --class")
    with errors.renamed(architecture="judge"):
        return classifiers.build(values.judge, weights="imagenet")


def _start(values: flags.FlagValues, config: ActivationConfig, paths: list[Any]) -> "tf.Tensor":
    """Return the mean picture of each facet, [facets, size, size, 3], or its mean code with a decoder."""
    from stylezoo import perceptual, visualize

    if config.parametrization == "maco":
        raise ValueError("`--images` must not be given with the parametrization maco")
    deepest = list(perceptual.tap_info(config.network))[-1]
    network = perceptual.Perceptual(config.network, config.weights).build([deepest])
    squares = (
        images.centre_square(images.read_image(path, max_pixels=values.max_pixels), config.size)
        for path in paths
    )
    with errors.renamed(count="facets"):
        represent = _represent(config)
        return visualize.cluster_means(
            network, squares, values.facets, seed=config.seed, represent=represent
        )


def _represent(config: ActivationConfig) -> "Callable[[Any], tf.Tensor]":
    """Return the function that makes of a picture what is optimised: its code, or itself."""
    import tensorflow as tf

    from stylezoo import generators, visualize

    if config.prior is None:
        return tf.convert_to_tensor
    decoder = generators.load_decoder(config.prior.decoder)
    return functools.partial(visualize.encode, decoder)


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
