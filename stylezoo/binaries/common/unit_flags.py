"""Flags that name units of a network, and the functions that read them."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from absl import flags

from stylezoo import errors
from stylezoo.binaries.common import flag_checks, network_flags

if TYPE_CHECKING:
    from stylezoo.perceptual import Network
    from stylezoo.visualize import Position, Score

_UNIT = re.compile(r"(?P<layer>[\w.-]+)(:(?P<channel>\d+))?(=(?P<weight>[^=]+))?")


class Named(NamedTuple):
    """A unit and its name.

    Attributes:
        name: What reports call the unit: a class's name, or LAYER:CHANNEL.
        layer: Tap of the unit.
        channel: Index of the unit's channel; among the scores it is the number of a class.
    """

    name: str
    layer: str
    channel: int


class Weighted(NamedTuple):
    """A layer, or a channel of it, and its weight.

    Attributes:
        layer: Tap of the network.
        channel: Index of the channel; None for the whole layer.
        weight: Factor of its score.
    """

    layer: str
    channel: int | None
    weight: float


def define_unit_flags(values: flags.FlagValues, *, position: str) -> None:
    """Add the flags that say which units are looked at.

    Args:
        values: The command's flags.
        position: Default of ``--position``.
    """

    def string(name: str, default: str | None, text: str) -> None:
        flags.DEFINE_string(name, default, text, flag_values=values)

    string(
        "class",
        None,
        "Classes by number or name, with commas between them; START:STOP:STEP stands for many. The "
        "weights must have a head.",
    )
    network_flags.define_labels(values)
    string("layer", None, "Layer whose units are looked at in place of classes.")
    string(
        "channel",
        None,
        "Channels of --layer by number, with commas between them; START:STOP:STEP stands for many, "
        "all for all.",
    )
    string(
        "position",
        position,
        "Position of the neuron in its channel: ROW,COLUMN in features, centre, or strongest; all stands "
        "for the mean over the channel.",
    )
    string(
        "direction",
        None,
        "Weighted sum of channels of --layer that is looked at in place of --channel, as "
        "CHANNEL=WEIGHT,....",
    )
    string(
        "plus",
        None,
        "Units that are added to every score, as LAYER:CHANNEL=WEIGHT,...; the channels of the layer "
        "`scores` are the classes.",
    )


def selected(values: flags.FlagValues, network: "Network") -> list[Named]:
    """Return the units of a network that the flags name, in their order; none for a direction.

    Raises:
        ValueError: If none of the flags is given, if they contradict each other, or if the network lacks
            a unit.
    """
    from stylezoo import perceptual

    chosen_class = values["class"].value
    if chosen_class is not None:
        for name in ("layer", "channel", "direction", "position"):
            if values[name].present:
                raise ValueError(f"`--{name}` must not be given with --class")
        return classes(values, network, chosen_class)
    if values.layer is None:
        raise ValueError("`--class` or `--layer` must be given")
    with errors.renamed(taps="layer"):
        perceptual.check_taps(network, [values.layer], head=True)
    if values.direction is not None:
        if values.channel is not None:
            raise ValueError("`--channel` must not be given with --direction")
        return []
    if values.channel is None:
        raise ValueError("`--channel` or `--direction` must be given with --layer")
    return [
        Named(f"{values.layer}:{channel}", values.layer, channel)
        for channel in channels(values.channel, network=network, layer=values.layer)
    ]


def classes(values: flags.FlagValues, network: "Network", text: str) -> list[Named]:
    """Return the classes that ``--class`` names."""
    from stylezoo import classifiers, perceptual

    with errors.renamed(taps="class"):
        perceptual.check_taps(network, [perceptual.SCORES], head=True)
    known = network_flags.classes(values, network)

    def find(name: str) -> int:
        if known.of == "ImageNet":
            return classifiers.find_class(name)
        lower = [each.lower() for each in known.names]
        if name.lower() not in lower:
            raise ValueError(f"`text` must be among {', '.join(known.names)}. Received: {name}")
        return lower.index(name.lower())

    found = numbers(text, "class", len(known.names), known.of, find=find)
    return [Named(known.names[number], perceptual.SCORES, number) for number in found]


def channels(text: str, *, network: "Network", layer: str) -> list[int]:
    """Return the channels of a layer that a flag names; see :func:`numbers`."""
    from stylezoo import perceptual

    return numbers(text, "channel", perceptual.num_channels(network, layer), layer)


def objective(values: flags.FlagValues, network: "Network", units: list[Named]) -> "Score":
    """Return the score that the flags ask for; several units of one layer have a picture each."""
    from stylezoo.visualize import Direction, Unit, WeightedSum

    position = "all" if values["class"].value is not None else _position(values.position)
    if units:
        picked = tuple(unit.channel for unit in units)
        base: Score = Unit(units[0].layer, picked, position)
    else:
        base = Direction(values.layer, _direction(values.direction), position)
    if values.plus is None:
        return base
    parts = [(1.0, base)]
    for each in weighted(values.plus, "plus", network=network):
        if each.channel is None:
            raise ValueError(f"`--plus` must be LAYER:CHANNEL=WEIGHT,.... Received: {values.plus}")
        parts.append((each.weight, Unit(each.layer, each.channel)))
    return WeightedSum(tuple(parts))


def weighted(text: str, flag: str, *, network: "Network") -> list[Weighted]:
    """Parse a flag of the form LAYER:CHANNEL=WEIGHT,...; channels and weights may be left out.

    Raises:
        ValueError: For another form, an unknown layer, or a channel that the layer lacks.
    """
    from stylezoo import perceptual

    found = []
    for each in text.split(","):
        match = _UNIT.fullmatch(each.strip())
        try:
            weight = flag_checks.number(match["weight"] or "1") if match else None
        except ValueError:
            weight = None
        if match is None or weight is None:
            raise ValueError(f"`--{flag}` must be LAYER:CHANNEL=WEIGHT,.... Received: {text}")
        with errors.renamed(taps=flag):
            perceptual.check_taps(network, [match["layer"]], head=True)
        channel = None
        if match["channel"] is not None:
            [channel] = channels(match["channel"], network=network, layer=match["layer"])
        found.append(Weighted(match["layer"], channel, weight))
    return found


def _direction(text: str) -> dict[int, float]:
    try:
        pairs = [each.split("=") for each in text.split(",")]
        return {int(channel): flag_checks.number(weight) for channel, weight in pairs}
    except ValueError:
        raise ValueError(f"`--direction` must be CHANNEL=WEIGHT,.... Received: {text}") from None


def _position(text: str) -> "Position":
    match = re.fullmatch(r"(\d+),(\d+)", text)
    return (int(match[1]), int(match[2])) if match else text


def numbers(
    text: str, flag: str, count: int, of: str, *, find: Callable[[str], int] | None = None
) -> list[int]:
    """Parse a flag that chooses among numbered things.

    Args:
        text: The flag's text: numbers with commas between them, START:STOP:STEP, all, or names that
            ``find`` knows.
        flag: The flag's name.
        count: Number of the things.
        of: Name of what the things belong to, for the message.
        find: Function that returns the number of a name.

    Returns:
        The numbers, in the order of the text.

    Raises:
        ValueError: If the text names nothing, or something that does not exist.
    """
    found: list[int] = []
    for each in map(str.strip, text.split(",")):
        if match := re.fullmatch(r"(\d*):(\d*)(?::([1-9]\d*))?", each):
            start, stop, step = (int(group) if group else None for group in match.groups())
            found += range(count)[start:stop:step]
        elif each == "all":
            found += range(count)
        elif each.isdecimal():
            found.append(int(each))
        elif find:
            with errors.renamed(text=f"--{flag}"):
                found.append(find(each))
        else:
            raise ValueError(
                f"`--{flag}` must be numbers, START:STOP:STEP or all. Received: {text}"
            )
    wrong = [number for number in found if number >= count]
    if wrong or not found:
        raise ValueError(
            f"`--{flag}` of {of} must be from 0 to {count - 1}. "
            f"Received: {', '.join(map(str, wrong)) or text}"
        )
    return found
