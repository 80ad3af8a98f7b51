"""Roots, quarantine and passports."""

from collections.abc import Sequence

from pixsortd import records
from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields, reason
from pixsortd.api.present.groups import grouping
from pixsortd.api.present.photos import file, image, membership
from pixsortd.api.text import shown


def root(entry: ports.RootEntry) -> answers.Root:
    """One root with its ledger."""
    record = entry.record
    return answers.Root(
        id=record.id,
        path=shown(record.path),
        role=record.role,
        writable=entry.writable,
        state=record.state,
        since=record.since,
        reason=reason(record.reason),
        watch=record.watch,
        watch_reason=reason(record.watch_reason),
        directories=record.directories,
        watched=record.watched,
        missing=record.missing,
        skipped=record.skipped,
        ledger=answers.Ledger(**fields(entry.ledger)),
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
    return answers.Step(**(fields(given) | {"path": path}))


def why(passport: ports.Passport) -> answers.Why:
    """A passport."""
    entry = passport.image
    return answers.Why(
        image=image(entry) if entry else None,
        files=[file(one) for one in passport.files],
        membership=membership(entry) if entry else None,
        grouping=None if passport.grouping is None else grouping(passport.grouping),
        excluded_by=reason(passport.excluded_by),
        steps=[_step(one) for one in passport.steps],
    )
