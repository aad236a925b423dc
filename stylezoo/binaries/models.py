"""List the trained generators and the classifiers, and describe each.

Usage:
  stylezoo models [--json]
  stylezoo models NAME [--json]

With the NAME of a generator its model card is printed: what it is, how it was trained, how good it is,
and its weaknesses. With that of a classifier, the features that can be tapped are listed, which losses,
texture synthesis and inversion take as layers. SIZE is their height and width for images of the published
size, STRIDE the number of image pixels from one feature to the next, and FIELD the number of image pixels
that a feature depends on, in each direction.
"""

import dataclasses
import json
from typing import Any

from absl import flags

from stylezoo import pretrained
from stylezoo.binaries.common import quiet, reporting


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    flags.DEFINE_bool("json", False, "Print JSON in place of text.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command; return its exit status."""
    match arguments:
        case []:
            print(_dumps(_everything()) if values.json else _tables())
        case [name] if name in pretrained.LISTED:
            model = pretrained.LISTED[name]
            text = _dumps(dataclasses.asdict(model)) if values.json else model.card().rstrip("\n")
            print(text)
        case [name]:
            classifier = _classifier(name)
            print(_dumps(classifier) if values.json else _description(classifier))
        case _:
            raise ValueError(f"expected nothing, or one name. Received: {' '.join(arguments)}")
    return 0


def _dumps(content: Any) -> str:
    return json.dumps(content, indent=2)


def _everything() -> dict[str, list[dict[str, Any]]]:
    return {
        "generators": [dataclasses.asdict(model) for model in pretrained.LISTED.values()],
        "classifiers": _classifiers(),
    }


def _classifiers() -> list[dict[str, Any]]:
    quiet.import_tensorflow()
    from stylezoo import classifiers

    return [_classifier(name) for name in classifiers.list_models()]


def _classifier(name: str) -> dict[str, Any]:
    """Return all that is known of a classifier by its name or alias, for JSON."""
    quiet.import_tensorflow()
    from stylezoo import classifiers

    known = (*pretrained.LISTED, *classifiers.list_models(), *classifiers.ALIASES)
    if name not in known:
        raise ValueError(f"`NAME` must be one of {', '.join(known)}. Received: {name}")
    name, architecture = classifiers.canonical(name), classifiers.get(name)
    side = architecture.input_size
    return {
        "name": name,
        "aliases": [alias for alias, target in classifiers.ALIASES.items() if target == name],
        "paper": architecture.paper,
        "num_parameters": classifiers.num_parameters(name),
        "input_size": side,
        "channels": architecture.channels,
        "num_classes": architecture.num_classes,
        "taps": [
            {"name": tap, "size": info.size(side), **dataclasses.asdict(info)}
            for tap, info in classifiers.tap_infos(name).items()
        ],
    }


def _tables() -> str:
    """Return the tables of both kinds, one below the other."""
    generators = [("GENERATOR", "PAINTS", "WHAT", "STYLES")]
    for model in pretrained.LISTED.values():
        generators.append((model.name, model.paints, model.summary, ", ".join(model.styles)))
    classifiers = [("CLASSIFIER", "PARAMETERS", "INPUT", "TAPS", "STRIDE", "FIELD", "PAPER")]
    for each in _classifiers():
        last = each["taps"][-1]
        classifiers.append(
            (
                _title(each),
                f"{each['num_parameters']:,}",
                _input(each),
                str(len(each["taps"])),
                str(last["stride"]),
                str(last["receptive_field"]),
                each["paper"],
            )
        )
    return f"{reporting.table(generators)}\n\n{reporting.table(classifiers)}"


def _description(classifier: dict[str, Any]) -> str:
    """Return a description of a classifier, with the table of its taps."""
    rows = [("TAP", "CHANNELS", "SIZE", "STRIDE", "FIELD")]
    for tap in classifier["taps"]:
        numbers = (tap["channels"], tap["size"], tap["stride"], tap["receptive_field"])
        rows.append((tap["name"], *map(str, numbers)))
    return (
        f"{_title(classifier)}: {classifier['paper']}; {classifier['num_parameters']:,} parameters, "
        f"{classifier['num_classes']} classes, images of {_input(classifier)}\n\n"
        f"{reporting.table(rows)}"
    )


def _title(classifier: dict[str, Any]) -> str:
    return " = ".join((classifier["name"], *classifier["aliases"]))


def _input(classifier: dict[str, Any]) -> str:
    side = classifier["input_size"]
    return f"{side}x{side}x{classifier['channels']}"
