"""Batches."""

from collections.abc import Sequence
from typing import Any

from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields
from pixsortd.api.present.jobs import job
from pixsortd.api.present.photos import cell_fields
from pixsortd.api.text import clean


def _summary_fields(given: ports.BatchSummary) -> dict[str, Any]:
    return fields(given) | {
        "parameters": answers.Parameters(**fields(given.parameters)),
        "error": None if given.error is None else clean(given.error),
        "job": job(given.job) if given.job else None,
        "preview": [one.hex() for one in given.preview],
    }


def batch(given: ports.BatchSummary) -> answers.Batch:
    """One batch."""
    return answers.Batch(**_summary_fields(given))


def batch_page(given: Sequence[ports.BatchSummary]) -> answers.BatchPage:
    """All batches."""
    return answers.BatchPage(items=[batch(one) for one in given], next_cursor=None, total=len(given))


def _group(given: ports.BatchGroup) -> answers.BatchGroup:
    return answers.BatchGroup(**(fields(given) | {"cover": given.cover.hex() if given.cover else None}))


def _image(given: ports.BatchMember) -> answers.BatchImage:
    return answers.BatchImage(
        **cell_fields(given.cell),
        batch_group=given.label,
        manual=given.manual,
        rank=given.rank,
        value=given.value,
    )


def batch_detail(given: ports.BatchEntry) -> answers.BatchDetail:
    """A batch with its groups and photos."""
    return answers.BatchDetail(
        **_summary_fields(given.summary),
        groups_list=[_group(one) for one in given.groups],
        images=[_image(one) for one in given.members],
    )
