"""Background work."""

from collections.abc import Sequence

from pixsortd import records
from pixsortd.api import answers
from pixsortd.api.present.base import fields


def job(given: records.Job) -> answers.Job:
    """One job."""
    return answers.Job(**(fields(given) | {"started": given.started or None, "ended": given.ended or None}))


def job_page(given: Sequence[records.Job]) -> answers.JobPage:
    """All jobs that are remembered."""
    return answers.JobPage(items=[job(one) for one in given], next_cursor=None, total=len(given))
