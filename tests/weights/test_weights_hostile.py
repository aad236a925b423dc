"""Files that ask for memory or time without end get one line, within limits that a process is given."""

import pathlib
import re
import subprocess
import sys

import hostile_files
import pytest

from stylezoo.errors import WeightsError
from stylezoo.weights.unpickler import unpickle_arrays

_READ = """
import resource, sys
from stylezoo.errors import WeightsError
from stylezoo.weights import weights_files
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_AS, (2**32, 2**32))
contents = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    weights_files.read(contents, "strange", architecture="vgg16")
except WeightsError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
# MB beside the file itself, which has at most 17.
_MEMORY = 200

# What is said of each; None is for a file that asks for no more than is right, if it is read well.
MESSAGES = dict.fromkeys(hostile_files.FILES, "it declares .* numbers in .* bytes") | {
    "large_memo_in_zip": "it holds no state dictionary",
    "large_memo_in_stream": "it holds no state dictionary",
    "bytes_that_are_not_there": "not a file of plain PyTorch tensors",
    "shared_children": "'a' is no tensor",
    "key_of_shared_tuples": "a key must be text or a number",
    "storage_of_shared_tuples": "it refers to something else than a storage",
    "many_views_of_one_storage": None,
    "attribute_of_shared_texts": "its attribute architecture must be one text",
}


@pytest.mark.parametrize("name", hostile_files.FILES)
def test_a_hostile_file_is_refused_within_limits(name, tmp_path):
    file = tmp_path / "strange.bin"
    file.write_bytes(hostile_files.FILES[name]())
    tests = pathlib.Path(__file__).parents[2]
    process = subprocess.run(
        [sys.executable, "-c", _READ, file],
        capture_output=True,
        text=True,
        cwd=tests,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    *message, grown = process.stdout.splitlines()
    assert int(grown) < _MEMORY
    if MESSAGES[name] is None:
        assert message == []
    else:
        (line,) = message
        assert re.search(MESSAGES[name], line)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (hostile_files.one_array_many_times(), "declares .* numbers in .* bytes"),
        (b"]" * 600_000, "more than 500,000 instructions"),
        (b"\x80\x02" + b"]q\x00(" + b"h\x00" * 9 + b"e.", "used twice"),
    ],
    ids=["copies", "instructions", "shared"],
)
def test_a_hostile_pickle_is_refused(data, problem):
    with pytest.raises(WeightsError, match=problem):
        unpickle_arrays(data)
