"""Commands as a user runs them print no lines of the logs of TensorFlow, abseil and gRPC."""

import os
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

from stylezoo import generators, images
from stylezoo.binaries import main

# abseil's lines begin with a letter and the date, TensorFlow's own with the time.
LOG = re.compile(
    r"^(WARNING: All log messages|[IWEF]\d{4} |\d{4}-\d\d-\d\d \d\d:|.*cuda)", re.MULTILINE
)

COMMANDS = [
    "stylize photo.png --model=painter --style=a --output=painted.png",
    "export --model=painter --output=exports",
    "export --model=painter --output=exports --format=tflite --image_size=16x16",
    "verify_export exports/painter/1 --model=painter",
    "serve_config --exports=exports",
    "serve_config --exports=exports --server=triton",
    "client photo.png --url=grpc://127.0.0.1:9 --retries=0 --output=o.jpg",
    "client photo.png --url=grpc://127.0.0.1:9 --protocol=kserve --retries=0 --output=o.jpg",
    "client photo.png --url=http://127.0.0.1:9 --protocol=kserve --retries=0 --output=o.jpg",
    "models light",
    "weights list",
]


@pytest.mark.slow
def test_no_log_lines(tmp_path):
    config = generators.LightConfig((2, 3), num_blocks=0, num_styles=2)
    generators.build(config, styles=("a", "b")).save_to_preset(tmp_path / "painter")
    images.write_image(tmp_path / "photo.png", np.full([1, 24, 24, 3], 0.5, np.float32))
    root = pathlib.Path(main.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    for command in COMMANDS:
        done = subprocess.run(
            [sys.executable, "-m", "stylezoo.binaries.start", *command.split()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == int(command.startswith("client")), (command, done.stderr)
        assert not LOG.search(done.stderr), (command, done.stderr)
