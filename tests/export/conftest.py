"""Small models to export."""

import export_helpers
import pytest


@pytest.fixture(scope="session")
def model_files(tmp_path_factory):
    """Presets by kind: conditional, johnson, texture, stylizing."""
    folder = tmp_path_factory.mktemp("models")
    for name, config in export_helpers.CONFIGS.items():
        export_helpers.generator(config).save_to_preset(folder / name)
    return {name: folder / name for name in export_helpers.CONFIGS}
