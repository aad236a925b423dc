"""Painters: networks that paint in one pass, as Keras models that know their styles and inputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

import keras
import numpy as np

from stylezoo import painting
from stylezoo.generators.blending import Style, StyleMix, style_shares
from stylezoo.generators.configs import (
    ENLARGEMENTS,
    IDENTITY,
    TEXTURES,
    ArbitraryConfig,
    GeneratorConfig,
)
from stylezoo.generators.preset_model import PresetModel
from stylezoo.progress import Callback


class Painter(PresetModel):
    """A network that paints, the base of all families.

    A painter is a functional Keras model: ``summary``, ``save("x.keras")``,
    ``keras.models.load_model`` (after ``from stylezoo.generators import Painter``) and ``export`` work
    as with any other; ``keras.models.clone_model`` gives a plain functional model that paints alike.
    Its weights are random until they are trained or loaded; :meth:`~PresetModel.from_preset` loads
    trained ones. Training records are no part of ``.keras`` files.

    Args:
        config: The architecture.
        styles: What the styles are called: one name for each row of scales and shifts of a
            conditional network, at most one for others. ``style_1``, ``style_2``, ... if not given to
            a conditional network. A row called ``identity`` is not listed among the styles: it
            paints the photograph itself, and :meth:`paint` blends with it by ``strength``.
        name: The model's name.

    Attributes:
        config: The architecture.
        style_rows: The names of the columns of the input ``style_weights``, ``identity`` included.
        training_record: How the painter was trained, as JSON can hold it.

    Raises:
        ValueError: If the number of styles does not fit, or two have one name.
    """

    config_type: ClassVar[type[GeneratorConfig]]

    def __init__(
        self, config: GeneratorConfig, *, styles: Sequence[str] = (), name: str | None = None
    ) -> None:
        rows = _checked_rows(config, tuple(styles))
        inputs, output = self._connect(config)
        super().__init__(inputs=inputs, outputs=output, name=name)
        self.config = config
        self.style_rows = rows
        self.training_record = {}

    @classmethod
    def _connect(cls, config: Any) -> tuple[dict[str, Any], Any]:
        """Connect the layers; return the inputs by name and the output."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as JSON can hold them."""
        return {**super().get_config(), "styles": list(self.style_rows)}

    def introduction(self) -> list[str]:
        """Return the lines of the default card."""
        if self.paints == TEXTURES:
            call = "painter.paint(size=(512, 512), seed=0)"
        else:
            style = f', style="{self.styles[0]}"' if self.styles else ""
            call = f"painter.paint(image{style})"
        named = ", ".join(f"`{each}`" for each in self.styles)
        return [
            f"# {type(self).__name__}",
            "",
            f"A painter of {self.paints} with {self.count_params():,} parameters.",
            *([f"Its styles: {named}."] if self.styles else []),
            "",
            "    import stylezoo",
            '    painter = stylezoo.load("FOLDER")',
            f"    {call}",
        ]

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """Build a painter with random weights from what :meth:`get_config` returned.

        Raises:
            TypeError, ValueError: If the configuration has another field, or a wrong value.
        """
        del custom_objects  # it is built of this project's layers alone
        styles = config.get("styles")
        if not isinstance(styles, list | tuple) or not all(
            isinstance(each, str) for each in styles
        ):
            raise ValueError(f"`styles` must be a list of names. Received: styles={styles!r}")
        return cls(cls.config_from(config["config"]), styles=styles, name=config.get("name"))

    # No property: Keras would walk into it when it saves, and from itself into itself.
    def parts(self) -> dict[str, keras.Model]:
        """Return the networks that have its weights, by what stands before the names of their layers."""
        return {"": self}

    @property
    def paints(self) -> str:
        """What the painter makes: ``"photographs"``, ``"textures"`` or ``"enlargements"``."""
        return self.config.paints

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles that it paints in; none for super-resolution."""
        return tuple(row for row in self.style_rows if row != IDENTITY)

    @property
    def factor(self) -> int:
        """How many times larger than the image the painting is."""
        return 1

    @property
    def geometry(self) -> painting.Geometry:
        """Where its inputs and its output are in the picture."""
        return painting.Geometry(
            self.config.stride, self.config.reach, self._input_strides(), self.factor
        )

    def _input_strides(self) -> dict[str, int]:
        return {"image": 1}

    def mix_styles(self, style: Style | None = None) -> StyleMix:
        """Look a style up, once for any number of photographs.

        Args:
            style: ``"name"``, ``"name:weight,name:weight"`` or ``{"name": weight}``; None for the
                only style of a painter that has one. A painter of any style takes paths of pictures
                for names, or a picture; see :class:`Arbitrary`.

        Returns:
            The blend, which :meth:`paint` also takes as ``style``.

        Raises:
            ValueError: If a name is unknown or given twice, if weights are negative, not finite or
                all 0, or if ``style`` is None although there are several.
        """
        if isinstance(style, StyleMix):
            return style
        if not (style is None or isinstance(style, str | Mapping)):
            raise ValueError(
                "`style` must be names of styles. "
                f"Received: a {type(style).__name__} for a painter of certain styles"
            )
        shares = style_shares(self.styles, style)
        code = [shares.get(row, 0.0) for row in self.style_rows]
        return StyleMix(shares, np.array(code, np.float32))

    def style_weights(self, style: Style | None = None, *, strength: float = 1.0) -> np.ndarray:
        """Return how much of each row of scales and shifts a style takes.

        Styles are blended as in Dumoulin et al. 2017, section 4.

        Args:
            style: See :meth:`mix_styles`.
            strength: Share of the style, from 0 to 1; the rest is the row ``identity``'s, if there
                is one.

        Returns:
            [len(style_rows)], float32, of sum 1; empty for a painter without styles.

        Raises:
            ValueError: As :meth:`mix_styles`, or if ``strength`` is not in [0, 1].
        """
        _check_strength(strength)
        weights = self.mix_styles(style).code
        if IDENTITY in self.style_rows:
            weights = strength * weights + (1 - strength) * self._identity
        return weights

    @property
    def _identity(self) -> np.ndarray:
        """The weights of the row ``identity`` alone."""
        return np.array([row == IDENTITY for row in self.style_rows], np.float32)

    def inputs_for(
        self, image: Any, *, style: Any = None, seed: Any = 0, varied: bool = False
    ) -> dict[str, Any]:
        """Return all that the network takes to paint pictures.

        Args:
            image: [B, H, W, 3] in [0, 1]; an array, or a tensor of a traced function.
            style: The network's input for the styles: the shares of the rows, [B, len(style_rows)], for
                a conditional network; vectors of styles for one of any style; nothing for others.
            seed: Seed of the noise of networks that mix some in: an integer or a scalar tensor.
            varied: Whether each picture gets noise of its own, as in training; else all get the same.

        Returns:
            The inputs by name.
        """
        del seed, varied
        if not self.config.num_styles:
            return {"image": image}
        return {"image": image, "style_weights": style}

    def _own_codes(self, pictures: np.ndarray) -> np.ndarray | None:
        """Return the codes of styles that paint photographs as they are, [B, n]; None for none."""
        if IDENTITY not in self.style_rows:
            return None
        return np.tile(self._identity, [len(pictures), 1])

    def paint(
        self,
        image: Any = None,
        *,
        size: tuple[int, int] | None = None,
        style: Style | None = None,
        strength: float = 1.0,
        preserve_color: bool = False,
        stroke_size: int | None = painting.STROKE_SIZE,
        seed: int = 0,
        tiling: str = "auto",
        tile: int = painting.DEFAULT_TILE,
        callback: Callback | None = None,
    ) -> np.ndarray:
        """Paint pictures of any size.

        ``strength`` blends with the style that paints the photograph as it is, if the painter knows
        one: the row ``identity``, or the style of the photograph itself. The same share is added of
        what that style loses of the photograph, so that 0 gives the photograph itself. Other painters
        blend picture and photograph in CIE L*a*b*. 1 changes nothing.

        Args:
            image: The photographs, [B, H, W, 3], float, RGB in [0, 1]; an array or a tensor. A
                painter of textures takes none.
            size: Height and width of a texture, px; other painters take none.
            style: See :meth:`mix_styles`.
            strength: Share of the painting, from 0 to 1; for painters of photographs only.
            preserve_color: Whether to keep the photograph's colours and take the painting's luminance
                only (Gatys et al. 2017, section 5); for painters of photographs only.
            stroke_size: Longest side of a photograph whose strokes are as in training, px. In larger ones
                strokes grow as well: a smaller copy is painted first, then the mean of the photograph
                and what was painted, enlarged. None paints strokes of one size whatever the
                photograph's. For painters of photographs only.
            seed: Seed of the noise of a texture network.
            tiling: ``"none"`` paints at once, ``"exact"`` tile by tile the same picture, ``"fast"``
                tile by tile nearly the same; ``"auto"`` chooses by the size. See
                :class:`stylezoo.painting.Engine`.
            tile: Side of a tile of the painting, px; less memory with smaller ones.
            callback: Called after each tile; its steps are tiles.

        Returns:
            [B, H, W, 3], float32, in [0, 1]; ``factor`` times as large as the image for
            super-resolution.

        Raises:
            ValueError: If the image has another shape or dtype, if it or a size is missing, or if an
                option has a value that the painter can't take.
        """
        _check_strength(strength)
        mix = self.mix_styles(style)
        self._check_size(image, size)
        if size is not None:
            return self._whole_texture(size, seed)
        pictures = checked_pictures(image)
        if self.paints == ENLARGEMENTS and (strength != 1 or preserve_color):
            raise ValueError(
                "`strength` must be 1 and `preserve_color` False for super-resolution. "
                f"Received: strength={strength}, preserve_color={preserve_color}"
            )

        def paint(source: np.ndarray, codes: np.ndarray) -> np.ndarray:
            inputs = self.inputs_for(source, style=codes, seed=seed)
            return self._engine.paint(inputs, tiling=tiling, tile=tile, callback=callback)

        codes = np.tile(mix.code, [len(pictures), 1])
        if self.paints == ENLARGEMENTS:
            return paint(pictures, codes)
        height, width = pictures.shape[1:3]
        sizes = painting.stroke_sizes(height, width, stroke_size)
        paintings = self._paint_sizes(pictures, sizes, codes, strength, paint)
        if preserve_color:
            painting.recolour(paintings, pictures)
        return paintings

    def _check_size(self, image: Any, size: tuple[int, int] | None) -> None:
        """Raise a ValueError unless a painter of textures gets a size alone, and others get none."""
        if self.paints == TEXTURES and (image is not None or size is None):
            raise ValueError(
                f"`size` must be given, and `image` not, to {type(self).__name__} for textures"
            )
        if self.paints != TEXTURES and size is not None:
            raise ValueError(f"`size` must be given to painters of textures only. Received: {size}")

    def _paint_sizes(
        self,
        pictures: np.ndarray,
        sizes: Sequence[tuple[int, int]],
        codes: np.ndarray,
        strength: float,
        paint: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> np.ndarray:
        """Paint photographs at several sizes with a share of a style's codes.

        ``paint`` paints pictures with codes.
        """
        own = None if strength == 1 else self._own_codes(pictures)
        if own is None:
            paintings = painting.coarse_to_fine(pictures, sizes, lambda each: paint(each, codes))
            if strength != 1:
                painting.blend_with_photograph(paintings, pictures, strength=strength)
            return paintings

        def paint_share(source: np.ndarray) -> np.ndarray:
            paintings = paint(source, strength * codes + (1 - strength) * own)
            lost = source - paint(source, own)
            return np.clip(paintings + (1 - strength) * lost, 0, 1, out=paintings)

        return painting.coarse_to_fine(pictures, sizes, paint_share, strength=strength)

    def tiling_of(
        self, height: int, width: int, *, tiling: str = "auto", tile: int = painting.DEFAULT_TILE
    ) -> str:
        """Return how :meth:`paint` paints an image of a size, px: ``none``, ``exact`` or ``fast``.

        Raises:
            ValueError: If ``tiling`` is unknown or ``tile`` < 1.
        """
        return self._engine.mode(height, width, tiling=tiling, tile=tile)

    def _whole_texture(self, size: tuple[int, int], seed: int) -> np.ndarray:
        raise NotImplementedError

    @property
    def _engine(self) -> painting.Engine:
        """The engine that paints any size, made when it is first needed, since it traces the network."""
        if "_own_engine" not in self.__dict__:
            self._own_engine = painting.Engine(self, self.geometry)
        return self._own_engine


def _checked_rows(config: GeneratorConfig, styles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the rows, or raise a ValueError."""
    for style in styles:
        if (
            not style or not style.isprintable()
        ):  # half a character of another encoding is not printable either
            raise ValueError(f"`styles` must be names of printable characters. Received: {style!r}")
    if config.num_styles and not styles:
        return tuple(f"style_{index + 1}" for index in range(config.num_styles))
    most = 0 if config.paints == ENLARGEMENTS or isinstance(config, ArbitraryConfig) else 1
    fits = len(styles) == config.num_styles if config.num_styles else len(styles) <= most
    if not fits or len(set(styles)) < len(styles):
        wanted = config.num_styles or f"at most {most}"
        raise ValueError(f"`styles` must be {wanted} different names. Received: {styles}")
    return styles


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"`strength` must be in [0, 1]. Received: strength={strength}")


def checked_pictures(image: Any) -> np.ndarray:
    """Return pictures, [B, H, W, 3], as float32, or raise a ValueError that names ``image``."""
    pictures = np.asarray(image)
    fits = pictures.ndim == 4 and pictures.shape[-1] == 3 and pictures.size
    if not (fits and np.issubdtype(pictures.dtype, np.floating)):
        raise ValueError(
            "`image` must be [batch, height, width, 3], float, in [0, 1]. "
            f"Received: shape={pictures.shape}, dtype={pictures.dtype}"
        )
    return pictures.astype(np.float32, copy=False)
