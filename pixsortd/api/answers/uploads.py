"""Uploads."""

from typing import Annotated

from msgspec import Meta

from pixsortd.api.answers.base import Answer, ImageId, Problem, Reason, Shown
from pixsortd.api.ports import UploadStatus


class Upload(Answer, frozen=True, kw_only=True):
    """What became of one uploaded file."""

    id: Annotated[ImageId | None, Meta(description="null for a refused file, whose content was not read")]
    filename: Annotated[str, Meta(description="as it was sent")]
    status: UploadStatus
    is_duplicate: bool
    duplicate_of: Annotated[ImageId | None, Meta(description="the photo that has the same bytes")]
    size: Annotated[int, Meta(ge=0, description="bytes")]
    path: Annotated[Shown | None, Meta(description="where it is, or where its twin is")]
    reason: Annotated[Reason | None, Meta(description="why it was refused")]


class UploadList(Answer, frozen=True, kw_only=True):
    """What became of each file, in the order in which they were sent."""

    items: list[Upload]


class UploadProblem(Problem, frozen=True, kw_only=True):
    """The request was not read to its end; these files of it were."""

    items: list[Upload] = []


class UploadLimits(Answer, frozen=True, kw_only=True):
    """What an upload may be now; without an inbox there are none, for the reason given."""

    inbox: Shown | None
    max_bytes: Annotated[int, Meta(ge=0, description="of one file")]
    max_files: Annotated[int, Meta(ge=1, description="in one request")]
    extensions: Annotated[list[str], Meta(description="accepted, lower case with the dot")]
    reason: Reason | None
