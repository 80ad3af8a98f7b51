"""A hub cache as the hub's own library lays it out, made from files."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put(cache: Path, repo: str, files: Mapping[str, Path], commit: str = COMMIT) -> Path:
    """Copy ``files`` (name in the repository to path) into ``cache``; returns the snapshot directory."""
    root = cache / f"models--{repo.replace('/', '--')}"
    snapshot = root / "snapshots" / commit
    for directory in (root / "blobs", root / "refs", snapshot):
        directory.mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(commit)
    for name, path in files.items():
        content = path.read_bytes()
        large = path.suffix not in (".json", ".txt")
        digest = hashlib.sha256(content) if large else hashlib.sha1(b"blob %d\0" % len(content) + content)
        blob = root / "blobs" / digest.hexdigest()
        blob.write_bytes(content)
        (snapshot / name).symlink_to(Path("../../blobs") / blob.name)
    return snapshot
