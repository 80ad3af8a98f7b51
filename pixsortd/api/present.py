"""Turn the daemon's records into the JSON of `answers`: pure, one function a record."""

import os
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from pixsortd import records
from pixsortd.api import answers, ports, reports
from pixsortd.api.text import clean, shown


def _fields(record: msgspec.Struct) -> dict[str, Any]:
    values = ((name, getattr(record, name)) for name in record.__struct_fields__)
    return {name: clean(value) if type(value) is str else value for name, value in values}


def reason(given: records.Reason | None) -> answers.Reason | None:
    """A reason, or None."""
    return None if given is None else answers.Reason(**_fields(given))


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


def score(given: records.Score) -> answers.Score:
    """One stored score."""
    metric = given.metric
    return answers.Score(
        metric=metric.name,
        value=given.value,
        lower_better=metric.lower_better,
        low=metric.low,
        high=metric.high,
        long_side=metric.long_side,
        version=metric.version,
        at=given.at,
    )


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


def image_detail(entry: ports.ImageEntry) -> answers.ImageDetail:
    """A photo with all that is stored about it."""
    photo = entry.photo
    place = membership(entry)
    return answers.ImageDetail(
        **_image_fields(entry),
        added=photo.added if photo else None,
        frames=photo.frames if photo else 0,
        decoder=photo.decoder if photo else "",
        exif=answers.Exif(**_fields(photo.exif)) if photo else None,
        quality=[score(one) for one in entry.scores],
        groups=[place] if place else [],
    )


def group(given: records.Group) -> answers.Group:
    """One group."""
    return answers.Group(
        id=given.id,
        name=given.name,
        size=given.size,
        kind=given.kind,
        space=given.space,
        created=given.created,
        exemplars=[one.hex() for one in given.exemplars],
    )


def group_page(page: ports.Page[records.Group]) -> answers.GroupPage:
    """A page of groups."""
    return answers.GroupPage(items=[group(one) for one in page.items], next_cursor=page.next_cursor, total=page.total)


def job(given: records.Job) -> answers.Job:
    """One job."""
    return answers.Job(**(_fields(given) | {"started": given.started or None, "ended": given.ended or None}))


def job_page(given: Sequence[records.Job]) -> answers.JobPage:
    """All jobs that are remembered."""
    return answers.JobPage(items=[job(one) for one in given], next_cursor=None, total=len(given))


def root(entry: ports.RootEntry) -> answers.Root:
    """One root with its ledger."""
    record = entry.record
    return answers.Root(
        id=record.id,
        path=shown(record.path),
        role=record.role,
        state=record.state,
        since=record.since,
        reason=reason(record.reason),
        watch=record.watch,
        watch_reason=reason(record.watch_reason),
        directories=record.directories,
        watched=record.watched,
        missing=record.missing,
        skipped=record.skipped,
        ledger=answers.Ledger(**_fields(entry.ledger)),
        scan=answers.Scan(
            running=entry.scanning,
            directories=entry.scan_directories,
            files=entry.scan_files,
            ended=record.last_scan or None,
            seconds=record.scan_seconds,
        ),
    )


def root_page(entries: Sequence[ports.RootEntry]) -> answers.RootPage:
    """All roots."""
    return answers.RootPage(items=[root(one) for one in entries], next_cursor=None, total=len(entries))


def file_page(page: ports.Page[ports.FileEntry]) -> answers.FilePage:
    """A page of files."""
    return answers.FilePage(items=[file(one) for one in page.items], next_cursor=page.next_cursor, total=page.total)


def _step(given: records.Step) -> answers.Step:
    path = None if given.path is None else shown(given.path)
    return answers.Step(**(_fields(given) | {"path": path}))


def why(passport: ports.Passport) -> answers.Why:
    """A passport."""
    entry = passport.image
    return answers.Why(
        image=image(entry) if entry else None,
        files=[file(one) for one in passport.files],
        membership=membership(entry) if entry else None,
        excluded_by=reason(passport.excluded_by),
        steps=[_step(one) for one in passport.steps],
    )


def _space_state(ability: records.Ability) -> reports.SpaceState:
    space = ability.space
    return reports.SpaceState(
        name=ability.name,
        state=ability.state,
        reason=reason(ability.reason),
        model=space.model if space else None,
        revision=space.revision if space else None,
        dim=space.dim if space else None,
        device=ability.device,
    )


def _metric_state(ability: records.Ability) -> reports.MetricState:
    metric = ability.metric
    return reports.MetricState(
        name=ability.name,
        state=ability.state,
        reason=reason(ability.reason),
        lower_better=metric.lower_better if metric else None,
        low=metric.low if metric else None,
        high=metric.high if metric else None,
        long_side=metric.long_side if metric else None,
        license=metric.license if metric else None,
        device=ability.device,
    )


def status(report: ports.StatusReport, now: float) -> reports.Status:
    """The daemon in one look, at ``now`` (seconds since the epoch)."""
    worker = _fields(report.worker) | {"reason": reason(report.worker.reason)}
    return reports.Status(
        version=report.version,
        started=report.started,
        uptime=max(0.0, now - report.started),
        pid=report.pid,
        roots=[root(one) for one in report.roots],
        queue=reports.Queue(**_fields(report.queue)),
        worker=reports.Worker(**worker),
        index=reports.Index(**_fields(report.index)),
        spaces=[_space_state(one) for one in report.abilities if one.kind == "space"],
        metrics=[_metric_state(one) for one in report.abilities if one.kind == "metric"],
        space=report.space,
        wanted_space=report.wanted_space,
        jobs=[job(one) for one in report.jobs],
        notices=[answers.Reason(**_fields(one)) for one in report.notices],
    )
