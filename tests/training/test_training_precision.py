"""Which precision "auto" means: on this machine, on others, and for a run that began elsewhere."""

import json

import pytest
import tensorflow as tf
from training_fakes import run, state

from stylezoo.training import precision

FASTEST = precision.fastest_precision  # before conftest.py replaces it


@pytest.fixture
def cpuinfo(monkeypatch, tmp_path):
    """Make the processor one with these instructions; None for a system without /proc."""

    def describe(flags):
        path = tmp_path / "cpuinfo"
        if flags is not None:
            path.write_text(f"processor : 0\nflags\t\t: {flags}\nbugs :\n", encoding="utf-8")
        monkeypatch.setattr(precision, "_CPU_INFO", path)

    return describe


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu avx2 avx512f avx512_bf16", "mixed_bfloat16"),
        ("fpu amx_bf16", "mixed_bfloat16"),
        ("fpu avx2 avx512f", "float32"),
        ("", "float32"),
        (None, "float32"),
    ],
)
def test_by_the_processor(flags, expected, cpuinfo, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    cpuinfo(flags)
    assert FASTEST() == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"compute_capability": (8, 0)}, "mixed_bfloat16"),
        ({"compute_capability": (7, 5)}, "float32"),
        ({}, "float32"),
    ],
)
def test_by_the_gpu(details, expected, cpuinfo, monkeypatch):
    cpuinfo("fpu avx512_bf16")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert FASTEST() == expected


def recorded_precision(path):
    return json.loads((path / "config.json").read_text(encoding="utf-8"))["loop"]["precision"]


def test_run_records_what_auto_meant_and_goes_on_with_it(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("stylezoo.training.trainer.fastest_precision", lambda: "mixed_bfloat16")
    run(tmp_path, num_steps=2, save_every=1, precision="auto")
    assert recorded_precision(tmp_path) == "mixed_bfloat16"
    before = state(tmp_path)
    assert not caplog.messages
    monkeypatch.setattr("stylezoo.training.trainer.fastest_precision", lambda: "float32")
    run(tmp_path, num_steps=2, save_every=1, precision="auto")
    assert caplog.messages == [
        "The run goes on in mixed_bfloat16, in which it began; float32 is faster on this machine."
    ]
    assert state(tmp_path).keys() == before.keys()
    with pytest.raises(ValueError, match="precision was 'mixed_bfloat16', is 'float32'"):
        run(tmp_path, num_steps=2, save_every=1, precision="float32")
