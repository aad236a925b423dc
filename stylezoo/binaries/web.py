"""Serve a page that paints in the browser, or write it as files for any host.

Usage:
  stylezoo web [--port=8000] [--exports=FOLDER]
  stylezoo web --output=FOLDER [--exports=FOLDER] [--overwrite]

The page paints photographs, a camera and textures by LiteRT.js on the computer that opens it; no picture
leaves that. It paints with the .tflite files of --exports, as `stylezoo export` writes them. Without
--exports these are light and the texture networks, which are exported into the cache at the first start.
LiteRT's WebAssembly is fetched from npm's registry at the first start (12 MB); later starts need no network.
"""

import pathlib

from absl import flags

from stylezoo import images
from stylezoo.binaries.common import flag_checks, options, process, quiet


def define_flags(values: flags.FlagValues) -> None:
    """Add the command's flags to ``values``."""
    flags.DEFINE_string(
        "exports", None, "Folder of exports, with NAME/*.tflite in it.", flag_values=values
    )
    flags.DEFINE_integer(
        "port",
        8000,
        "Port on this computer, 127.0.0.1; 0 takes a free one.",
        0,
        65535,
        flag_values=values,
    )
    flags.DEFINE_string(
        "output", None, "Folder to write the page to, instead of serving it.", flag_values=values
    )
    flags.DEFINE_bool("overwrite", False, "Replace the folder --output.", flag_values=values)


def main(arguments: list[str], values: flags.FlagValues) -> int:
    """Run the command and return its exit status."""
    options.reject_arguments(arguments)
    flag_checks.needs(values, "overwrite", "--output", met=values.output is not None)
    if values["port"].present and values.output is not None:
        raise ValueError(
            "`--port` must come without --output, which writes the page and serves nothing"
        )
    if values.output is not None:
        images.check_output_folder(values.output, overwrite=values.overwrite)
    from stylezoo import web

    site = web.build_site(values.exports or _default_exports())
    if values.output is not None:
        web.write_site(site, values.output, overwrite=values.overwrite)
        print(values.output)
        return 0
    with web.Server(site, values.port) as server:
        print(f"Open {server.url} (Ctrl+C ends).", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt as interrupt:
            return process.status_of(interrupt)
    return 0


def _default_exports() -> pathlib.Path:
    """Return the folder of the zoo's own exports, after making those that are missing."""
    from stylezoo.web import defaults, runtime

    runtime.runtime_folder()  # exporting would be in vain where it can't be fetched
    folder = defaults.exports_folder()
    for model, config in defaults.missing_exports():
        size = "x".join(map(str, config.size or ()))
        print(f"Exporting {model} at {size} px, once ...", flush=True)
        quiet.import_tensorflow()
        from stylezoo import export

        with quiet.silent_stderr():  # as in `stylezoo export`
            export.export_tflite(export.load(model), folder, config, name=model, overwrite=True)
    return folder
