"""A full disk below the decisions or the journal is 507 Insufficient Storage, in words; later the same call works."""

import errno
import os

import pytest

from pixsortd import logfile
from pixsortd.errors import DecisionsDamaged
from pixsortd.logfile import LogFile

ONE = "/api/images/{image}"
CALLS = {
    "rating": ("marks", "mark", "PATCH", ONE, {"rating": 3}),
    "new batch": ("batches", "create", "POST", "/api/batches", {"name": "Sea", "ids": ["{image}"]}),
    "discard": ("trash", "discard", "DELETE", ONE, None),
    "restore": ("trash", "restore", "POST", "/api/trash/restore", {"ids": ["{item}"]}),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_full_disk_is_insufficient_storage(api, library, tmp_path, monkeypatch, name):
    part, does, method, path, body = CALLS[name]
    image = next(iter(library.entries)).hex()
    item = api.delete(f"/api/images/{image}").json()["items"][0]["id"] if name == "restore" else ""
    body = body and {
        key: [one.format(image=image, item=item) for one in value] if isinstance(value, list) else value
        for key, value in body.items()
    }
    holder = getattr(library, part)
    log, real = LogFile.open(tmp_path / "log" / "lines.log", lambda _: None, DecisionsDamaged), getattr(holder, does)

    def kept_first(*given, **named):
        log.append([b"{}"])
        return real(*given, **named)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(holder, does, kept_first)
    with monkeypatch.context() as disk:
        disk.setattr(logfile.os, "fsync", full)
        answer = api.request(method, path.format(image=image), json=body)
    assert answer.status_code == 507
    problem = answer.json()
    assert problem["type"] == "urn:pixsortd:problem:state-directory-full"
    assert "the disk is full" in problem["detail"]
    assert problem["next_step"]
    assert log.path.read_bytes() == b""
    assert api.request(method, path.format(image=image), json=body).is_success
    log.close()
