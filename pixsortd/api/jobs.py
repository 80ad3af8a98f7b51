"""``/api/jobs``: background work, its progress, and ending it."""

from litestar import Router, delete, get
from litestar.params import FromPath

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib, plain_id


@get("/", summary="List jobs", sync_to_thread=False)
def list_jobs(library: Lib) -> answers.JobPage:
    """The latest jobs, newest first."""
    return present.job_page(library.jobs())


@get("/{job_id:str}", summary="One job", sync_to_thread=False)
def get_job(library: Lib, job_id: FromPath[str]) -> answers.Job:
    """State and progress."""
    return present.job(library.job(plain_id(job_id, "job")))


@delete("/{job_id:str}", summary="Cancel a job", status_code=202, sync_to_thread=True)
def cancel_job(library: Lib, job_id: FromPath[str]) -> answers.Job:
    """Ask a queued or running job to end; its state tells when it has."""
    return present.job(library.cancel(plain_id(job_id, "job")))


router = Router(path="/jobs", tags=["jobs"], route_handlers=[list_jobs, get_job, cancel_job])
