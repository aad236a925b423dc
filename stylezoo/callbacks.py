"""The type of callbacks that count; it needs no other module."""

from collections.abc import Callable
from typing import TypeAlias

# Is called after each step, pixel or tile with the number of those done and with the number of all.
CountCallback: TypeAlias = Callable[[int, int], None]
