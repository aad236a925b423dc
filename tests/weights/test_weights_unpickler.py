import os
import pickle

import numpy as np
import pytest

from stylezoo.errors import WeightsError
from stylezoo.weights.unpickler import unpickle_arrays


class Calls:
    """Pickles as a call of whatever it is given."""

    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
        np.arange(4, dtype=">f4"),
        np.array([1, -2], np.int16),
        np.array([True, False]),
        np.zeros((0, 3), np.float32),
        np.array(2.5, np.float32),
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", [3, 4])
def test_reads_arrays_as_pickle_does(array, protocol):
    read = unpickle_arrays(pickle.dumps({"a": {"b": array}}, protocol=protocol))
    assert list(read) == ["a/b"]
    assert read["a/b"].dtype == array.dtype
    np.testing.assert_array_equal(read["a/b"], array, strict=True)


def test_reads_lists():
    kernel, bias = np.ones((1, 2), np.float32), np.zeros(2, np.float32)
    read = unpickle_arrays(pickle.dumps({"a": [kernel, bias], "b": []}, protocol=3))
    assert list(read) == ["a/0", "a/1"]
    np.testing.assert_array_equal(read["a/0"], kernel, strict=True)
    np.testing.assert_array_equal(read["a/1"], bias, strict=True)


def test_reads_the_module_name_of_numpy_1():
    data = pickle.dumps({"a": np.ones(3, np.float32)}, protocol=3)
    assert b"cnumpy._core.multiarray\n_reconstruct\n" in data
    old = data.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    np.testing.assert_array_equal(unpickle_arrays(old)["a"], np.ones(3, np.float32))


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_runs_nothing(tmp_path, protocol):
    trace = tmp_path / "trace"
    data = pickle.dumps({"a": Calls(os.system, (f"touch {trace}",))}, protocol=protocol)
    with pytest.raises(WeightsError, match=r"asks for (posix|nt)\.system"):
        unpickle_arrays(data)
    assert not trace.exists()
    pickle.loads(data)
    assert trace.exists(), "the pickle must be dangerous for the test to show anything"


def test_a_global_is_refused_even_if_it_is_not_called():
    with pytest.raises(WeightsError, match=r"asks for builtins\.eval"):
        unpickle_arrays(pickle.dumps({"a": eval}))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (np.array([{}, None], dtype=object), "dtype 'O8' are not accepted"),
        (np.zeros(2, dtype=[("x", "f4")]), "dtype 'V4' are not accepted"),
        (np.array(["text"]), "dtype 'U4' are not accepted"),
        ((np.zeros(2),), "a is neither an array nor a list or dictionary"),
        ([np.zeros(2), "text"], "a/1 is neither an array nor a list or dictionary"),
        ({1: np.zeros(2)}, "a is neither an array nor a list or dictionary"),
        (3.0, "a is neither an array nor a list or dictionary"),
        # A float32 that claims NumPy's flags of object dtypes: real NumPy would trust it.
        (
            Calls(np.dtype, ("f4", False, True), (3, "|", None, None, None, -1, -1, 63)),
            "dtype state .* not accepted",
        ),
        (Calls(np.ndarray, ((2,),)), "not a pickle|takes no arguments"),
        (
            Calls(np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b"b")),
            "a is neither an array nor a list or dictionary",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_refuses_what_is_no_plain_array(value, problem):
    with pytest.raises(WeightsError, match=problem):
        unpickle_arrays(pickle.dumps({"a": value}, protocol=4))


def test_refuses_data_shorter_than_the_shape():
    reconstruct, arguments, state = np.zeros(4, np.float32).__reduce__()
    short = Calls(reconstruct, arguments, (*state[:-1], b"\0" * 12))
    with pytest.raises(WeightsError, match="cannot reshape array of size 3 into shape"):
        unpickle_arrays(pickle.dumps({"a": short}, protocol=4))


@pytest.mark.parametrize("length", [0, 1, 50, 200])
def test_a_truncated_pickle_is_a_weights_error(length):
    data = pickle.dumps({"a": np.ones(64, np.float32)}, protocol=4)
    with pytest.raises(WeightsError, match="Not a pickle of plain NumPy arrays"):
        unpickle_arrays(data[:length])


def test_a_dictionary_that_contains_itself_is_refused():
    endless: dict[str, object] = {}
    endless["a"] = endless
    with pytest.raises(WeightsError, match="used twice"):
        unpickle_arrays(pickle.dumps(endless))
