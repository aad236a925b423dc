"""Names of arguments in messages."""

import pytest

from stylezoo import errors


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("`tile` must be > 0. Received: tile=0", "`side` must be > 0. Received: side=0"),
        ("`tile` must come with `size`", "`side` must come with `size`"),
        ("`tile=3` is too small", "`side=3` is too small"),
        ("a tile of `tiles`, tile=3. Received: tile", "a tile of `tiles`, tile=3. Received: tile"),
    ],
)
def test_describe(message, expected):
    assert errors.describe(ValueError(message), {"tile": "side"}) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("`tile` must be a file. Received: tile=0", "`side` must be a file. Received: side=0"),
        ("`tile` exists. Or give `tile=True`.", "`tile` exists. Or give `side=True`."),
    ],
)
def test_describe_leaves_paths_alone(message, expected):
    assert errors.describe(FileExistsError(message), {"tile": "side"}) == expected


@pytest.mark.parametrize("error", [ValueError, errors.WeightsError, errors.ExportError])
def test_renamed(error):
    raised = error("`taps` of `network` must be known")
    with (
        pytest.raises(error, match=r"^`style_layers` of `net` must be known$") as caught,
        errors.renamed(taps="style_layers", network="net"),
    ):
        raise raised
    assert caught.value is raised


def test_renamed_leaves_others_alone():
    path = FileNotFoundError(2, "No such file", "`taps`")
    with pytest.raises(FileNotFoundError) as caught, errors.renamed(taps="layers"):
        raise path
    assert str(caught.value) == "[Errno 2] No such file: '`taps`'"
    with (
        pytest.raises(FileNotFoundError, match=r"^`layers` must be a file, `taps` is none$"),
        errors.renamed(taps="layers"),
    ):
        raise FileNotFoundError("`taps` must be a file, `taps` is none")
    for args in ((), (3, "`taps`")):
        with pytest.raises(errors.WeightsError) as caught, errors.renamed(taps="layers"):
            raise errors.WeightsError(*args)
        assert caught.value.args == args
