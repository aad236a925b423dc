"""TensorFlow Serving's own messages and services, from an optional dependency."""

import types


def import_protos() -> types.SimpleNamespace:
    """Import the messages and services in use, by name.

    Raises:
        ModuleNotFoundError: If they are not installed; the message says what to install.
    """
    try:
        import grpc
        from tensorflow_serving.apis import (
            get_model_metadata_pb2,
            get_model_status_pb2,
            predict_pb2,
            prediction_log_pb2,
            prediction_service_pb2_grpc,
        )
        from tensorflow_serving.config import model_server_config_pb2
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{error.name} is not installed: pip install 'stylezoo[export]'", name=error.name
        ) from None
    return types.SimpleNamespace(
        grpc=grpc,
        GetModelMetadataRequest=get_model_metadata_pb2.GetModelMetadataRequest,
        GetModelStatusRequest=get_model_status_pb2.GetModelStatusRequest,
        ModelServerConfig=model_server_config_pb2.ModelServerConfig,
        PredictLog=prediction_log_pb2.PredictLog,
        PredictRequest=predict_pb2.PredictRequest,
        PredictionLog=prediction_log_pb2.PredictionLog,
        PredictionServiceStub=prediction_service_pb2_grpc.PredictionServiceStub,
        SignatureDefMap=get_model_metadata_pb2.SignatureDefMap,
    )
