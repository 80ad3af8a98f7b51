"""The contract: the committed OpenAPI document is the generated one, and answers keep it."""

import json
from pathlib import Path

import pytest

from pixsortd import records
from pixsortd.api.schema import openapi_document

COMMITTED = Path(__file__).parents[2] / "webui" / "openapi.json"
PROMISED = {
    "Image": {"id", "name", "status", "width", "height", "taken", "group", "group_name", "scores", "files"},
    "ImagePage": {"items", "next_cursor", "total"},
    "Root": {"id", "path", "role", "state", "watch", "ledger"},
    "Ledger": {"on_disk", "indexed", "excluded", "pending", "failed", "away"},
    "Job": {"id", "kind", "state", "done", "total", "error"},
    "Group": {"id", "name", "size", "exemplars", "kind"},
    "GroupPage": {"items", "next_cursor", "total"},
    "Status": {"version", "uptime", "roots", "queue", "worker", "spaces", "metrics"},
}
CALLS = {
    ("get", "/api/images/upload"),
    ("post", "/api/images/upload"),
    ("post", "/api/batches/{batch}/upload-and-add"),
    ("patch", "/api/images"),
    ("delete", "/api/images/{image_id}"),
    ("get", "/api/images/timeline"),
    ("get", "/api/images/timeline/{key}"),
    ("post", "/api/images/quality/batch"),
    ("post", "/api/groups/{group_id}/rank"),
    ("get", "/api/batches"),
    ("post", "/api/batches"),
    ("get", "/api/batches/{batch}"),
    ("put", "/api/batches/{batch}"),
    ("delete", "/api/batches/{batch}"),
    ("post", "/api/batches/{batch}/restore"),
    ("post", "/api/batches/{batch}/images"),
    ("delete", "/api/batches/{batch}/images"),
    ("put", "/api/batches/{batch}/analyze"),
    ("put", "/api/batches/{batch}/groups"),
    ("post", "/api/batches/{batch}/groups/{label}/rank"),
    ("get", "/api/trash"),
    ("post", "/api/trash"),
    ("post", "/api/trash/restore"),
    ("post", "/api/trash/purge"),
    ("get", "/api/sort/rules"),
    ("put", "/api/sort/rules"),
    ("post", "/api/sort/preview"),
    ("post", "/api/sort/replay"),
    ("get", "/api/sort/replay"),
    ("get", "/api/plans"),
    ("post", "/api/plans"),
    ("get", "/api/plans/{plan_id}"),
    ("get", "/api/plans/{plan_id}/outline"),
    ("post", "/api/plans/{plan_id}/apply"),
    ("post", "/api/plans/{plan_id}/refuse"),
    ("post", "/api/plans/{plan_id}/undo"),
    ("get", "/api/overview"),
    ("get", "/api/pipeline"),
    ("post", "/api/pipeline/{stage}/pause"),
    ("post", "/api/pipeline/{stage}/resume"),
    ("get", "/api/images"),
    ("get", "/api/images/{image_id}"),
    ("patch", "/api/images/{image_id}"),
    ("get", "/api/images/thumbnail/{image_id}"),
    ("get", "/api/images/metadata/{image_id}"),
    ("get", "/api/images/quality/{image_id}"),
    ("get", "/api/groups"),
    ("get", "/api/groups/{group_id}"),
    ("patch", "/api/groups/{group_id}"),
    ("post", "/api/groups"),
    ("post", "/api/groups/recluster"),
    ("post", "/api/groups/{group_id}/members"),
    ("post", "/api/groups/{group_id}/merge"),
    ("post", "/api/groups/{group_id}/split"),
    ("put", "/api/groups/{group_id}/lock"),
    ("post", "/api/groups/relations"),
    ("post", "/api/groups/release"),
    ("get", "/api/groups/edits"),
    ("post", "/api/groups/edits/{edit}/undo"),
    ("get", "/api/groups/learning"),
    ("put", "/api/groups/learning"),
    ("get", "/api/groups/levels"),
    ("get", "/api/groups/cuts"),
    ("get", "/api/groups/cuts/{node}/images"),
    ("get", "/api/groups/proposal"),
    ("get", "/api/groups/proposal/{change}"),
    ("post", "/api/groups/proposal/accept"),
    ("post", "/api/groups/proposal/refuse"),
    ("post", "/api/groups/proposal/{change}/accept"),
    ("post", "/api/groups/proposal/{change}/refuse"),
    ("get", "/api/search"),
    ("get", "/api/jobs"),
    ("get", "/api/jobs/{job_id}"),
    ("delete", "/api/jobs/{job_id}"),
    ("get", "/api/roots"),
    ("post", "/api/roots/{root_id}/scan"),
    ("post", "/api/roots/{root_id}/confirm-gone"),
    ("get", "/api/quarantine"),
    ("post", "/api/quarantine/retry"),
    ("get", "/api/why"),
    ("get", "/api/settings"),
    ("get", "/api/status"),
    ("get", "/api/events"),
    ("get", "/api/health/live"),
    ("get", "/api/health/ready"),
    ("get", "/api/metrics"),
    ("get", "/api/session"),
    ("post", "/api/session"),
    ("delete", "/api/session"),
}


