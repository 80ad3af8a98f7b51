"""Turn the daemon's records into the JSON of `answers`: pure, one function a record."""

from pixsortd.api.present.base import reason
from pixsortd.api.present.batches import batch, batch_detail, batch_page
from pixsortd.api.present.curation import (
    group_edit,
    named_group,
    past_edit_page,
    proposal,
    proposed_change,
    settled_changes,
)
from pixsortd.api.present.groups import group, group_page
from pixsortd.api.present.jobs import job, job_page
from pixsortd.api.present.learning import learning
from pixsortd.api.present.levels import cut_page, levels
from pixsortd.api.present.overview import overview, stage_page
from pixsortd.api.present.photos import (
    bucket_cells,
    file,
    image,
    image_detail,
    image_page,
    membership,
    outline,
    similar_page,
)
from pixsortd.api.present.quality import quality, quality_list, ranking, score
from pixsortd.api.present.roots import file_page, root, root_page, why
from pixsortd.api.present.settings import setting_page
from pixsortd.api.present.sorting import (
    plan_detail,
    plan_outline,
    plan_page,
    plan_record,
    preview,
    rule_problem,
    rules,
    started_plan,
    trial,
    waiting_plans,
)
from pixsortd.api.present.status import status
from pixsortd.api.present.trash import restored_list, trash_page, trashed, trashed_list
from pixsortd.api.present.uploads import upload_limits, upload_list

__all__ = [
    "batch",
    "batch_detail",
    "batch_page",
    "bucket_cells",
    "cut_page",
    "file",
    "file_page",
    "group",
    "group_edit",
    "group_page",
    "image",
    "image_detail",
    "image_page",
    "job",
    "job_page",
    "learning",
    "levels",
    "membership",
    "named_group",
    "outline",
    "overview",
    "past_edit_page",
    "plan_detail",
    "plan_outline",
    "plan_page",
    "plan_record",
    "preview",
    "proposal",
    "proposed_change",
    "quality",
    "quality_list",
    "ranking",
    "reason",
    "restored_list",
    "root",
    "root_page",
    "rule_problem",
    "rules",
    "score",
    "setting_page",
    "settled_changes",
    "similar_page",
    "stage_page",
    "started_plan",
    "status",
    "trash_page",
    "trashed",
    "trashed_list",
    "trial",
    "upload_limits",
    "upload_list",
    "waiting_plans",
    "why",
]
