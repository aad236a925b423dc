"""Painters with names: those that this project trained, in the wheel, and those that others published.

Of the former each is a preset's folder, named as the painter. Of the latter the weights are fetched
when they are first needed, and ``published`` has their cards. Importing this folder is cheap: TensorFlow
is not used.
"""

import dataclasses
import json
import pathlib

_FOLDER = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class PretrainedModel:
    """A preset in this folder.

    Attributes:
        name: The name of its folder.
        paints: ``"photographs"``, ``"textures"`` or ``"enlargements"``.
        summary: Description of the painter in a few words.
        styles: Names of the painter's styles.
        sha256: SHA-256 of its ``model.weights.h5``.
    """

    name: str
    paints: str
    summary: str
    styles: tuple[str, ...]
    sha256: str

    @property
    def folder(self) -> pathlib.Path:
        """The folder of the preset."""
        return _FOLDER / self.name

    @property
    def style_rows(self) -> tuple[str, ...]:
        """The names of the columns of its network's ``style_weights``."""
        described = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        return tuple(described["config"]["styles"])

    def card(self) -> str:
        """Return the model card, in Markdown."""
        return (self.folder / "README.md").read_text(encoding="utf-8")


@dataclasses.dataclass(frozen=True)
class PublishedModel:
    """A painter that others trained.

    Attributes:
        name: The name of its weights, as :func:`stylezoo.weights.get_spec` takes it.
        paints: As of :class:`PretrainedModel`, like the rest.
        summary: What it is, in a few words.
        styles: What its painter calls its styles; none if it takes any picture's.
    """

    name: str
    paints: str
    summary: str
    styles: tuple[str, ...]

    def card(self) -> str:
        """Return its model card, Markdown."""
        return (_FOLDER / "published" / f"{self.name}.md").read_text(encoding="utf-8")


_STYLES = (
    "starry_night",
    "great_wave",
    "the_scream",
    "composition_vii",
    "udnie",
    "portrait_of_jean_metzinger",
    "woman_with_a_hat",
    "water_lilies",
    "cezanne_apples",
    "fuchun_mountains",
    "grande_jatte",
    "mondrian_composition",
    "night_cafe",
    "shipwreck_of_the_minotaur",
    "thatched_cottages",
    "wheat_field_with_cypresses",
)
_MODELS = (
    PretrainedModel(
        name="conditional",
        paints="photographs",
        summary="sixteen styles, Johnson's network",
        styles=_STYLES,
        sha256="318988709e178c905be5646a6989d9f4b2029293235028c8a55b2f8ac9857b27",
    ),
    PretrainedModel(
        name="light",
        paints="photographs",
        summary="the same, four to five times as fast",
        styles=_STYLES,
        sha256="79610bf9627cdc727baa532d926056387f71fb028ee7d36bcc4773b1d21641dd",
    ),
    PretrainedModel(
        name="gravel",
        paints="textures",
        summary="grey stones",
        styles=("gravel",),
        sha256="9d48c3362fa664404baa46f9c868debca21d5af179c9c8ed3d61a2f780704d9b",
    ),
    PretrainedModel(
        name="wheat",
        paints="textures",
        summary="van Gogh's brushwork",
        styles=("wheat",),
        sha256="00024c82848e966c0e85541c31eca757e49185b6f18a1da63435873fc00d926c",
    ),
    PretrainedModel(
        name="grass",
        paints="textures",
        summary="blades and leaves, grey",
        styles=("grass",),
        sha256="fe10c75596a41b1385c103ad3b0b6fda20d28d715cfac935e52086dc7daf9bea",
    ),
    PretrainedModel(
        name="superres_x4",
        paints="enlargements",
        summary="enlarges photographs four times",
        styles=(),
        sha256="733497d41d8e87846784f7c9c49020bb7550f54649372783611de9db5f1e00d8",
    ),
)
_PUBLISHED = (
    PublishedModel(
        name="arbitrary.magenta",
        paints="photographs",
        summary="any picture's style, Ghiasi et al. 2017",
        styles=(),
    ),
    PublishedModel(
        name="multistyle26.magenta",
        paints="photographs",
        summary="26 styles, Dumoulin et al. 2017",
        styles=tuple(f"style{index}" for index in range(26)),
    ),
)
# Networks that make pictures of a classifier's features.
DECODERS: dict[str, PretrainedModel] = {}
MODELS = {model.name: model for model in _MODELS}
PUBLISHED = {model.name: model for model in _PUBLISHED}
#: All of them.
LISTED: dict[str, PretrainedModel | PublishedModel] = {**MODELS, **PUBLISHED}
