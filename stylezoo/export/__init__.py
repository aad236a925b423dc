"""Models as files that others run: SavedModels for TensorFlow Serving, TFLite files for GPUs."""

from stylezoo.errors import ExportError
from stylezoo.export.calibration import split
from stylezoo.export.exporting import check_name, export_saved_model, export_tflite
from stylezoo.export.saved_models import read_record, versions
from stylezoo.export.servables.by_name import KINDS, load
from stylezoo.export.servables.servable import Arrays, Servable, fingerprint
from stylezoo.export.tflite import QUANTIZATIONS, LiteRtModel, read_tflite_record
from stylezoo.export.verify.saved_model_session import RuntimeStatusError, SavedModelSession
from stylezoo.export.verify.verification import (
    Check,
    check_origin,
    require,
    verify_saved_model,
    verify_server,
    verify_tflite,
)

__all__ = [
    "KINDS",
    "QUANTIZATIONS",
    "Arrays",
    "Check",
    "ExportError",
    "LiteRtModel",
    "RuntimeStatusError",
    "SavedModelSession",
    "Servable",
    "check_name",
    "check_origin",
    "export_saved_model",
    "export_tflite",
    "fingerprint",
    "load",
    "read_record",
    "read_tflite_record",
    "require",
    "split",
    "verify_saved_model",
    "verify_server",
    "verify_tflite",
    "versions",
]
