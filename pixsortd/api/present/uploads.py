"""Uploads."""

from collections.abc import Sequence

from pixsortd.api import answers, ports
from pixsortd.api.present.base import reason
from pixsortd.api.text import clean, shown


def upload(given: ports.Uploaded) -> answers.Upload:
    """One file's fate."""
    return answers.Upload(
        id=given.id.hex() if given.id is not None else None,
        filename=clean(given.filename),
        status=given.status,
        is_duplicate=given.status is ports.UploadStatus.DUPLICATE,
        duplicate_of=given.duplicate_of.hex() if given.duplicate_of is not None else None,
        size=given.size,
        path=shown(given.path) if given.path is not None else None,
        reason=reason(given.reason),
    )


def upload_list(given: Sequence[ports.Uploaded]) -> answers.UploadList:
    """All files of a request."""
    return answers.UploadList(items=[upload(one) for one in given])


def upload_limits(given: ports.UploadLimits) -> answers.UploadLimits:
    """What an upload may be."""
    return answers.UploadLimits(
        inbox=shown(given.inbox) if given.inbox is not None else None,
        max_bytes=given.max_bytes,
        max_files=given.max_files,
        extensions=list(given.extensions),
        reason=reason(given.reason),
    )
