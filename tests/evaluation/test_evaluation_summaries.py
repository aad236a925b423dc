"""Means and tables of figures that are made up."""

import numpy as np
import pytest

from stylezoo.evaluation import (
    ALL,
    Average,
    Optimization,
    Painting,
    Scores,
    scores_table,
    summarize,
    worth_table,
)

IMAGE = np.zeros((1, 2, 2, 3), np.float32)


def painting(style, total, noise, photograph):
    scores = Scores(content=1.0, style=total - 1.0, tv=0.5, total=total, lpips={"vgg16": 0.25})
    courses = {"noise": noise, "photograph": photograph}
    optimizations = {start: Optimization(course, 9, 1.5) for start, course in courses.items()}
    return Painting("any", style, IMAGE, scores, optimizations)


PAINTINGS = [
    painting("cubism", 4.0, (16.0, 8.0, 4.0, 2.0), (8.0, 4.0, 2.0, 1.0)),
    painting("cubism", 5.0, (18.0, 10.0, 8.0, 6.0), (8.0, 4.0, 3.0, 2.0)),
    painting("pop", 1.5, (16.0, 8.0, 3.0, 1.0), (1.0, 0.5, 0.25, 0.125)),
]


def test_summarize():
    summaries = summarize(PAINTINGS)
    assert list(summaries) == ["cubism", "pop", ALL]
    cubism = summaries["cubism"]
    assert cubism.scores == Scores(1.0, 3.5, 0.5, 4.5, {"vgg16": 0.25})
    assert cubism.totals == {
        "noise": (17.0, 9.0, 6.0, 4.0),
        "photograph": (8.0, 4.0, 2.5, 1.5),
    }
    assert cubism.worths == {
        # 2 steps, and more than 3.
        "noise": {"mean": Average(2.5, exact=False), "median": Average(2.5, exact=False)},
        # 1 step and 3/4 of one.
        "photograph": {"mean": Average(0.875, exact=True), "median": Average(0.875, exact=True)},
    }
    assert summaries["pop"].worths["noise"]["mean"] == Average(2.75, exact=True)
    assert summaries["pop"].worths["photograph"]["mean"] == Average(0.0, exact=True)
    assert summaries[ALL].scores.total == 3.5
    assert summaries[ALL].worths["noise"]["median"] == Average(2.75, exact=True)


def test_one_style_is_all():
    assert list(summarize(PAINTINGS[2:])) == ["pop"]


def test_without_optimisations():
    plain = [Painting("any", "pop", IMAGE, PAINTINGS[2].scores)]
    assert summarize(plain)["pop"].totals == {}
    assert summarize(plain)["pop"].worths == {}


def test_scores_table():
    scores = {
        "a|b": Scores(0.123456, 12345.6, 1e-6, 2.0, {"alexnet_owt": 0.5, "vgg16": 0.1234}),
        "c": Scores(1.0, 2.0, 3.0, 4.0, {"alexnet_owt": 0.0, "vgg16": 1.0}),
    }
    assert scores_table(scores, title="style").splitlines() == [
        "| style | content loss | style loss | TV | total loss | LPIPS AlexNet | LPIPS VGG-16 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| a\\|b | 0.1235 | 1.235e+04 | 1e-06 | 2 | 0.500 | 0.123 |",
        "| c | 1 | 2 | 3 | 4 | 0.000 | 1.000 |",
    ]


def test_worth_table():
    header, rule, *rows = worth_table(summarize(PAINTINGS), steps=[1, 3]).splitlines()
    assert header == (
        "| style | model | noise: 1 | noise: 3 | noise: worth (mean) | noise: worth (median) "
        "| photograph: 1 | photograph: 3 | photograph: worth (mean) | photograph: worth (median) |"
    )
    assert rule == f"| --- |{' ---: |' * 9}"
    assert rows == [
        "| cubism | 4.5 | 9 | 4 | >2.5 | >2.5 | 4 | 1.5 | 0.9 | 0.9 |",
        "| pop | 1.5 | 8 | 1 | 2.8 | 2.8 | 0.5 | 0.125 | 0.0 | 0.0 |",
        "| all | 3.5 | 8.667 | 3 | >2.6 | 2.8 | 2.833 | 1.042 | 0.6 | 0.8 |",
    ]


def test_no_such_step():
    with pytest.raises(IndexError):
        worth_table(summarize(PAINTINGS), steps=[4])
