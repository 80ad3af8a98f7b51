"""The trash."""

import os
from collections.abc import Sequence

from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields, reason
from pixsortd.api.text import shown


def _item(given: ports.TrashItem) -> answers.TrashItem:
    about = {"image": given.image.hex(), "path": shown(given.path), "name": shown(os.path.basename(given.path))}
    return answers.TrashItem(**(fields(given) | about))


def trash_page(page: ports.TrashPage) -> answers.TrashPage:
    """A page of the trash."""
    return answers.TrashPage(
        items=[_item(one) for one in page.items],
        next_cursor=page.next_cursor,
        total=page.total,
        bytes=page.bytes,
        retention=page.retention,
    )


def trashed(given: ports.Trashed) -> answers.Trashed:
    """What became of one photo."""
    return answers.Trashed(
        image=given.image.hex(),
        items=[_item(one) for one in given.items],
        last_copy=given.last_copy,
        reason=reason(given.reason),
    )


def trashed_list(given: Sequence[ports.Trashed]) -> answers.TrashedList:
    """What became of many."""
    return answers.TrashedList(items=[trashed(one) for one in given])


def restored_list(given: Sequence[ports.Restored]) -> answers.RestoredList:
    """What became of files that were to come back."""
    items = [answers.Restored(id=one.id, path=shown(one.path), reason=reason(one.reason)) for one in given]
    return answers.RestoredList(items=items)
