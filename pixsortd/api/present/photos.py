"""Photos, lists of them, and their outline."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pixsortd import records
from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields, reason
from pixsortd.api.present.quality import score
from pixsortd.api.text import clean, shown


def file(entry: ports.FileEntry) -> answers.File:
    """One known path."""
    row = entry.row
    return answers.File(
        id=entry.id,
        root=row.root,
        path=shown(os.path.join(entry.root_path, row.path) if row.path else entry.root_path),
        name=shown(os.path.basename(row.path)),
        state=row.state,
        settled=row.settled,
        since=row.since,
        first_seen=row.first_seen,
        size=row.stamp.size if row.stamp is not None else None,
        attempts=row.attempts,
        image=row.sha256.hex() if row.sha256 is not None else None,
        reason=reason(row.reason),
    )


def _taken(photo: records.Photo) -> str | None:
    if photo.exif.taken is not None and photo.taken_from == "exif":
        return photo.exif.taken
    if not photo.taken:
        return None
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(photo.taken))
    except (ValueError, OverflowError):  # an mtime outside the years that a clock can show
        return None


def _image_fields(entry: ports.ImageEntry) -> dict[str, Any]:
    photo = entry.photo
    files = [file(one) for one in entry.files]
    first_reason = next((one.reason for one in files if one.reason is not None), None)
    return {
        "id": entry.sha256.hex() if entry.sha256 is not None else files[0].id,
        "name": files[0].name if files else "",
        "status": entry.status,
        "width": photo.width if photo else None,
        "height": photo.height if photo else None,
        "taken": _taken(photo) if photo else None,
        "taken_at": photo.taken if photo and photo.taken else None,
        "taken_from": photo.taken_from if photo else None,
        "group": entry.membership.group if entry.membership else None,
        "group_name": entry.group_name,
        "scores": {one.metric.name: one.value for one in entry.scores},
        "rating": entry.rating,
        "label": entry.label,
        "caption": None if entry.caption is None else clean(entry.caption),
        "format": photo.format if photo else None,
        "size": photo.size if photo else next((one.size for one in files), None),
        "reason": None if entry.status is ports.ImageStatus.INDEXED else first_reason,
        "files": files,
    }


def image(entry: ports.ImageEntry) -> answers.Image:
    """A photo, for lists."""
    return answers.Image(**_image_fields(entry))


def image_page(page: ports.Page[ports.ImageEntry]) -> answers.ImagePage:
    """A page of photos."""
    return answers.ImagePage(items=[image(one) for one in page.items], next_cursor=page.next_cursor, total=page.total)


def similar_page(found: ports.Similar) -> answers.SimilarPage:
    """Answers of a like-search."""
    items = [answers.SimilarImage(similarity=one.similarity, **_image_fields(one.image)) for one in found.items]
    return answers.SimilarPage(items=items, next_cursor=None, total=len(items), space=found.space)


def membership(entry: ports.ImageEntry) -> answers.Membership | None:
    """Why the photo is in its group, or None when it is in none."""
    given = entry.membership
    if given is None:
        return None
    return answers.Membership(
        group=given.group,
        group_name=entry.group_name,
        strength=given.strength,
        how=given.how,
        at=given.at,
        similarity=given.similarity,
        nearest=[one.hex() for one in given.nearest],
    )


def image_detail(entry: ports.ImageEntry, batches: Mapping[str, str]) -> answers.ImageDetail:
    """A photo with all that is stored about it; ``batches`` are names by id."""
    photo = entry.photo
    place = membership(entry)
    return answers.ImageDetail(
        **_image_fields(entry),
        added=photo.added if photo else None,
        frames=photo.frames if photo else 0,
        decoder=photo.decoder if photo else "",
        exif=answers.Exif(**fields(photo.exif)) if photo else None,
        quality=[score(one) for one in entry.scores],
        groups=[place] if place else [],
        batches=[answers.BatchName(id=one, name=batches[one]) for one in entry.batches if one in batches],
    )


def outline(given: ports.Outline) -> answers.Outline:
    """A list as its buckets."""
    return answers.Outline(items=[answers.Bucket(**fields(one)) for one in given.buckets], total=given.total)


def cell_fields(given: ports.Cell) -> dict[str, Any]:
    """The fields of a cell."""
    return {
        "id": given.id,
        "name": shown(given.name),
        "status": given.status,
        "width": given.width,
        "height": given.height,
        "taken_at": given.taken,
        "rating": given.rating,
        "label": given.label,
        "group": given.group,
    }


def bucket_cells(key: str, cells: Sequence[ports.Cell]) -> answers.BucketCells:
    """The photos of one bucket."""
    return answers.BucketCells(key=key, items=[answers.Cell(**cell_fields(one)) for one in cells])
