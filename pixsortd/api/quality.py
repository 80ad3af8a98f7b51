"""``/api/images/quality``: scores side by side, and computing what is missing."""

from typing import Annotated

from litestar import Router, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib, photo_id, photo_ids

MetricName = Annotated[str | None, QueryParameter(min_length=1, max_length=100, description="only this metric")]


@get("/{image_id:str}", summary="Quality of a photo", sync_to_thread=True)
def get_quality(
    library: Lib,
    image_id: FromPath[str],
    metric: MetricName = None,
    compute: FromQuery[bool] = True,
    again: FromQuery[bool] = False,
) -> answers.Quality:
    """Stored scores with their percentiles and the composite; `job` computes what is missing.

    With `compute=false` nothing is started; `again=true` computes stored scores anew.
    """
    return present.quality(library.quality.report(photo_id(image_id), metric, compute or again, again))


@post("/batch", summary="Score many photos", status_code=202, sync_to_thread=True)
def score_images(library: Lib, data: JSONBody[answers.QualityBody]) -> answers.QualityList:
    """What is stored now, and one job that computes the rest."""
    return present.quality_list(library.quality.compute(photo_ids(data.ids), data.metric, data.again))


router = Router(path="/images/quality", tags=["quality"], route_handlers=[get_quality, score_images])
