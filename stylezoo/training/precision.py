"""The precision in which this machine trains fastest at equal losses."""

import pathlib

import tensorflow as tf

from stylezoo.training.loop_config import Precision

_CPU_INFO = pathlib.Path("/proc/cpuinfo")

# Linux's names of the processors' instructions that multiply bfloat16 numbers.
_CPU_FLAGS = {"avx512_bf16", "amx_bf16"}
# The first of NVIDIA's GPUs that multiply bfloat16 numbers: Ampere.
_GPU_CAPABILITY = (8, 0)


def fastest_precision() -> Precision:
    """Return the Keras dtype policy that ``"auto"`` means on this machine.

    It is ``"mixed_bfloat16"`` where the GPU, or without one the processor, multiplies bfloat16 numbers
    itself, and ``"float32"`` elsewhere. BUILD.md has the measurements.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        fast = details.get("compute_capability", (0, 0)) >= _GPU_CAPABILITY
    else:
        fast = bool(_CPU_FLAGS & _cpu_flags())
    return "mixed_bfloat16" if fast else "float32"


def _cpu_flags() -> set[str]:
    """Return the names of the processor's instructions; none where Linux does not list them."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return next((set(line.split()) for line in lines if line.startswith("flags")), set())
