"""Batches, rankings, trash, overview and stages over HTTP."""

from urllib.parse import quote

import pytest

from pixsortd.api import ports


def ids(library):
    return [digest.hex() for digest in library.entries]


@pytest.fixture
def batch(api, library):
    return api.post("/api/batches", json={"name": "  Sea  side ", "ids": ids(library)}).json()["id"]


def test_a_batch_is_made_listed_renamed_deleted_and_brought_back(api, library, batch):
    url = f"/api/batches/{batch}"
    assert [(one["id"], one["name"], one["size"]) for one in api.get("/api/batches").json()["items"]] == [
        (batch, "Sea side", 3)
    ]
    assert api.put(url, json={"name": "Coast"}).json()["name"] == "Coast"
    assert api.delete(url).json()["name"] == "Coast"
    assert api.get(url).status_code == 404
    assert api.get("/api/batches").json()["total"] == 0
    assert api.post(f"{url}/restore").json()["size"] == 3
    assert api.get(url).json()["name"] == "Coast"


def test_photos_come_and_go(api, library, batch):
    url = f"/api/batches/{batch}/images"
    one = ids(library)[0]
    assert api.request("DELETE", url, json={"ids": [one]}).json()["size"] == 2
    assert api.post(url, json={"ids": [one, one]}).json()["size"] == 3
    assert api.post(url, json={"ids": ["0" * 64]}).status_code == 404
    assert api.post(url, json={"ids": []}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [{}, {"name": ""}, {"name": " \t"}, {"name": "x" * 201}, {"name": "a\u0007b"}, {"name": "a", "ids": "b"}, []],
)
def test_a_batch_needs_a_name(api, body):
    assert api.post("/api/batches", json=body).status_code == 422


def test_analysis_is_a_job_with_bounded_parameters(api, batch):
    url = f"/api/batches/{batch}/analyze"
    answer = api.put(url, json={"min_cluster_size": 3, "min_samples": 2, "metric": "euclidean"})
    assert (answer.status_code, answer.json()["kind"]) == (202, "batch")
    shown = api.get(f"/api/batches/{batch}").json()
    assert shown["status"] == "processing"
    assert shown["parameters"] == {"min_cluster_size": 3, "min_samples": 2, "metric": "euclidean", "weights": "shared"}
    for body in ({"min_cluster_size": 1}, {"min_samples": 0}, {"metric": "chebyshev"}, {"min_cluster_size": 1001}):
        assert api.put(url, json=body).status_code == 422, body


def test_labels_are_a_partial_map(api, library, batch):
    one, two, _ = ids(library)
    url = f"/api/batches/{batch}/groups"
    detail = api.put(url, json={"labels": {one: " Two  boats ", two: "Två båtar"}}).json()
    assert [entry["batch_group"] for entry in detail["images"]] == ["Two boats", "Två båtar", None]
    assert {entry["label"] for entry in detail["groups_list"]} == {"Two boats", "Två båtar"}
    assert api.put(url, json={"labels": {one: None}}).json()["images"][0]["batch_group"] is None
    for labels in ({}, {one: ""}, {one: "a/b"}, {one: "50%"}, {one: "x" * 101}, {one: 3}):
        assert api.put(url, json={"labels": labels}).status_code == 422, labels
    assert api.put(url, json={"labels": {"0" * 64: "a"}}).status_code == 404
    ranked = api.post(f"{url}/{quote('Två båtar')}/rank?metric=niqe")
    assert ranked.status_code == 200
    assert ranked.json()["ties"] == ports.TIES


def test_a_ranking_says_what_has_no_score(api, library):
    ranking = api.post("/api/groups/g1/rank?metric=niqe").json()
    assert [one["rank"] for one in ranking["items"]] == [1, 2, None]
    assert ranking["lower_better"] is True
    assert ranking["job"]["kind"] == "quality"
    assert api.post("/api/groups/g1/rank?metric=composite").json()["lower_better"] is False
    assert api.post("/api/groups/g1/rank?metric=none").status_code == 422
    assert api.post("/api/groups/g1/rank").status_code == 422
    assert api.post("/api/groups/g2/rank?metric=niqe").status_code == 404


def test_quality_compares_and_computes(api, library):
    url = f"/api/images/quality/{ids(library)[0]}"
    quality = api.get(url).json()
    assert quality["items"][0]["percentile"] == 60.0
    assert quality["composite"]["parts"] == [{"metric": "niqe", "percentile": 60.0, "weight": 1.0}]
    assert quality["missing"][0]["reason"]["code"] == "weights"
    assert quality["job"]["kind"] == "quality"
    assert api.get(url + "?compute=false").json()["job"] is None
    assert api.get(url + "?metric=musiq").status_code == 422
    many = api.post("/api/images/quality/batch", json={"ids": ids(library), "metric": "niqe"})
    assert (many.status_code, len(many.json()["items"]), many.json()["job"]["kind"]) == (202, 3, "quality")


def test_delete_goes_to_the_trash_and_comes_back(api, library):
    one = ids(library)[0]
    trashed = api.delete(f"/api/images/{one}").json()
    assert (trashed["last_copy"], trashed["items"][0]["name"]) == (True, "a.jpg")
    assert api.get(f"/api/images/metadata/{one}").status_code == 404
    page = api.get("/api/trash").json()
    assert (page["total"], page["bytes"], page["retention"]) == (1, 7, 86400.0)
    restored = api.post("/api/trash/restore", json={"ids": [page["items"][0]["id"]]}).json()
    assert restored["items"][0]["path"].endswith("/a.jpg")
    assert api.get(f"/api/images/metadata/{one}").status_code == 200
    assert len(api.post("/api/trash", json={"ids": ids(library)}).json()["items"]) == 3
    assert api.post("/api/trash/purge", json={"ids": None}).json() == {"bytes": 21}
    assert api.post("/api/trash/purge", json={}).status_code == 422, "emptying must be said"
    assert api.post("/api/trash/restore", json={"ids": ["t9"]}).status_code == 404


def test_stages_are_held_and_let_go(api):
    assert [one["name"] for one in api.get("/api/pipeline").json()["items"]] == ["settle", "analyze", "score", "group"]
    assert api.post("/api/pipeline/score/pause").json()["items"][2]["paused"] is True
    assert api.post("/api/pipeline/score/resume").json()["items"][2]["paused"] is False
    assert api.post("/api/pipeline/settle/pause").status_code == 409
    assert api.post("/api/pipeline/all/pause").status_code in (404, 422)


def test_the_outline_and_its_buckets(api, library):
    assert api.get("/api/images/timeline?rating=3&sort=taken").json() == {
        "items": [{"key": "2023-11", "count": 3}],
        "total": 3,
    }
    cells = api.get("/api/images/timeline/2023-11").json()["items"]
    assert [one["id"] for one in cells] == ids(library)
    assert cells[2]["name"] == "bad\\xff\n.jpg"
    assert api.get("/api/images/timeline/other").status_code == 422
