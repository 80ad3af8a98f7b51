"""``/api/overview`` and ``/api/pipeline``: the library and the stages in figures."""

from litestar import Router, get, post
from litestar.params import FromPath

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib
from pixsortd.api.ports import StageName


@get("/overview", tags=["overview"], summary="The library in figures", sync_to_thread=True)
def get_overview(library: Lib) -> answers.Overview:
    """Time, formats, cameras, quality, group sizes, marks and throughput; it may be some minutes old."""
    return present.overview(library.overview.report())


@get("/", summary="The stages", sync_to_thread=True)
def list_stages(library: Lib) -> answers.StagePage:
    """Depth, rate, time left and last trouble of each stage, in order."""
    return present.stage_page(library.overview.stages())


@post("/{stage:str}/pause", summary="Hold a stage", status_code=200, sync_to_thread=True)
def pause_stage(library: Lib, stage: FromPath[StageName]) -> answers.StagePage:
    """Nothing more is begun there until it is resumed, also after a restart."""
    return present.stage_page(library.overview.pause(stage, True))


@post("/{stage:str}/resume", summary="Let a stage go on", status_code=200, sync_to_thread=True)
def resume_stage(library: Lib, stage: FromPath[StageName]) -> answers.StagePage:
    """Undo `pause`."""
    return present.stage_page(library.overview.pause(stage, False))


router = Router(path="/pipeline", tags=["pipeline"], route_handlers=[list_stages, pause_stage, resume_stage])
