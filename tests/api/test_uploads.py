"""Uploads over HTTP: streamed, answered file by file, and nothing that is sent can confuse the reader."""

import asyncio
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixsortd.api import multipart, upload_writer, uploads
from pixsortd.api.app import create_app
from pixsortd.config import ApiSettings
from pixsortd.records import Reason
from tests.api.fake_library import client, filled
from tests.api.fake_uploads import MOST

UPLOAD = "/api/images/upload"
KIND = {"content-type": "multipart/form-data; boundary=xyz"}


def form(*parts: tuple[str, bytes], end: bytes = b"--xyz--\r\n") -> bytes:
    """A body of ``(Content-Disposition parameters, content)``."""
    made = b""
    for parameters, content in parts:
        head = f"--xyz\r\nContent-Disposition: form-data; {parameters}\r\n\r\n".encode("utf-8", "surrogateescape")
        made += head + content + b"\r\n"
    return made + end


def named(name: str, content: bytes = b"content") -> tuple[str, bytes]:
    return f'name="files"; filename="{name}"', content


def sliced(body: bytes, size: int = 50_000) -> list[bytes]:
    """The body in chunks, as a network brings it."""
    return [body[at : at + size] for at in range(0, len(body), size)]


def outcome(answer):
    return [(one["filename"], one["status"], (one["reason"] or {}).get("code")) for one in answer.json()["items"]]


def test_each_file_answers_for_itself(api, library):
    files = [
        ("a.jpg", b"one"),
        ("b.jpg", b"two"),
        ("again.jpg", b"one"),
        ("c.txt", b"3"),
        ("d.jpg", b"full"),
        ("e.jpg", b""),
    ]
    answer = api.post(UPLOAD, files=[("files", one) for one in files])
    assert answer.status_code == 200
    assert outcome(answer) == [
        ("a.jpg", "stored", None),
        ("b.jpg", "stored", None),
        ("again.jpg", "duplicate", None),
        ("c.txt", "refused", "type"),
        ("d.jpg", "refused", "no-space"),
        ("e.jpg", "refused", "empty"),
    ]
    first, _, twin, wrong, *_ = answer.json()["items"]
    assert first["id"] == hashlib.sha256(b"one").hexdigest()
    assert (twin["is_duplicate"], twin["duplicate_of"]) == (True, first["id"])
    assert wrong["reason"]["next_step"]
    assert set(library.uploads.stored.values()) == {b"one", b"two"}
    assert len(library.uploads.concluded) == 6


def test_limits(api, library):
    limits = api.get(UPLOAD).json()
    assert limits == {
        "inbox": str(library.folder),
        "max_bytes": MOST,
        "max_files": 50,
        "extensions": [".jpg"],
        "reason": None,
    }


@pytest.mark.parametrize("path", [UPLOAD, "/api/batches/b0/upload-and-add"])
def test_without_an_inbox_nothing_is_read(api, library, path):
    library.batches.create("some", [])
    library.uploads.away = Reason(code="no-inbox", message="no inbox is configured", next_step="Configure one.")
    answer = api.post(path, content=form(named("a.jpg")), headers=KIND)
    assert answer.status_code == 409
    assert (answer.json()["detail"], answer.json()["next_step"]) == ("no inbox is configured", "Configure one.")
    assert api.get(UPLOAD).json()["reason"]["code"] == "no-inbox"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (UPLOAD, {"content-type": "application/json"}),
        (UPLOAD, {"content-type": "multipart/mixed; boundary=xyz"}),
        (UPLOAD, {**KIND, "content-encoding": "gzip"}),
        ("/api/batches", KIND),
        ("/api/trash/purge", KIND),
        ("/api/batches/a/b/upload-and-add", KIND),
    ],
)
def test_a_form_is_taken_where_files_are_and_nothing_else(api, path, headers):
    answer = api.post(path, content=form(named("a.jpg")), headers=headers)
    assert answer.status_code == 415
    assert answer.headers["accept"] == ("multipart/form-data" if path == UPLOAD else "application/json")


