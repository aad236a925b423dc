from .cards import card_text, read_file_record
from .exporting import check_name, export_onnx, export_saved_model, export_tflite
from .litert import LiteRtModel
from .onnx import OnnxModel
from .photographs import read_photographs
from .saved_models import read_record, versions
from .servables.by_name import KINDS, load
from .servables.servable import Arrays, Servable, fingerprint
from .tflite_config import QUANTIZATIONS, TfliteConfig
from .verify.saved_model_session import RuntimeStatusError, SavedModelSession
from .verify.verification import (
    Check,
    check_origin,
    require,
    verify_onnx,
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
    "OnnxModel",
    "RuntimeStatusError",
    "SavedModelSession",
    "Servable",
    "TfliteConfig",
    "card_text",
    "check_name",
    "check_origin",
    "export_onnx",
    "export_saved_model",
    "export_tflite",
    "fingerprint",
    "load",
    "read_file_record",
    "read_photographs",
    "read_record",
    "require",
    "verify_onnx",
    "verify_saved_model",
    "verify_server",
    "verify_tflite",
    "versions",
]
