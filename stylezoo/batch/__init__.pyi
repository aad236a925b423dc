from .job import Job, load_beam, run
from .manifest import MANIFEST, Row, merge, read_rows
from .tasks import Classify, Evaluate, Stylize, Task, load_painter

__all__ = [
    "MANIFEST",
    "Classify",
    "Evaluate",
    "Job",
    "Row",
    "Stylize",
    "Task",
    "load_beam",
    "load_painter",
    "merge",
    "read_rows",
    "run",
]
