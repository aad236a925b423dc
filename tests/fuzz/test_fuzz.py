"""Coverage-guided fuzzing of the readers of files, ten minutes each; what it found once is read at every run.

A file that a fuzzer finds goes into ``corpus/NAME/``.
"""

import os
import pathlib
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest
import targets
from PIL import Image

HERE = pathlib.Path(__file__).parent
SECONDS = int(os.environ.get("STYLEZOO_FUZZ_SECONDS", "600"))


@pytest.mark.parametrize("path", sorted(HERE.glob("corpus/*/*")), ids=lambda path: path.name)
def test_what_was_found(path):
    targets.TARGETS[path.parent.name](path.read_bytes())


def seeds(name, folder):
    """Write files that are good, from which the fuzzer starts."""
    folder.mkdir()
    arrays = {"a": [np.ones([2, 3], np.float32), np.arange(4)], "b": np.zeros(3)}
    for protocol in (0, 2, 4):
        (folder / f"arrays{protocol}").write_bytes(pickle.dumps(arrays, protocol=protocol))
    if name == "picture":
        picture = Image.linear_gradient("L").resize((20, 30))
        for kind in ("png", "jpeg", "gif", "tiff", "bmp", "webp", "ppm"):
            picture.save(folder / kind, kind)
    if name == "torch":
        magic = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)
        parts = (1001, {"little_endian": True}, {}, [])
        stream = magic + b"".join(pickle.dumps(part, protocol=2) for part in parts)
        (folder / "stream").write_bytes(stream + struct.pack("<q", 0))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", targets.TARGETS)
def test_fuzzing_finds_nothing(name, tmp_path):
    pytest.importorskip("atheris")
    corpora = [seeds(name, tmp_path / "seeds"), *HERE.glob(f"corpus/{name}")]
    process = subprocess.run(
        [
            *(sys.executable, targets.__file__, name, f"-max_total_time={SECONDS}"),
            *("-timeout=20", "-rss_limit_mb=1500", "-max_len=16384", "-verbosity=0"),
            *(f"-artifact_prefix={tmp_path}/", *map(str, corpora)),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        check=False,
    )
    assert process.returncode == 0, process.stderr[-4000:]