def test_another_method_on_that_path_takes_no_files(api):
    assert api.put(UPLOAD, content=form(named("a.jpg")), headers=KIND).status_code == 405
    assert api.put(UPLOAD, json={}).status_code == 415


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", KIND),
        (b"nothing of the sort", KIND),
        (form(named("a.jpg")), {"content-type": "multipart/form-data"}),
        (form(named("a.jpg")), {"content-type": "multipart/form-data; boundary="}),
        (form(named("a.jpg")), {"content-type": "multipart/form-data; boundary=" + "x" * 71}),
        (form(named("a.jpg")), {"content-type": "multipart/form-data; boundary=other"}),
        (form(named("a.jpg")).replace(b"\r\n", b"\n"), KIND),
        (b"--xyz\r\nno header at all\r\n\r\nx\r\n--xyz--", KIND),
        (b"--xyz\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--xyz--", KIND),
        (b'--xyz\r\nContent-Disposition: attachment; filename="a.jpg"\r\n\r\nx\r\n--xyz--', KIND),
        (b"preamble" * 100_000, KIND),
    ],
)
def test_what_is_no_form_is_said(api, body, headers):
    answer = api.post(UPLOAD, content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("malformed-multipart")
    assert api.get(UPLOAD).status_code == 200


def test_a_missing_end_keeps_what_was_whole(api, library):
    answer = api.post(UPLOAD, content=form(named("a.jpg", b"one"), named("b.jpg", b"two"), end=b""), headers=KIND)
    assert answer.status_code == 400
    assert outcome(answer) == [("a.jpg", "stored", None)]
    assert library.uploads.ended == [("finish", "a.jpg"), ("abandon", "b.jpg")]
    assert [one.filename for one in library.uploads.concluded] == ["a.jpg"]


def test_fields_without_a_file_are_passed_over(api):
    nested = b"--inner\r\nContent-Disposition: file; filename=x.jpg\r\n\r\nx\r\n--inner--"
    body = form(('name="comment"', b"hello"), named("a.jpg"), ('name="more"', nested), ("", b"nameless"))
    assert outcome(api.post(UPLOAD, content=body, headers=KIND)) == [("a.jpg", "stored", None)]


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ('name="files"; filename="sj\u00f6n/\u00e5.jpg"', "sj\u00f6n/\u00e5.jpg"),
        ('name="files"; filename="a%22b.jpg"', 'a"b.jpg'),
        ("name=files; filename=plain.jpg", "plain.jpg"),
        ("name=files; filename*=UTF-8''sj%C3%B6n.jpg", "sj\u00f6n.jpg"),
        ("name=files; filename*=UTF-8''other.jpg; filename=\"this.jpg\"", "this.jpg"),
        ('name="files"; filename="a.jpg"; filename="b.jpg"', "b.jpg"),
    ],
)
def test_names_arrive_as_they_were_sent(api, parameters, name):
    answer = api.post(UPLOAD, content=form((parameters, b"x")), headers=KIND)
    assert outcome(answer) == [(name, "stored", None)]


def test_a_name_that_is_no_utf8_is_shown_and_spoils_nothing(api, library):
    library.uploads.begin = lambda name: (_ for _ in ()).throw(AssertionError(name)) if name == "x" else FakeName(name)
    body = form(named("a\udcff.jpg"), named("b.jpg"))
    assert [one[0] for one in outcome(api.post(UPLOAD, content=body, headers=KIND))] == ["a\\xff.jpg", "b.jpg"]


