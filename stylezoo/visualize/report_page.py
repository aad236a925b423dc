"""One HTML page with everything in it: text, tables and pictures, without a server or a script."""

import base64
import html
from collections.abc import Sequence

import numpy as np

from stylezoo import images

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; }
body { max-width: 1100px; margin: 2em auto; padding: 0 1em; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2em; border-bottom: 1px solid #ccc; }
img { max-width: 100%; height: auto; } figure { margin: 1em 0; } figcaption { color: #555; font-size: 90%; }
table { border-collapse: collapse; } th, td { padding: 0.2em 1em 0.2em 0; text-align: left; }
nav a { margin-right: 1em; }
"""


class Page:
    """A page that is written from top to bottom.

    Args:
        title: Title of the page.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._sections: list[str] = []
        self._parts: list[str] = []

    def section(self, title: str) -> None:
        """Begin a section, which the list at the top leads to."""
        anchor = f"section{len(self._sections) + 1}"
        self._sections.append(f'<a href="#{anchor}">{html.escape(title)}</a>')
        self._parts.append(f'<h2 id="{anchor}">{html.escape(title)}</h2>')

    def heading(self, title: str) -> None:
        """Begin a part of a section."""
        self._parts.append(f"<h3>{html.escape(title)}</h3>")

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{html.escape(text)}</p>")

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Add a table, whose first row is its heading."""
        head, *body = [[html.escape(cell) for cell in row] for row in rows]
        lines = ["".join(f"<th>{cell}</th>" for cell in head)]
        lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in body]
        self._parts.append("<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>")

    def picture(self, picture: np.ndarray, description: str) -> None:
        """Add a picture, [1, H, W, 3] in [0, 1], as JPEG within the page, and a line below it."""
        data = base64.b64encode(images.encode_image(picture, ".jpg", quality=88)).decode("ascii")
        text = html.escape(description)
        self._parts.append(
            f'<figure><img src="data:image/jpeg;base64,{data}" alt="{text}">'
            f"<figcaption>{text}</figcaption></figure>"
        )

    def html(self) -> str:
        """Return the page."""
        title = html.escape(self._title)
        return "\n".join(
            [
                "<!DOCTYPE html>",
                '<html lang="en"><head><meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f"<title>{title}</title><style>{_STYLE}</style></head><body>",
                f"<h1>{title}</h1>",
                f"<nav>{''.join(self._sections)}</nav>",
                *self._parts,
                "</body></html>\n",
            ]
        )
