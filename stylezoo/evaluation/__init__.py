"""Figures that say how good a result is."""

from stylezoo.evaluation.lpips import Lpips

__all__ = ["Lpips"]
