"""Generators that this project trained, in the wheel: they need no download.

Importing this folder is cheap: TensorFlow is not used.
"""

import dataclasses
import hashlib
import importlib.resources
import io


@dataclasses.dataclass(frozen=True)
class PretrainedModel:
    """A generator's file of this folder, and the card beside it that tells how it was made.

    Attributes:
        name: of the files ``NAME.h5`` and ``NAME.md``.
        paints: ``"photographs"`` or ``"textures"``.
        summary: what it is, in a few words.
        styles: what its generator calls its styles.
        sha256: of the file.
    """

    name: str
    paints: str
    summary: str
    styles: tuple[str, ...]
    sha256: str

    def read(self) -> io.BytesIO:
        """The file's content.

        Raises:
            OSError: if it can't be read.
            ValueError: if it isn't what was published.
        """
        content = _file(f"{self.name}.h5").read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ValueError(
                f"the file of the pretrained model {self.name} is damaged: install stylezoo again"
            )
        return io.BytesIO(content)

    def card(self) -> str:
        """Its model card, Markdown."""
        return _file(f"{self.name}.md").read_text(encoding="utf-8")


def _file(name: str) -> "importlib.resources.abc.Traversable":
    return importlib.resources.files(__name__) / name


_STYLES = (
    "starry_night",
    "great_wave",
    "the_scream",
    "composition_vii",
    "udnie",
    "portrait_of_jean_metzinger",
    "woman_with_a_hat",
    "water_lilies",
)
_MODELS = (
    PretrainedModel(
        name="conditional",
        paints="photographs",
        summary="eight styles, Johnson's network",
        styles=_STYLES,
        sha256="03c8ca466c1e34cb801670ffc88ad935ab061c6a8f69f1d4681141f339610fa2",
    ),
    PretrainedModel(
        name="light",
        paints="photographs",
        summary="the same, five times as fast",
        styles=_STYLES,
        sha256="0e2d090a1f5bfb927b8d7048bba8ed35f707cbffa184925c77f2bff37c923506",
    ),
    PretrainedModel(
        name="gravel",
        paints="textures",
        summary="grey stones",
        styles=("gravel",),
        sha256="79c00a584c523d9018ad3a11348e61bf2597a5516dfa6dec97587c59575e8951",
    ),
    PretrainedModel(
        name="wheat",
        paints="textures",
        summary="van Gogh's brushwork",
        styles=("wheat",),
        sha256="ff44a08c0799503ea4a0f81c3630f30ede9e751c7d8d6e0c15eb8390685cb277",
    ),
    PretrainedModel(
        name="grass",
        paints="textures",
        summary="blades and leaves, grey",
        styles=("grass",),
        sha256="9f3f891fa47a73735585923f6c686b75037bc68d79fd6b092014f9f81d4a3a2c",
    ),
)
MODELS = {model.name: model for model in _MODELS}
