"""Speed of generators: what a training step costs, and how fast photographs are painted.

Usage: python -m benchmarks.generators [--part=PART...] [--output=RESULT.json]

Weights are random, because they don't change the time. The part ``training`` measures images a second of the
training step at 128 and 256 px in float32 and in bfloat16, and ``painting`` megapixels a second of whole
pictures, batch 1, of each generator. ``pytorch`` runs the same Johnson network in PyTorch, by turns with
ours; it needs ``pip install 'stylezoo[pytorch]'``.
"""

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from absl import app, flags

from benchmarks import results
from stylezoo import generators, images, training

_PARTS = ("training", "painting", "pytorch")
_OUTPUT = flags.DEFINE_string("output", "out/benchmarks/generators.json", "Where figures go.")
_ONLY = flags.DEFINE_multi_enum("part", list(_PARTS[:2]), _PARTS, "What to measure.")
_REPEATS = flags.DEFINE_integer("repeats", 7, "Of each timing.", 1)
_STEPS = flags.DEFINE_integer("steps", 20, "Of each training.", 5)
_SIZES = flags.DEFINE_multi_integer("size", [256, 512, 1024], "Of the pictures painted, px.")
_STYLED = ("johnson", "conditional", "light")


def training_speed(preset: str, size: int, precision: training.Precision) -> dict[str, float]:
    """Return images a second of the training step, after it was traced."""
    source = images.sample_path("chelsea")
    config = training.StyleTraining(
        generator=generators.generator_config(preset),
        styles=(str(images.sample_path("retina")),),
        content=training.ContentConfig(str(source.parent), image_size=size),
    )
    loop = training.LoopConfig(
        num_steps=_STEPS.value,
        save_every=_STEPS.value,
        sample_every=_STEPS.value,
        precision=precision,
    )
    with tempfile.TemporaryDirectory() as folder:
        step = results.seconds_per_step(
            lambda callback: training.train_style(
                config, loop=loop, run=f"{folder}/run", callback=callback
            )
        )
    return {"seconds_per_step": step, "images_per_second": loop.batch_size / step}


def _painter(preset: str, size: int) -> Callable[[], object]:
    painter = generators.build(generators.generator_config(preset))
    photograph = np.random.default_rng(0).uniform(size=(1, size, size, 3)).astype(np.float32)
    return lambda: painter.paint(photograph, tiling="none", stroke_size=None)


def painting_speed(size: int) -> dict[str, Any]:
    """Return megapixels a second of each generator, and how many times as fast as Johnson's it is."""
    seconds = results.alternate(
        {preset: _painter(preset, size) for preset in _STYLED}, repeats=_REPEATS.value
    )
    return {
        "megapixels_per_second": {name: size**2 / 1e6 / value for name, value in seconds.items()},
        "times_johnson": {name: seconds["johnson"] / value for name, value in seconds.items()},
    }


def pytorch_speed(size: int) -> dict[str, Any]:
    """Return the seconds of our Johnson network and of the same in PyTorch, timed in turn."""
    seconds = results.alternate(
        {"tensorflow": _painter("johnson", size), "pytorch": _torch_painter(size)},
        repeats=_REPEATS.value,
    )
    return {**seconds, "ratio": seconds["pytorch"] / seconds["tensorflow"]}


def _torch_painter(size: int) -> Callable[[], object]:
    import torch
    from torch import nn

    def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[Any]:
        pad = nn.ReflectionPad2d(kernel // 2)
        norm = nn.InstanceNorm2d(outputs, affine=True)
        return [pad, nn.Conv2d(inputs, outputs, kernel, stride, bias=False), norm]

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*conv(128, 128, 3), nn.ReLU(), *conv(128, 128, 3))

        def forward(self, x: Any) -> Any:
            return x + self.layers(x)

    network = nn.Sequential(
        *(*conv(3, 32, 9), nn.ReLU()),
        *(*conv(32, 64, 3, 2), nn.ReLU()),
        *(*conv(64, 128, 3, 2), nn.ReLU()),
        *(Residual() for _ in range(5)),
        *(nn.Upsample(scale_factor=2), *conv(128, 64, 3), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), *conv(64, 32, 3), nn.ReLU()),
        *(nn.ReflectionPad2d(4), nn.Conv2d(32, 3, 9), nn.Sigmoid()),
    ).eval()
    count = sum(parameter.numel() for parameter in network.parameters())
    if count != (ours := generators.build(generators.generator_config("johnson")).count_params()):
        raise AssertionError(f"not the same network: {count} parameters, ours has {ours}")
    photograph = torch.rand(1, 3, size, size)

    def paint() -> object:
        with torch.inference_mode():
            return network(photograph)

    return paint


def main(_: list[str]) -> None:
    """Measure what the flags ask for."""
    figures: dict[str, Any] = {}
    if "painting" in _ONLY.value:
        figures["painting"] = {size: painting_speed(size) for size in _SIZES.value}
    if "pytorch" in _ONLY.value:
        figures["pytorch"] = {size: pytorch_speed(size) for size in _SIZES.value}
    if "training" in _ONLY.value:
        figures["training"] = {
            preset: {
                size: {
                    precision: training_speed(preset, size, precision)
                    for precision in ("float32", "mixed_bfloat16")
                }
                for size in (128, 256)
            }
            for preset in _STYLED
        }
    results.write(_OUTPUT.value, "generators", figures)


if __name__ == "__main__":
    app.run(main)
