"""The flags of an objective: one family, the same in every command that has an objective."""

from absl import flags

from stylezoo.binaries.common import config_flags
from stylezoo.objectives.named import OBJECTIVES
from stylezoo.objectives.objective import Objective

_FLAGS = config_flags.ConfigFlags(Objective)
# The style losses that take the flags of a part of the objective, or a single flag of it.
_TAKERS = {
    "patches": ("mrf",),
    "neighbors": ("neighbors",),
    **dict.fromkeys(("match_every", "match_memory", "guide_weight"), ("mrf", "neighbors")),
}
_EXAMPLES = {"mrf": "cnnmrf", "neighbors": "nnst"}
_CONTENT = ("content_layers", "content_weight")


def define(values: flags.FlagValues, *, default: str) -> None:
    """Add the flags to ``values``.

    Args:
        values: The command's flags.
        default: The name of the objective without --objective, whose values the help shows.
    """
    flags.DEFINE_string(
        "objective",
        None,
        config_flags.with_notes(
            "Named objective. The flags of network, layers, weights, losses and patches change it.",
            f"one of {', '.join(OBJECTIVES)}",
            *config_flags.default_note(default),
        ),
        flag_values=values,
    )
    config_flags.ConfigFlags(OBJECTIVES[default]).define(values)


def names() -> tuple[str, ...]:
    """Return the names of all of these flags."""
    return "objective", *_FLAGS.names


def objective(values: flags.FlagValues, default: Objective) -> Objective:
    """Return the objective of --objective, or ``default``, as the other flags change it.

    Raises:
        ValueError: If there is no objective of that name, or it does not allow a flag's value.
    """
    return _changed(values, _named(values, default))


def texture_objective(values: flags.FlagValues, default: Objective) -> Objective:
    """Return the objective as :func:`objective` does, without its content layers.

    Raises:
        ValueError: As :func:`objective`; also for flags of the content.
    """
    for name in _CONTENT:
        if values[name].value is not None:
            raise ValueError(f"`--{name}` must not be given for a texture")
    return _changed(values, _named(values, default).without_content())


def _named(values: flags.FlagValues, default: Objective) -> Objective:
    if values.objective is None:
        return default
    if values.objective not in OBJECTIVES:
        raise ValueError(
            f"`--objective` must be one of {', '.join(OBJECTIVES)}. Received: {values.objective}"
        )
    return OBJECTIVES[values.objective]


def _changed(values: flags.FlagValues, config: Objective) -> Objective:
    given = _FLAGS.given(values)
    style_loss = given.get("style_loss", config.style_loss)
    for path in given:
        kind, _, name = path.rpartition(".")
        takers = _TAKERS.get(name, _TAKERS.get(kind, ()))
        if takers and style_loss not in takers:
            raise ValueError(
                f"`--{name}` must come with --style_loss={' or '.join(takers)}, as "
                f"--objective={' or '.join(map(_EXAMPLES.__getitem__, takers))} has it. "
                f"Received: {style_loss}"
            )
    return _FLAGS.replace(values, config)


def describe(objective: Objective, name: str) -> str:
    """Return a sentence that tells an objective's network, layers and weights.

    Args:
        objective: The objective.
        name: The name of the objective, or of the one that it was made of.
    """
    objective = objective.resolved()
    parts = [f"style {_describe_style(objective)} x {objective.style_weight:g}"]
    if objective.content_taps:
        content = ", ".join(objective.content_taps)
        parts.insert(0, f"content {content} x {objective.content_weight:g}")
    if objective.histogram_taps:
        layers = ", ".join(objective.histogram_taps)
        parts.append(f"histograms {layers} x {objective.histogram_weight:g}")
    parts.append(f"TV x {objective.tv_weight:g}")
    network = objective.perceptual
    return f"Objective {name}, {network.network} ({network.weights}): {', '.join(parts)}."


def _describe_style(objective: Objective) -> str:
    if objective.style_layer_weights is None:
        return ", ".join(objective.style_taps)
    pairs = zip(objective.style_taps, objective.style_layer_weights, strict=True)
    return ", ".join(f"{layer} ({weight:g})" for layer, weight in pairs)