class FakeName:
    """An incoming file of which only the name matters."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, data: bytes) -> None:
        pass

    def finish(self):
        from pixsortd.api.ports import Uploaded, UploadStatus

        return Uploaded(filename=self.name, status=UploadStatus.STORED)


@pytest.mark.parametrize(
    "body",
    [
        form(*[named(f"{one}.jpg", b"%d" % one) for one in range(10_000)]),
        form(*[('name="x"', b"")] * 10_000),
        form(named("a" * 20_000 + ".jpg")),
        b"--xyz\r\n" + b"X-Header: 1\r\n" * 1000 + b"\r\n",
    ],
    ids=["files", "fields", "name", "headers"],
)
def test_forms_beyond_reason_are_refused(api, body):
    answer = api.post(UPLOAD, content=body, headers=KIND)
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("form-too-large")


def test_a_file_over_the_limit_is_refused_and_the_next_one_taken(api, library):
    answer = api.post(UPLOAD, content=form(named("big.jpg", b"x" * (MOST + 1)), named("b.jpg")), headers=KIND)
    assert outcome(answer) == [("big.jpg", "refused", "too-large"), ("b.jpg", "stored", None)]
    assert ("abandon", "big.jpg") in library.uploads.ended


@pytest.mark.parametrize(
    ("query", "size"), [("?files=1", MOST + 70_000), ("?files=3", 3 * (MOST + 70_000)), ("?files=51", 10)]
)
def test_what_cannot_fit_is_refused_before_it_is_read(api, library, query, size):
    answer = api.post(UPLOAD + query, content=form(named("big.jpg", b"x" * size)), headers=KIND)
    assert answer.status_code == 413
    assert not library.uploads.ended


def test_a_part_that_says_its_size_is_refused_at_once(api, library):
    body = b"--xyz\r\nContent-Disposition: form-data; name=f; filename=a.jpg\r\nContent-Length: %d\r\n\r\nx\r\n--xyz--"
    answer = api.post(UPLOAD, content=body % (MOST + 1), headers=KIND)
    assert answer.status_code in (400, 413)
    assert outcome(answer) == [("a.jpg", "refused", "too-large")]
    assert not library.uploads.ended


def test_an_unknown_batch_is_refused_before_the_body(api, library):
    answer = api.post("/api/batches/nope/upload-and-add", content=form(named("a.jpg")), headers=KIND)
    assert answer.status_code == 404
    assert not library.uploads.ended


def test_uploads_join_their_batch_new_or_known(api, library):
    batch = library.batches.create("some", []).id
    body = form(named("a.jpg", b"1"), named("b.jpg", b"1"), named("c.jpg", b"2"), named("d.txt", b"3"))
    assert api.post(f"/api/batches/{batch}/upload-and-add", content=body, headers=KIND).status_code == 200
    assert list(library.batches.members[batch]) == [hashlib.sha256(one).digest() for one in (b"1", b"2")]


def test_what_was_whole_joins_the_batch_also_when_the_rest_is_lost(api, library):
    batch = library.batches.create("some", []).id
    body = form(named("a.jpg", b"1"), named("b.jpg", b"2"), end=b"")
    assert api.post(f"/api/batches/{batch}/upload-and-add", content=body, headers=KIND).status_code == 400
    assert list(library.batches.members[batch]) == [hashlib.sha256(b"1").digest()]


def test_too_many_uploads_at_once_are_asked_to_come_again(api, monkeypatch):
    monkeypatch.setattr(upload_writer, "MOST_UPLOADS", 0)
    answer = api.post(UPLOAD, content=form(named("a.jpg")), headers=KIND)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


def test_a_foreign_page_cannot_upload(api, library):
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        assert api.post(UPLOAD, content=form(named("a.jpg")), headers={**KIND, **headers}).status_code == 403
    assert not library.uploads.ended


def test_a_token_is_needed_where_there_is_one(library):
    with client(library, token="secret") as api:
        assert api.post(UPLOAD, content=form(named("a.jpg")), headers=KIND).status_code == 401
        shown = {**KIND, "authorization": "Bearer secret"}
        assert api.post(UPLOAD, content=form(named("a.jpg")), headers=shown).status_code == 200


async def exchange(app, chunks, receive_after=None):
    """One raw upload of ``chunks``; what comes after them is up to ``receive_after``."""
    waiting, sent = list(chunks), []

    async def receive():
        if waiting:
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting) or bool(receive_after)}
        assert receive_after is not None
        return await receive_after()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": UPLOAD,
        "raw_path": UPLOAD.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:8420"), *((k.encode(), v.encode()) for k, v in KIND.items())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8420),
        "state": {},
        "extensions": {},
    }
    await app(scope, receive, send)
    body = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return sent[0]["status"], json.loads(body)


def app_of(folder):
    library = filled(folder)
    return library, create_app(library, ApiSettings(), None, folder / "no-page")


def test_a_client_that_falls_silent_is_told_and_one_that_leaves_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(multipart, "IDLE", 0.05)
    monkeypatch.setattr(uploads, "LINGER", 0.05)
    library, app = app_of(tmp_path)
    body = form(named("a.jpg", b"1"), named("b.jpg", b"2" * 100), end=b"")

    async def silence():
        await asyncio.sleep(3600)

    async def leave():
        return {"type": "http.disconnect"}

    status, problem = asyncio.run(exchange(app, [body], silence))
    assert (status, [one["status"] for one in problem["items"]]) == (408, ["stored"])
    asyncio.run(exchange(app, [body], leave))
    assert library.uploads.ended == [("finish", "a.jpg"), ("abandon", "b.jpg")] * 2
    assert len(library.uploads.concluded) == 2


def test_only_so_much_is_read_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_DRAINED", 300_000)
    library, app = app_of(tmp_path)
    body = form(named("a.jpg", b"1"), named("big.txt", b"x" * 9_000_000), named("b.jpg", b"2"))
    status, problem = asyncio.run(exchange(app, sliced(body)))
    assert status == 413
    assert [one["status"] for one in problem["items"]] == ["stored", "refused"]
    assert len(library.uploads.stored) == 1


def test_what_follows_the_end_is_not_read_for_ever(tmp_path):
    _, app = app_of(tmp_path)
    body = form(named("a.jpg"))
    assert asyncio.run(exchange(app, [body, b"\r\n"]))[0] == 200
    status, problem = asyncio.run(exchange(app, [body, *sliced(b"epilogue" * 100_000)]))
    assert (status, len(problem["items"])) == (400, 1)


CONTENT = [b"", b"\r", b"\r\n--xy", b"\r\n-xyz--", b"--xyz--", b"\n--xyz\r\n", bytes(range(256))]


@given(
    contents=st.lists(st.sampled_from(CONTENT) | st.binary(max_size=40), min_size=1, max_size=4),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=20),
)
@settings(max_examples=150, deadline=None)
def test_however_a_body_is_cut_its_files_are_the_same(contents, cuts):
    body = form(*[named(f"{place}.jpg", one) for place, one in enumerate(contents)])
    if any(b"\r\n--xyz" in b"\r\n" + one for one in contents):
        return  # any client would choose another boundary
    chunks, at, turn = [], 0, 0
    while at < len(body):
        chunks.append(body[at : at + cuts[turn % len(cuts)]])
        at, turn = at + cuts[turn % len(cuts)], turn + 1

    async def read():
        waiting = list(chunks)

        async def receive():
            return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

        found = []
        async for events in multipart.Reader(receive, "xyz", 100).events():
            for event in events:
                if isinstance(event, multipart.Part):
                    found.append(b"")
                elif event is not None:
                    found[-1] += event
        return found

    assert asyncio.run(read()) == contents
