from .calibration import split
from .exporting import check_name, export_saved_model, export_tflite
from .litert import LiteRtModel, read_tflite_record
from .saved_models import read_record, versions
from .servables.by_name import KINDS, load
from .servables.servable import Arrays, Servable, fingerprint
from .tflite_config import QUANTIZATIONS, TfliteConfig
from .verify.saved_model_session import RuntimeStatusError, SavedModelSession
from .verify.verification import (
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
    "LiteRtModel",
    "RuntimeStatusError",
    "SavedModelSession",
    "Servable",
    "TfliteConfig",
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
