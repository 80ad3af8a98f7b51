"""The image resource over a library in memory."""

import io
from hashlib import sha256

import msgspec
import pytest
from PIL import Image

from pixsortd.api import ports
from tests.api.fake_library import FakeLibrary


def ids(library: FakeLibrary) -> list[str]:
    return [digest.hex() for digest in library.entries]


def original_bytes(library: FakeLibrary) -> bytes:
    return (library.folder / "a.jpg").read_bytes()


def test_list_has_the_promised_fields(api, library):
    page = api.get("/api/images").json()
    assert set(page) == {"items", "next_cursor", "total"}
    assert page["total"] == 3
    first = page["items"][0]
    assert {"id", "name", "status", "width", "height", "taken", "group", "group_name", "scores", "files"} <= set(first)
    assert first["id"] == ids(library)[0]
    assert (first["name"], first["status"], first["width"], first["height"]) == ("a.jpg", "indexed", 640, 480)
    assert (first["group"], first["group_name"], first["scores"]) == ("g1", "Beach", {"niqe": 4.25})
    assert first["taken"] == "2023-11-14T22:13:20.250+01:00"
    assert first["files"][0]["path"] == f"{library.folder}/a.jpg"
    assert page["items"][1]["rating"] == 3
    assert page["items"][2]["name"] == "bad\\xff\n.jpg"


def test_list_pages_by_cursor(api):
    first = api.get("/api/images?limit=2").json()
    rest = api.get(f"/api/images?limit=2&cursor={first['next_cursor']}").json()
    assert [len(first["items"]), len(rest["items"])] == [2, 1]
    assert rest["next_cursor"] is None
    assert api.get("/api/images/?limit=2").json() == first


