"""Means over paintings, and Markdown tables of them for model cards."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from stylezoo.evaluation.paintings import Painting
from stylezoo.evaluation.scores import Scores, mean_scores
from stylezoo.evaluation.worth import STARTS, Average, average_worth

ALL = "all"
"""The key under which a summary of all paintings stands."""

_AVERAGES: Mapping[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: float(np.mean(values)),
    "median": lambda values: float(np.median(values)),
}
# Titles of the columns of LPIPS, by architecture.
LPIPS_TITLES = {"alexnet_owt": "LPIPS AlexNet", "vgg16": "LPIPS VGG-16"}


@dataclasses.dataclass(frozen=True)
class Summary:
    """A summary of several paintings; the parts on optimisations are empty where there were none.

    Attributes:
        scores: The mean scores.
        totals: The mean loss of the optimisations after 0, 1, 2, ... steps, by start.
        worths: The average worth of the paintings, by start and kind of average, ``"mean"`` or
            ``"median"``.
    """

    scores: Scores
    totals: Mapping[str, tuple[float, ...]]
    worths: Mapping[str, Mapping[str, Average]]


def summarize(paintings: Sequence[Painting]) -> dict[str, Summary]:
    """Return a summary for each style and, if there are several, of all paintings under :data:`ALL`."""
    groups: dict[str, list[Painting]] = {}
    for painting in paintings:
        groups.setdefault(painting.style, []).append(painting)
    if len(groups) > 1:
        groups[ALL] = list(paintings)
    return {name: _summary(group) for name, group in groups.items()}


def _summary(group: Sequence[Painting]) -> Summary:
    totals, worths = {}, {}
    for start in group[0].optimizations:
        courses = [painting.optimizations[start].totals for painting in group]
        totals[start] = tuple(np.mean(courses, axis=0).tolist())
        reached = [painting.worth(start) for painting in group]
        worths[start] = {
            kind: average_worth(reached, limit=len(courses[0]) - 1, average=average)
            for kind, average in _AVERAGES.items()
        }
    return Summary(mean_scores([painting.scores for painting in group]), totals, worths)


def scores_table(scores: Mapping[str, Scores], *, title: str) -> str:
    """Return a Markdown table with a row of figures for each name.

    Args:
        scores: The scores by name, all of the same architectures of LPIPS.
        title: The title of the first column.
    """
    first = next(iter(scores.values()))
    header = [title, "content loss", "style loss", "TV", "total loss"]
    header += [LPIPS_TITLES.get(name, f"LPIPS {name}") for name in first.lpips]
    rows = [
        [
            name,
            *map(_loss, (each.content, each.style, each.tv, each.total)),
            *(f"{distance:.3f}" for distance in each.lpips.values()),
        ]
        for name, each in scores.items()
    ]
    return markdown_table(header, rows)


def worth_table(summaries: Mapping[str, Summary], *, steps: Sequence[int]) -> str:
    """Return a Markdown table of losses, the optimisations' losses and worths, with a row for each style.

    Args:
        summaries: The summaries by style, with optimisations.
        steps: The numbers of steps after which the losses of the optimisations are shown.
    """
    header = ["style", "model"]
    for start in STARTS:
        header += [f"{start}: {step}" for step in steps]
        header += [f"{start}: worth ({kind})" for kind in _AVERAGES]
    rows = []
    for name, summary in summaries.items():
        row = [name, _loss(summary.scores.total)]
        for start in STARTS:
            row += [_loss(summary.totals[start][step]) for step in steps]
            row += map(str, summary.worths[start].values())
        rows.append(row)
    return markdown_table(header, rows)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose first column is text and whose others are figures."""
    lines = [
        header,
        ["---", *["---:"] * (len(header) - 1)],
        *([cell.replace("|", "\\|") for cell in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _loss(value: float) -> str:
    return f"{value:.4g}"
