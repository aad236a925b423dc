from .job import Job, load_beam, matched_pictures, run, written
from .manifest import MANIFEST, Row, merge, read_rows
from .tasks import Classify, Stylize, Task

__all__ = [
    "MANIFEST",
    "Classify",
    "Job",
    "Row",
    "Stylize",
    "Task",
    "load_beam",
    "matched_pictures",
    "merge",
    "read_rows",
    "run",
    "written",
]