@pytest.fixture(scope="module")
def document():
    return json.loads(openapi_document())


def test_the_committed_document_is_the_generated_one():
    assert openapi_document() == COMMITTED.read_bytes(), "run: python -m pixsortd.api.schema > webui/openapi.json"


def test_exactly_the_calls_of_the_contract(document):
    assert {(method, path) for path, item in document["paths"].items() for method in item} == CALLS


def test_promised_fields_are_required(document):
    for name, fields in PROMISED.items():
        assert fields <= set(document["components"]["schemas"][name]["required"]), name


def test_every_operation_says_what_its_errors_look_like(document):
    seen = set()
    for item in document["paths"].values():
        for operation in item.values():
            seen.add(operation["operationId"])
            content = operation["responses"]["default"]["content"]
            assert list(content) == ["application/problem+json"]
            assert "400" not in operation["responses"]
    assert len(seen) == len(CALLS)


def test_component_names_are_clean_and_all_references_resolve(document):
    names = set(document["components"]["schemas"])
    assert all(name.isidentifier() and "_" not in name for name in names)
    used = {part.split('"')[0] for part in json.dumps(document).split("#/components/schemas/")[1:]}
    assert used <= names


def test_it_is_served(api):
    for path in ("/schema", "/schema/openapi.json"):
        answer = api.get(path)
        assert answer.content == COMMITTED.read_bytes()
        assert answer.headers["content-type"] == "application/vnd.oai.openapi+json"


def conforms(value: object, schema: dict, document: dict, where: str) -> None:
    """Raise AssertionError where a value is not what the schema says (the part of JSON Schema that we use)."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "oneOf" in schema:
        kinds = [one for one in schema["oneOf"] if (one.get("type") == "null") == (value is None)]
        assert kinds, where
        if len(kinds) == 1:
            conforms(value, kinds[0], document, where)
        return
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if "type" in schema and schema["type"] in kinds:
        assert isinstance(value, kinds[schema["type"]]), (where, value)
    if "minimum" in schema:
        assert value >= schema["minimum"], (where, value)
    if "enum" in schema:
        assert value in schema["enum"], (where, value)
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema.get("required", ())) <= set(value) <= set(schema["properties"]), where
        for key, inner in value.items():
            conforms(inner, schema["properties"][key], document, f"{where}.{key}")
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for number, inner in enumerate(value):
            conforms(inner, schema["items"], document, f"{where}[{number}]")


def test_real_answers_keep_the_contract(api, library, document):
    first, second, _ = library.entries
    photo = first.hex()
    api.put("/api/groups/g1/lock", json={"locked": True})
    kind = records.GroupChangeKind.JOIN
    library.curation.changes["c1"] = records.GroupChange(id="c1", kind=kind, photos=(second,), to="g1", waits=True)
    api.post("/api/groups/recluster")
    batch = api.post("/api/batches", json={"name": "Sea", "ids": [photo]}).json()["id"]
    ids = {"group_id": "g1", "job_id": "j0", "root_id": "r1", "batch": batch, "change": "c1", "node": "v1"}
    api.post("/api/sort/replay", json={})
    ids["plan_id"] = api.get("/api/plans").json()["items"][0]["id"]
    fill = {"image_id": photo, "key": "2023-11", **ids}
    query = {"/api/search": f"?like={photo}", "/api/why": f"?id={photo}"}
    checked = 0
    for path, item in document["paths"].items():
        content = item.get("get", {"responses": {"200": {}}})["responses"]["200"].get("content", {})
        if "application/json" in content:
            answer = api.get(path.format(**fill) + query.get(path, ""))
            assert answer.status_code == 200, (path, answer.text)
            conforms(answer.json(), content["application/json"]["schema"], document, path)
            checked += 1
    assert checked >= 27
    conforms(api.get("/api/images?limit=x").json(), {"$ref": "#/components/schemas/Problem"}, document, "problem")
