"""Networks and metrics that others publish for PyTorch."""

from collections.abc import Mapping
from typing import Any

import torch

from benchmarks.peers import worker


def network(inputs: Mapping[str, Any]) -> worker.Run:
    """timm's ResNet-50: the gradient of the mean score with respect to every weight, in training mode."""
    import timm

    del inputs
    model = timm.create_model("resnet50", pretrained=False).train()
    images = torch.rand(1, 3, 224, 224)

    def run() -> worker.Figures:
        model.zero_grad()
        model(images).mean().backward()
        return {"parameters": sum(each.numel() for each in model.parameters())}

    return run


def lpips(inputs: Mapping[str, Any]) -> worker.Run:
    """LPIPS of the photograph and its mirror image: our weights of AlexNet, the package's heads."""
    import lpips as package
    import numpy as np
    from PIL import Image

    metric = package.LPIPS(net="alex", pnet_rand=True, verbose=False)
    convolutions = [each for each in metric.net.modules() if isinstance(each, torch.nn.Conv2d)]
    with np.load(inputs["alexnet_owt"]) as tensors, torch.no_grad():
        for number, convolution in enumerate(convolutions, 1):
            kernel = torch.from_numpy(tensors[f"conv{number}/kernel"])
            convolution.weight.copy_(kernel.permute(3, 2, 0, 1))
            convolution.bias.copy_(torch.from_numpy(tensors[f"conv{number}/bias"]))
    pixels = np.asarray(Image.open(inputs["content"]).convert("RGB"), np.float32) / 127.5 - 1
    photograph = torch.from_numpy(pixels).permute(2, 0, 1)[None]

    def run() -> worker.Figures:
        with torch.inference_mode():
            return {"distance": float(metric(photograph, photograph.flip(3)))}

    return run


if __name__ == "__main__":
    worker.serve({"network": network, "lpips": lpips}, ("torch", "torchvision"))
