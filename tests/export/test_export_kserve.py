"""`serve_config --server=kserve` against KServe's own schema, from its package.

The classes of the package `kserve` are generated from the schema of its resources: each declares its fields
and their types. They are read and not imported, since the package brings forty others.
"""

import ast
import os
import zipfile

import pytest
import yaml

from stylezoo.errors import WeightsError
from stylezoo.export.serving import server_configuration
from stylezoo.weights import sources

pytestmark = pytest.mark.slow

WHEEL = sources.PackageArtefact(
    requirement="kserve==0.21.0",
    form="wheel",
    sha256="df9bc5888704d9085015e08f1a8fced5ff0698f3becc6212d4e7b8234c71623b",
    num_bytes=565_512,
)
PLAIN = {"str": str, "int": int, "bool": bool}


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    """Class -> field -> its type."""
    try:
        file = WHEEL.download(tmp_path_factory.mktemp("kserve"))
    except WeightsError as error:
        required = os.environ.get("STYLEZOO_REQUIRE_WEIGHTS") == "1"
        (pytest.fail if required else pytest.skip)(str(error))
    found = {}
    with zipfile.ZipFile(file) as wheel:
        for name in wheel.namelist():
            if name.startswith("kserve/models/v1beta1_"):
                found |= dict(declared(wheel.read(name)))
    return found


def declared(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            tables = {
                each.targets[0].id: ast.literal_eval(each.value)
                for each in node.body
                if isinstance(each, ast.Assign)
                and each.targets[0].id in ("openapi_types", "attribute_map")
            }
            if len(tables) == 2:
                names = tables["attribute_map"]
                yield (
                    node.name,
                    {names[each]: kind for each, kind in tables["openapi_types"].items()},
                )


def check(value, kind, schema, place):
    """Kubernetes' own types, which test_export_client checks, are passed over."""
    if kind in PLAIN:
        assert type(value) is PLAIN[kind], f"{place} must be {kind}: {value!r}"
    elif kind in schema:
        assert isinstance(value, dict), f"{place} must have fields: {value!r}"
        for name, each in value.items():
            assert name in schema[kind], f"{place} has no field {name}"
            check(each, schema[kind][name], schema, f"{place}.{name}")


def services():
    text = server_configuration.kserve_configuration(["conditional", "squeezenet1_1"])[
        "kserve.yaml"
    ]
    found = [part for part in yaml.safe_load_all(text) if part["kind"] == "InferenceService"]
    assert len(found) == 2
    return found


def test_services_have_the_fields_that_kserve_knows(schema):
    for service in services():
        assert service["apiVersion"] == "serving.kserve.io/v1beta1"
        check(service, "V1beta1InferenceService", schema, "service")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"minReplica": 1}, "service.spec.predictor has no field minReplica"),
        ({"minReplicas": "1"}, "service.spec.predictor.minReplicas must be int"),
        ({"model": []}, "service.spec.predictor.model must have fields"),
    ],
)
def test_others_are_noticed(change, message, schema):
    service = services()[0]
    service["spec"]["predictor"] |= change
    with pytest.raises(AssertionError, match=message):
        check(service, "V1beta1InferenceService", schema, "service")
