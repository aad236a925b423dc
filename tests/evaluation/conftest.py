"""What several tests of evaluation need."""

import networks
import numpy as np
import pytest

from stylezoo import classifiers
from stylezoo.weights.layouts import LPIPS_HEADS


@pytest.fixture(scope="session")
def lpips_weights(tmp_path_factory):
    """A file of AlexNet with heads of LPIPS, all of it random."""
    random = np.random.default_rng(1)
    tensors = networks.he_tensors(classifiers.shapes("alexnet_owt", include_top=False))
    for head, shape in LPIPS_HEADS["alexnet_owt"].items():
        tensors[head] = random.uniform(size=shape).astype(np.float32)
    file = tmp_path_factory.mktemp("lpips") / "alexnet_owt.h5"
    return networks.write(file, "alexnet_owt", tensors)
