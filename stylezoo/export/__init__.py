"""Models as files that others run: SavedModels for TensorFlow Serving, and what it needs beside them."""

from stylezoo.export.errors import ExportError
from stylezoo.export.exporting import check_name, export_saved_model
from stylezoo.export.loading import KINDS, load
from stylezoo.export.saved_model_session import RuntimeStatusError, SavedModelSession
from stylezoo.export.saved_models import read_record, versions
from stylezoo.export.servables import Servable, fingerprint
from stylezoo.export.verification import (
    Check,
    check_origin,
    require,
    verify_saved_model,
)

__all__ = [
    "KINDS",
    "Check",
    "ExportError",
    "RuntimeStatusError",
    "SavedModelSession",
    "Servable",
    "check_name",
    "check_origin",
    "export_saved_model",
    "fingerprint",
    "load",
    "read_record",
    "require",
    "verify_saved_model",
    "versions",
]
