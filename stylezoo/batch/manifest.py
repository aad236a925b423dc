"""The manifest of a batch: what became of every picture, one line of JSON each."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

MANIFEST = "manifest.jsonl"
"""Name of the manifest in the folder of the output."""


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of one picture.

    Attributes:
        input: Path or URL of the picture.
        output: Path or URL of what was written; None if nothing was.
        width: Width of the result, px; of the picture, where nothing is written.
        height: Height, likewise.
        milliseconds: Time that the network took; None for an output that was there before.
        classes: What a classifier saw, the likeliest first; None for other tasks.
        scores: How good a painting of the picture is, the fields of
            :class:`~stylezoo.evaluation.Scores`; None for other tasks.
        error: Why there is no result; None if there is one.
    """

    input: str
    output: str | None = None
    width: int | None = None
    height: int | None = None
    milliseconds: float | None = None
    classes: list[dict[str, Any]] | None = None
    scores: dict[str, Any] | None = None
    error: str | None = None

    def to_json(self) -> str:
        """Return one line of JSON, without the fields that are None."""
        fields = {name: value for name, value in vars(self).items() if value is not None}
        return json.dumps(fields, ensure_ascii=False)


def read_rows(lines: Iterable[str]) -> dict[str, Row]:
    """Return the rows of a manifest by their inputs; of several with one input the one that counts.

    That is the last one, except that an output which was found again keeps the row that tells how it
    was made.

    Raises:
        ValueError: If a line is no row.
    """
    rows: dict[str, Row] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            _add(rows, _row(number, line))
    return rows


def _row(number: int, line: str) -> Row:
    known = {field.name for field in dataclasses.fields(Row)}
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or "input" not in fields or not fields.keys() <= known:
        raise ValueError(
            f"line {number} of a manifest must be a row. Received: {line.strip()[:80]}"
        )
    return Row(**fields)


def merge(before: Mapping[str, Row], after: Mapping[str, Row]) -> list[Row]:
    """Return the rows of two runs in the order of their inputs, by the rule of :func:`read_rows`."""
    merged = dict(before)
    for row in after.values():
        _add(merged, row)
    return [merged[name] for name in sorted(merged)]


def _add(rows: dict[str, Row], row: Row) -> None:
    found_again = row.error is None and row.milliseconds is None
    if not (found_again and row.input in rows and rows[row.input].error is None):
        rows[row.input] = row
