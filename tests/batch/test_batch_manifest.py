"""Rows of a manifest, and what two runs have in common."""

import pytest

from stylezoo import batch
from stylezoo.batch import Row

PAINTED = Row("a.jpg", output="out/a.jpg", width=3, height=2, milliseconds=12.5)
FAILED = Row("b.jpg", error="`b.jpg` is not an image")


def test_rows_survive_writing_and_reading():
    rows = {row.input: row for row in (PAINTED, FAILED, Row("ü.jpg", classes=[{"name": "cat"}]))}
    assert batch.read_rows(row.to_json() for row in rows.values()) == rows
    assert PAINTED.to_json() == (
        '{"input": "a.jpg", "output": "out/a.jpg", "width": 3, "height": 2, "milliseconds": 12.5}'
    )


def test_the_last_row_of_an_input_counts():
    again = Row("b.jpg", output="out/b.jpg", width=3, height=2, milliseconds=9.0)
    lines = [FAILED.to_json(), "", again.to_json()]
    assert batch.read_rows(lines) == {"b.jpg": again}
    found_again = Row("b.jpg", output="out/b.jpg", width=3, height=2)
    assert batch.read_rows([*lines, found_again.to_json()]) == {"b.jpg": again}


@pytest.mark.parametrize("line", ["precious", "[]", "{}", '{"input": "a", "nonsense": 1}', "1"])
def test_lines_that_are_no_rows(line):
    with pytest.raises(ValueError, match=r"line 2 of a manifest must be a row\. Received: "):
        batch.read_rows([PAINTED.to_json(), line])


def test_runs_are_merged():
    there = Row("a.jpg", output="out/a.jpg", width=3, height=2)
    repaired = Row("b.jpg", output="out/b.jpg", width=3, height=2, milliseconds=9.0)
    new = Row("0.jpg", output="out/0.jpg", width=3, height=2)
    before = {"a.jpg": PAINTED, "b.jpg": FAILED}
    after = {"a.jpg": there, "b.jpg": repaired, "0.jpg": new}
    assert batch.merge(before, after) == [new, PAINTED, repaired]
    # An output found again is no news where the manifest had an error.
    assert batch.merge({"a.jpg": Row("a.jpg", error="x")}, {"a.jpg": there}) == [there]
