from .clips import BrokenClipError, Clip, ClipInfo, Frame, Timing, at_rate
from .flow import Motion, consistency, motion, motion_boundaries, optical_flow, remap
from .frame_by_frame import (
    STABILITY,
    FramePainter,
    Painting,
    Past,
    Steady,
    Unsteady,
    paint_clip,
    sized,
)
from .painted import Encoding, PaintedClip, check_output
from .reading import DEFAULT_FRAME_RATE, open_clip
from .writing import (
    ANIMATION_EXTENSIONS,
    CLIP_EXTENSIONS,
    DEFAULT_CRF,
    VIDEO_EXTENSIONS,
    check_clip_path,
    write_clip,
)

__all__ = [
    "ANIMATION_EXTENSIONS",
    "CLIP_EXTENSIONS",
    "DEFAULT_CRF",
    "DEFAULT_FRAME_RATE",
    "STABILITY",
    "VIDEO_EXTENSIONS",
    "BrokenClipError",
    "Clip",
    "ClipInfo",
    "Encoding",
    "Frame",
    "FramePainter",
    "Motion",
    "PaintedClip",
    "Painting",
    "Past",
    "Steady",
    "Timing",
    "Unsteady",
    "at_rate",
    "check_clip_path",
    "check_output",
    "consistency",
    "motion",
    "motion_boundaries",
    "open_clip",
    "optical_flow",
    "paint_clip",
    "remap",
    "sized",
    "write_clip",
]
