"""A Griffe extension that makes the project's docstrings ready for the API reference.

The docstrings name other objects by Sphinx's roles (``:func:`invert` ``), which editors understand
and Markdown does not. Each role becomes a link, and one that names nothing is a warning, which
`make docs` takes for an error. Public constants have no docstring of their own; they are shown with
their values and with the comment above them.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any

import griffe

_LOGGER = logging.getLogger("mkdocs.docstrings")
# A star after a single letter is part of a name, as in L*a*b*: Markdown would see an emphasis. Code stays.
_STAR = re.compile(r"(`+[^`]*`+)|(?<=\b[A-Za-z])\*")
_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(~?)([\w.]+)`")


class Docstrings(griffe.Extension):
    """Turn roles into links and comments of constants into docstrings."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Rewrite the docstrings of a package that has just been loaded."""
        for item in _objects(pkg):
            if item.docstring:
                starred = _STAR.sub(lambda match: match[1] or r"\*", item.docstring.value)
                item.docstring.value = _ROLE.sub(
                    lambda role, item=item: _link(item, pkg, *role.groups()), starred
                )
            elif item.is_attribute and item.parent.is_module and item.name.isupper():
                item.docstring = griffe.Docstring(_comment_above(item), parent=item)


def _objects(parent: griffe.Object) -> Iterator[griffe.Object]:
    """Yield an object and everything that is written down below it."""
    yield parent
    for member in parent.members.values():
        if not member.is_alias:
            yield from _objects(member)


def _link(item: griffe.Object, package: griffe.Module, short: str, name: str) -> str:
    """Return the link, or plain code where the object has no entry in the reference."""
    text = name.rpartition(".")[2] if short else name
    path = _resolve(item, package, name)
    if path is None:
        _LOGGER.warning("%s:%s: nothing is called %s", item.filepath, item.lineno, name)
        return f"`{text}`"
    return f'<autoref identifier="{path}" optional><code>{text}</code></autoref>'


def _resolve(item: griffe.Object, package: griffe.Module, name: str) -> str | None:
    """Return the dotted path of what a docstring calls `name`; None if there is no such thing."""
    first, _, rest = name.partition(".")
    try:
        path = (
            name if first == package.name else ".".join(filter(None, [item.resolve(first), rest]))
        )
        within = path.split(".")[1:] if path.startswith(f"{package.name}.") else []
        if within:
            package[within]
        return path
    except (griffe.NameResolutionError, griffe.AliasResolutionError, KeyError):
        return None


def _comment_above(item: griffe.Object) -> str:
    """Return the text of the comment that ends on the line above, or a blank."""
    lines = item.module.source.splitlines()[: item.lineno - 1]
    comment = []
    while lines and lines[-1].startswith("# "):
        comment.insert(0, lines.pop()[2:])
    return "\n".join(comment) or " "
