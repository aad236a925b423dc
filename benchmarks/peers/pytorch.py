"""Style transfer in PyTorch as neural-style does it: VGG-16, and L-BFGS over the pixels.

The objective is ours (losses relative to the target's), so that the losses are the same number. L-BFGS takes
full steps without a line search, PyTorch's default and neural-style's choice.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks.peers import worker

_BLOCKS = (2, 2, 3, 3, 3)
_STYLE = tuple(f"relu{block}_1" for block in range(1, 6))
_CONTENT = "relu4_2"
_CONTENT_WEIGHT, _STYLE_WEIGHT = 1.0, 10.0


def _picture(inputs: Mapping[str, Any], role: str) -> torch.Tensor:
    from PIL import Image

    pixels = np.asarray(Image.open(inputs[role]).convert("RGB"), np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()


class _Network:
    """The convolutions of VGG-16 up to relu5_1."""

    def __init__(self, path: str) -> None:
        with np.load(path) as tensors:
            self._kernels = {
                name.removesuffix("/kernel"): torch.from_numpy(tensors[name]).permute(3, 2, 0, 1)
                for name in tensors.files
                if name.startswith("conv") and name.endswith("/kernel")
            }
            self._biases = {
                name: torch.from_numpy(tensors[f"{name}/bias"]) for name in self._kernels
            }
        self._kernels = {name: kernel.contiguous() for name, kernel in self._kernels.items()}
        self._mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
        self._std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

    def __call__(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return dict(self._features(image))

    def _features(self, image: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
        x = (image - self._mean) / self._std
        for block, layers in enumerate(_BLOCKS, 1):
            for layer in range(1, layers + 1):
                name = f"{block}_{layer}"
                kernel, bias = self._kernels[f"conv{name}"], self._biases[f"conv{name}"]
                x = functional.relu(functional.conv2d(x, kernel, bias, padding=1))
                yield f"relu{name}", x
                if name == "5_1":
                    return
            x = functional.max_pool2d(x, 2)


def _gram(features: torch.Tensor) -> torch.Tensor:
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def _relative(values: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (values - target).square().sum() / target.square().sum()


def transfer(inputs: Mapping[str, Any]) -> worker.Run:
    """L-BFGS with ten pairs, from the photograph."""
    network = _Network(inputs["vgg16"])
    content = _picture(inputs, "content")
    with torch.no_grad():
        content_target = network(content)[_CONTENT]
        style_features = network(_picture(inputs, "style"))
        grams = {tap: _gram(style_features[tap]) for tap in _STYLE}

    def loss(image: torch.Tensor) -> torch.Tensor:
        features = network(image)
        style = sum(_relative(_gram(features[tap]), grams[tap]) for tap in _STYLE) / len(_STYLE)
        return (
            _CONTENT_WEIGHT * _relative(features[_CONTENT], content_target) + _STYLE_WEIGHT * style
        )

    def run() -> worker.Figures:
        image = content.clone().requires_grad_()
        steps = inputs["steps"]
        optimizer = torch.optim.LBFGS(
            [image], max_iter=steps, history_size=10, tolerance_grad=0, tolerance_change=0
        )
        losses: list[float] = []

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            value = loss(image)
            value.backward()
            losses.append(float(value))
            return value

        optimizer.step(closure)
        with torch.no_grad():
            final = float(loss(image.clamp(0, 1)))
        return {"initial_loss": losses[0], "loss": final}

    return run


if __name__ == "__main__":
    worker.serve({"transfer": transfer}, ("torch",))