def test_list_filters_reach_the_library(api, library):
    answer = api.get(
        "/api/images?root=r1&group=g1&status=away&from=2024-05-01&to=2024-05-01&metric=niqe&min=1&max=2.5&sort=taken&limit=7"
    )
    assert answer.status_code == 200
    _, query, cursor, limit = library.calls[-1]
    assert (cursor, limit) == (None, 7)
    assert query == ports.ImageQuery(
        root="r1",
        group="g1",
        status=ports.ImageStatus.AWAY,
        taken_from=1714521600.0,
        taken_to=1714608000.0 - 1e-6,
        metric="niqe",
        low=1.0,
        high=2.5,
        sort=ports.ImageSort.OLDEST,
    )
    api.get("/api/images?group=none&from=2024-05-01T02:00:00%2B02:00")
    query = library.calls[-1][1]
    assert (query.group, query.ungrouped, query.taken_from) == (None, True, 1714521600.0)
    api.get("/api/images?from=2024-05-01T02:00:00+02:00")
    assert library.calls[-1][1].taken_from == 1714521600.0


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=x",
        "sort=name",
        "status=lost",
        "from=yesterday",
        "to=2024-13-01",
        "min=1",
        "metric=niqe&min=nan",
        "metric=niqe&max=inf",
        "cursor=%2e%2e%2f",
        "cursor=" + "a" * 600,
    ],
)
def test_list_refuses_what_means_nothing(api, query):
    answer = api.get(f"/api/images?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:pixsortd:problem:invalid-request"


def test_original_is_the_file(api, library):
    answer = api.get(f"/api/images/{ids(library)[0]}")
    assert answer.status_code == 200
    assert answer.content == original_bytes(library)
    assert sha256(answer.content).hexdigest() == ids(library)[0]
    assert answer.headers["etag"] == f'"{ids(library)[0]}"'
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == 'inline; filename="a.jpg"'
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_original_names_are_safe_in_headers(api, library):
    answer = api.get(f"/api/images/{ids(library)[1]}")
    assert answer.headers["content-disposition"] == (
        "inline; filename=\"sj__n _1_.jpg\"; filename*=UTF-8''sj%C3%B6n%20%221%22.jpg"
    )
    answer = api.get(f"/api/images/{ids(library)[2]}")
    assert answer.headers["content-disposition"] == (
        "inline; filename=\"bad__.jpg\"; filename*=UTF-8''bad%5Cxff%0A.jpg"
    )


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=100-", 100, None),
        ("bytes=-7", -7, None),
        ("bytes=0-99999999", 0, None),
        ("bytes=-99999999", 0, None),
        ("bytes=0-9,10-19", 0, 20),
        ("bytes=0-9, 5-30", 0, 31),
        ("BYTES=3-4", 3, 5),
    ],
)
def test_original_in_parts(api, library, wanted, start, stop):
    whole = original_bytes(library)
    answer = api.get(f"/api/images/{ids(library)[0]}", headers={"range": wanted})
    assert answer.status_code == 206
    assert answer.content == whole[start:stop]
    first = whole.index(answer.content) if start < 0 else start
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(whole)}"
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=-0", "bytes=99999999-100000000,99999999-"])
def test_original_beyond_its_end_is_refused(api, library, wanted):
    answer = api.get(f"/api/images/{ids(library)[0]}", headers={"range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(original_bytes(library))}"
    assert answer.json()["status"] == 416


@pytest.mark.parametrize(
    "wanted", ["", "bytes", "bytes=", "bytes=a-b", "bytes=5-4", "lines=0-1", "bytes=0-1,500-501", "bytes=1-2,x"]
)
def test_original_ignores_a_range_it_cannot_take(api, library, wanted):
    answer = api.get(f"/api/images/{ids(library)[0]}", headers={"range": wanted})
    assert (answer.status_code, answer.content) == (200, original_bytes(library))


def test_original_conditions(api, library):
    url, etag = f"/api/images/{ids(library)[0]}", f'"{ids(library)[0]}"'
    for value in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = api.get(url, headers={"if-none-match": value})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert api.get(url, headers={"if-none-match": '"x"'}).status_code == 200
    ranged = {"range": "bytes=0-9"}
    assert api.get(url, headers={**ranged, "if-range": etag}).status_code == 206
    assert api.get(url, headers={**ranged, "if-range": f"W/{etag}"}).status_code == 200
    assert api.get(url, headers={**ranged, "if-range": "Mon, 01 Jan 2024 00:00:00 GMT"}).status_code == 200
    assert api.get(url, headers={**ranged, "if-none-match": etag}).status_code == 304
    assert api.get("/api/images/" + "0" * 64, headers={"if-none-match": "*"}).status_code == 404


def test_head_has_the_headers_of_get_and_no_body(api, library):
    for url in (f"/api/images/{ids(library)[0]}", "/api/images", f"/api/images/thumbnail/{ids(library)[0]}"):
        get, head = api.get(url), api.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"]
        assert head.headers.get("etag") == get.headers.get("etag")


def test_no_descriptor_stays_open(api, library):
    import os

    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    url = f"/api/images/{ids(library)[0]}"
    api.get(url)
    before = count()
    for headers in ({}, {"range": "bytes=1-2"}, {"range": "bytes=99999999-"}, {"if-none-match": "*"}) * 5:
        api.get(url, headers=headers)
        api.head(url, headers=headers)
    assert count() == before


def test_thumbnail_is_small_and_kept_for_ever(api, library):
    url = f"/api/images/thumbnail/{ids(library)[0]}"
    stored = api.get(url)
    assert stored.content == next(iter(library.thumbs.values()))
    assert "immutable" in stored.headers["cache-control"]
    assert stored.headers["content-type"] == "image/jpeg"
    small = api.get(url + "?size=128")
    with Image.open(io.BytesIO(small.content)) as image:
        assert image.size == (128, 96)
    assert small.headers["etag"] != stored.headers["etag"]
    assert api.get(url + "?size=2048").content == stored.content
    assert api.get(url, headers={"if-none-match": stored.headers["etag"]}).status_code == 304
    assert api.get(url + "?size=8").status_code == 422
    del library.thumbs[bytes.fromhex(ids(library)[0])]
    missing = api.get(url)
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")


def test_metadata_has_everything(api, library):
    known = api.get(f"/api/images/metadata/{ids(library)[0]}").json()
    assert (known["exif"]["latitude"], known["exif"]["iso"], known["exif"]["lens"]) == (59.3, 400, None)
    assert known["quality"] == [
        {"metric": "niqe", "value": 4.25, "lower_better": True, "low": 0.0, "high": 100.0, "long_side": 512}
        | {"version": "1", "at": 5.0}
    ]
    assert known["groups"][0]["group"] == "g1"
    assert known["groups"][0]["nearest"] == ["00" * 32]
    assert known["status"] == "indexed"
    assert known["files"][0]["state"] == "indexed"


def test_a_photo_that_could_not_be_decoded_is_still_an_image(api, library):
    name = library.add(b"odd.jpg", b"not a jpeg", status=ports.ImageStatus.FAILED, photo=None)
    known = api.get(f"/api/images/metadata/{name}").json()
    assert (known["status"], known["width"], known["taken"], known["exif"]) == ("failed", None, None, None)
    assert known["size"] == len(b"not a jpeg")


def test_marks_are_given_changed_and_taken_back_one_by_one(api, library):
    url = f"/api/images/{ids(library)[0]}"
    marked = api.patch(url, json={"rating": 5, "label": "red", "caption": "Sjö"}).json()
    assert (marked["rating"], marked["label"], marked["caption"]) == (5, "red", "Sjö")
    marked = api.patch(url, json={"label": None}).json()
    assert (marked["rating"], marked["label"], marked["caption"]) == (5, None, "Sjö")
    marked = api.patch("/api/images", json={"ids": ids(library), "rating": 1, "caption": None}).json()["items"]
    assert [(one["rating"], one["caption"]) for one in marked] == [(1, None)] * 3


def test_marks_of_many_with_an_unknown_photo_change_nothing(api, library):
    before = dict(library.entries)
    assert api.patch("/api/images", json={"ids": [*ids(library), "0" * 64], "rating": 1}).status_code == 404
    assert api.patch("/api/images", json={"ids": [], "rating": 1}).status_code == 422
    assert library.entries == before


def test_marks_that_mean_nothing_are_refused(api, library):
    url = f"/api/images/{ids(library)[0]}"
    assert api.patch(url, json={"rating": 5}).json()["rating"] == 5
    assert api.patch(url, json={"rating": None}).json()["rating"] is None
    for body in (
        {},
        {"rating": 6},
        {"rating": -1},
        {"rating": 2.5},
        {"rating": 1, "name": "x"},
        {"rating": True},
        {"label": "pink"},
        {"caption": ""},
        {"caption": "x" * 2001},
        [],
    ):
        answer = api.patch(url, json=body)
        assert answer.status_code == 422, body
        assert answer.json()["type"] == "urn:pixsortd:problem:invalid-request"
    assert api.patch(url, content=b"{", headers={"content-type": "application/json"}).status_code == 400
    assert api.patch(url, json={"rating": 1}, headers={"content-type": "text/plain"}).status_code == 415


def test_away_original_is_a_conflict_with_a_next_step(api, library):
    digest = bytes.fromhex(ids(library)[0])
    library.entries[digest] = msgspec.structs.replace(library.entries[digest], status=ports.ImageStatus.AWAY)
    answer = api.get(f"/api/images/{ids(library)[0]}")
    assert answer.status_code == 409
    assert answer.json() == {
        "type": "urn:pixsortd:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "The disk with this photo is away",
        "next_step": "Connect it.",
    }


@pytest.mark.parametrize("bad", ["0" * 63, "0" * 64, "0" * 65, "g" * 64, "A" * 64, "x"])
@pytest.mark.parametrize("url", ["", "thumbnail/", "metadata/", "quality/"])
def test_an_id_that_is_none_names_nothing(api, url, bad):
    answer = api.get(f"/api/images/{url}{bad}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:pixsortd:problem:not-found")
