"""One HTML page of what a network sees in a picture, layer by layer, to teach with.

Usage:
  stylezoo visualize report --image=PICTURE --output=PAGE.html [--images=FOLDER] [--flags]

The page has the picture's likeliest classes; of each layer its strongest channels, as maps of the picture, as
the patches of --images that they respond to most, and as pictures that drive them up; the attribution of the
likeliest class by all methods that suit the network, and a picture that drives it up; and the picture as each
layer remembers it. All pictures are within the page, which needs no server. The layers are the last ones of
each size by default.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from stylezoo import errors, images
from stylezoo.binaries import visualize_attribution
from stylezoo.binaries.common import network_flags, options, quiet, reporting

if TYPE_CHECKING:
    import pathlib

    import tensorflow as tf

    from stylezoo.perceptual import Network
    from stylezoo.visualize.report_page import Page

_MAP = 96  # longest side of a map, px
_PATCH = 96  # side of a patch, px


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    options.define_output_flags(
        values,
        output="Page to write, .html.",
        report="Also write classes, layers, channels and settings to this JSON file.",
    )
    network_flags.define(values, default="squeezenet1_1")
    network_flags.define_labels(values)
    for name, text in (
        ("image", "Picture to look at."),
        (
            "images",
            "Pictures, a folder or a pattern to find patches in; none are shown by default.",
        ),
    ):
        flags.DEFINE_string(name, None, text, flag_values=values)
    flags.DEFINE_list(
        "layers", None, "Layers of the page; by default the last of each size.", flag_values=values
    )
    for name, default, lowest, text in (
        ("size", 224, 1, "Longest side to which pictures are resized, px."),
        ("channels", 4, 1, "Number of channels of each layer that are looked at."),
        (
            "steps",
            128,
            0,
            "Number of steps for the pictures of channels and of the class; 0 for none.",
        ),
        ("inversion_steps", 100, 0, "Number of steps for the inversion of each layer; 0 for none."),
    ):
        flags.DEFINE_integer(name, default, text, lowest, flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    options.require(values, "image", "output")
    images.check_output_path(values.output, overwrite=values.overwrite, extensions=[".html"])
    reporting.check_report(values)
    image = images.read_image(values.image, max_pixels=values.max_pixels)
    paths = None if values.images is None else options.pictures([values.images])
    quiet.import_tensorflow()
    report = _Report(values, image, paths)
    page = report.page()
    with images.atomic_path(values.output, overwrite=values.overwrite) as temporary:
        temporary.write_text(page.html(), encoding="utf-8")
    reporting.write_report(values, {**report.figures, **reporting.circumstances(values)})
    return 0


class _Report:
    """What a network sees in a picture.

    Attributes:
        figures: What the page shows, for the JSON file.
    """

    def __init__(
        self, values: flags.FlagValues, image: np.ndarray, paths: "list[pathlib.Path] | None"
    ) -> None:
        from stylezoo import perceptual

        self.figures: dict[str, Any] = {}
        self._values = values
        self._paths = paths
        self._looked = network_flags.read(values)
        self._layers = list(values.layers or _last_of_each_size(self._looked))
        with errors.renamed(taps="layers"):
            perceptual.check_taps(self._looked, self._layers)
        self._has_head = network_flags.has_head(values, self._looked)
        self._taps = (*self._layers, *([perceptual.SCORES] if self._has_head else []))
        self._shown = network_flags.fitted(
            image, network=self._looked, taps=self._taps, size=values.size
        )
        self._network = network_flags.perceptual(values, self._looked).build(self._taps)
        self._features = self._network(self._shown)

    def page(self) -> "Page":
        """Return the page, made part by part."""
        from stylezoo.visualize.report_page import Page

        # First, since a picture of the folder may be none.
        patches = {each: self._patches(each) for each in self._layers if self._paths}
        page = Page(f"What {self._looked} sees in {self._values.image}")
        page.picture(self._shown, f"{self._values.image}, as the network sees it")
        if self._has_head:
            self._classes(page)
        self._channels(page, patches)
        if self._values.inversion_steps:
            self._inversions(page)
        return page

    def _classes(self, page: "Page") -> None:
        from stylezoo import perceptual, visualize

        scores = np.asarray(self._features[perceptual.SCORES][0], np.float64)
        probabilities = np.exp(scores - scores.max())
        probabilities /= probabilities.sum()
        names = network_flags.classes(self._values, self._looked, count=len(scores)).names
        best = np.argsort(-probabilities, kind="stable")[:5].tolist()
        rows = [(names[index], f"{100 * probabilities[index]:.1f} %") for index in best]
        page.section("Classes")
        page.table([("class", "probability"), *rows])
        unit = visualize.Unit(perceptual.SCORES, best[0])
        page.heading(f"Where {names[best[0]]} is seen")
        page.picture(self._attributions(unit), "The attribution of its score by each method")
        if self._values.steps:
            page.heading(f"What {names[best[0]]} looks like to the network")
            page.picture(self._maximized(perceptual.SCORES, best[:4], names), "Pictures of classes")
        self.figures["classes"] = [
            {"class": names[index], "probability": float(probabilities[index])} for index in best
        ]

    def _attributions(self, unit: Any) -> np.ndarray:
        from stylezoo import visualize

        unsuitable = visualize.unsuitable_methods(self._network)
        methods = [each for each in visualize.METHODS if each not in unsuitable]
        cells = []
        with reporting.bar("attribution", "map", total=len(methods)) as bar:
            for method in methods:
                cam_layer = self._layers[-1] if method in visualize.CAM_METHODS else None
                config = visualize.AttributionConfig(method, cam_layer=cam_layer)
                picture = visualize_attribution.picture(self._network, unit, config, self._shown)
                cells.append(picture)
                bar.update()
        return images.contact_sheet(cells, columns=4, captions=methods)

    def _strongest(self, layer: str) -> list[int]:
        """Return the channels of a layer that respond most to the picture."""
        most = self._features[layer][0].numpy().max(axis=(0, 1))
        return np.argsort(-most, kind="stable")[: self._values.channels].tolist()

    def _channels(self, page: "Page", patches: dict[str, np.ndarray]) -> None:
        from stylezoo import perceptual

        page.section("Layers")
        infos = perceptual.tap_info(self._looked)
        rows = [
            (name, *map(str, (info.channels, info.stride, info.receptive_field)))
            for name, info in infos.items()
            if name in self._layers
        ]
        heading = (
            "layer",
            "channels",
            "pixels from one feature to the next",
            "receptive field, px",
        )
        page.table([heading, *rows])
        self.figures["layers"] = []
        for layer in self._layers:
            page.heading(layer)
            features, chosen = self._features[layer][0].numpy(), self._strongest(layer)
            page.picture(_maps(features, chosen), "Its strongest channels in the picture")
            if layer in patches:
                page.picture(patches[layer], "Patches that they respond to most")
            if self._values.steps:
                names = {channel: f"{layer}:{channel}" for channel in chosen}
                page.picture(self._maximized(layer, chosen, names), "Pictures that drive them up")
            self.figures["layers"].append({"layer": layer, "channels": chosen})

    def _patches(self, layer: str) -> np.ndarray:
        from stylezoo import perceptual, visualize

        assert self._paths is not None
        info = perceptual.tap_info(self._looked)[layer]
        best = visualize.best_patches(
            self._network,
            map(self._read, self._paths),
            layer=layer,
            channels=self._strongest(layer),
            info=info,
            top=4,
        )
        cells, captions = [], []
        for channel, patches in best.items():
            for patch in patches:
                seen = self._read(self._paths[patch.image])[0].numpy()
                cut = visualize.crop(seen, patch, info, fill=1.0)
                cells.append(images.resize(cut[None], (_PATCH, _PATCH))[0].numpy())
                captions.append(f"{channel}: {patch.activation:.3g}")
        return images.contact_sheet(cells, columns=4, captions=captions)

    def _read(self, path: "pathlib.Path") -> "tf.Tensor":
        pixels = images.read_image(path, max_pixels=self._values.max_pixels)
        with errors.renamed(image=str(path)):
            return network_flags.fitted(
                pixels, network=self._looked, taps=self._taps, size=self._values.size
            )

    def _maximized(self, layer: str, channels: list[int], names: Any) -> np.ndarray:
        from stylezoo import perceptual, visualize

        config = dataclasses.replace(
            visualize.PRESETS["robust"],
            network=self._looked,
            weights=self._values.weights,
            size=perceptual.fixed_size(self._looked, [layer]) or self._values.size,
            steps=self._values.steps,
        )
        unit = visualize.Unit(layer, tuple(channels))
        with reporting.steps(f"pictures of {layer}") as callback:
            made = visualize.maximize(unit, config=config, batch=len(channels), callback=callback)
        scores = visualize.scores(unit, config, made.image).tolist()
        captions = [
            reporting.caption(names[channel], score)
            for channel, score in zip(channels, scores, strict=True)
        ]
        return images.contact_sheet(list(made.image), columns=4, captions=captions)

    def _inversions(self, page: "Page") -> None:
        from stylezoo import synthesis

        page.section("What each layer remembers")
        cells, captions = [self._shown[0].numpy()], ["picture"]
        for layer in self._layers:
            config = synthesis.InversionConfig(
                layer=layer,
                perceptual=network_flags.perceptual(self._values, self._looked),
                size=max(self._shown.shape[1:3]),
                steps=self._values.inversion_steps,
            )
            with reporting.steps(f"inversion {layer}") as callback:
                result = synthesis.invert(self._shown, config=config, callback=callback)
            cells.append(np.asarray(result.image[0]))
            captions.append(f"{layer}: {result.losses[-1]['content']:.3f}")
        sheet = images.contact_sheet(cells, columns=3, captions=captions)
        page.picture(sheet, "Pictures with the same features, and how far those are from the same")


def _last_of_each_size(looked: "Network") -> list[str]:
    """Return the last layer of each distance between features, in the order of the network."""
    from stylezoo import perceptual

    infos = perceptual.tap_info(looked)
    last = {info.stride: name for name, info in infos.items()}
    return [name for name in infos if name in last.values()]


def _maps(features: np.ndarray, channels: list[int]) -> np.ndarray:
    from stylezoo import visualize

    cells = []
    for each in visualize.activation_maps(features[..., channels]):
        zoom = max(_MAP // max(each.shape[:2]), 1)
        cells.append(each.repeat(zoom, axis=0).repeat(zoom, axis=1))
    captions = [f"{channel}: {features[..., channel].max():.3g}" for channel in channels]
    return images.contact_sheet(cells, columns=4, captions=captions)
