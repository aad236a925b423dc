"""List, fetch and check pretrained weights.

Usage:
  stylezoo weights list [--json]
  stylezoo weights fetch NAME... [--force]
  stylezoo weights verify [NAME]
  stylezoo weights path NAME

Weights are kept in $STYLEZOO_HOME/weights (by default in the user's cache folder). `fetch` takes
names that `list` shows; what is cached already is left alone unless --force is given. `verify`
checks the cached files against their checksums and ends with exit status 1 if one is corrupt.
"""

import json

from absl import flags

from stylezoo import weights


def define_flags(values: flags.FlagValues) -> None:
    """Adds the command's flags to ``values``."""
    flags.DEFINE_bool(
        "force", False, "fetch: download again and replace what is cached.", flag_values=values
    )
    flags.DEFINE_bool("json", False, "list: print JSON.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Runs the command; returns its exit status."""
    match arguments:
        case ["list"]:
            print(_json() if values.json else _table())
        case ["fetch", first, *others]:
            # All names first: a misspelt one should not surface after minutes of downloading.
            for spec in [weights.get_spec(name) for name in (first, *others)]:
                print(weights.fetch(spec.name, force=values.force))
        case ["verify"]:
            return _verify(None)
        case ["verify", name]:
            return _verify(name)
        case ["path", name]:
            print(weights.path(name))
        case _:
            raise ValueError(
                "expected `list`, `fetch NAME...`, `verify [NAME]` or `path NAME`. "
                f"Received: {' '.join(arguments) or 'nothing'}"
            )
    return 0


def _rows() -> list[dict[str, str | int | bool]]:
    return [
        {
            "name": spec.name,
            "architecture": spec.architecture,
            "preprocessing": spec.preprocessing,
            "num_parameters": spec.num_parameters,
            "includes_top": spec.includes_top,
            "download_bytes": spec.source.num_bytes,
            "cached": weights.is_cached(spec.name),
            "license": spec.license,
            "source": spec.source.description,
            "known_hash": spec.known_hash,
        }
        for spec in weights.list_weights()
    ]


def _json() -> str:
    return json.dumps(_rows(), indent=2)


def _table() -> str:
    lines = [("NAME", "PARAMETERS", "DOWNLOAD", "CACHED", "LICENCE", "SOURCE")]
    for row in _rows():
        lines.append(
            (
                str(row["name"]),
                f"{row['num_parameters']:,}",
                f"{int(row['download_bytes']) / 1e6:.0f} MB",
                "yes" if row["cached"] else "no",
                str(row["license"]),
                str(row["source"]),
            )
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _verify(name: str | None) -> int:
    results = weights.verify(name)
    for result in results:
        print(result.problem or f"{result.name}: ok")
    if not results:
        print("Nothing is cached.")
    return int(any(result.problem for result in results))
