"""Small models to export."""

import export_helpers
import pytest

from stylezoo import generators


@pytest.fixture(scope="session")
def model_files(tmp_path_factory):
    """Generators' files by kind: conditional, johnson, texture, stylizing."""
    folder = tmp_path_factory.mktemp("models")
    for name, config in export_helpers.CONFIGS.items():
        generators.save(folder / f"{name}.h5", export_helpers.generator(config))
    return {name: folder / f"{name}.h5" for name in export_helpers.CONFIGS}
