"""``/api/plans``: what sorting would do, what it did, and taking it back."""

from typing import Annotated, Literal

from litestar import Router, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from pixsortd.api import answers, present
from pixsortd.api.parameters import Cursor, Lib, Limit, plain_id

Order = Annotated[
    Literal["plan", "folder"],
    QueryParameter(
        description="`folder`: as the outline has them; any place in that list, in decimal, is then a cursor"
    ),
]


def _plan(text: str) -> str:
    return plain_id(text, "plan")


@get("/", summary="List plans", sync_to_thread=True)
def list_plans(library: Lib, cursor: Cursor = None, limit: Limit = 100) -> answers.PlanPage:
    """What waits first, then the history, newest first."""
    return present.plan_page(library.sorting.plans(cursor, limit))


@post("/", summary="Plan anew", status_code=200, sync_to_thread=True)
def propose_plans(library: Lib, data: JSONBody[answers.ProposeBody]) -> answers.PlanPage:
    """Look at an inbox, or at all of them, now; the plans that wait afterwards. They follow the files by themselves."""
    root = None if data.root is None else plain_id(data.root, "root")
    return present.waiting_plans(library.sorting.propose(root))


@get("/{plan_id:str}", summary="One plan", sync_to_thread=True)
def get_plan(
    library: Lib, plan_id: FromPath[str], cursor: Cursor = None, limit: Limit = 100, order: Order = "plan"
) -> answers.PlanDetail:
    """Its steps, and behind the last of them the files that no step concerns."""
    return present.plan_detail(library.sorting.plan(_plan(plan_id), cursor, limit, folders=order == "folder"))


@get("/{plan_id:str}/outline", summary="A plan as a whole", sync_to_thread=True)
def get_plan_outline(library: Lib, plan_id: FromPath[str]) -> answers.PlanOutline:
    """How many photos go where, by which rule, and what they wait for; with the ids of all steps, but not the steps."""
    return present.plan_outline(library.sorting.outline(_plan(plan_id)))


@post("/{plan_id:str}/apply", summary="Approve a plan", status_code=202, sync_to_thread=True)
def apply_plan(library: Lib, plan_id: FromPath[str], data: JSONBody[answers.SomeStepsBody]) -> answers.StartedPlan:
    """Have what waits done, or only some steps of it; 409 with the new `plan` where files or rules have changed."""
    return present.started_plan(library.sorting.apply(_plan(plan_id), _steps(data.steps)))


@post("/{plan_id:str}/refuse", summary="Refuse steps", status_code=200, sync_to_thread=True)
def refuse_steps(library: Lib, plan_id: FromPath[str], data: JSONBody[answers.StepsBody]) -> answers.PlanRecord:
    """Leave these photos where they are until the rule changes; the plan that waits now, which has another id."""
    return present.plan_record(library.sorting.refuse(_plan(plan_id), _steps(data.steps)))


@post("/{plan_id:str}/undo", summary="Undo a plan", status_code=202, sync_to_thread=True)
def undo_plan(library: Lib, plan_id: FromPath[str], data: JSONBody[answers.SomeStepsBody]) -> answers.StartedPlan:
    """Take a plan back, or only some steps of it, by a plan of its own, which can be undone too.

    Steps whose files were changed since stay as they are, and say so.
    """
    return present.started_plan(library.sorting.undo(_plan(plan_id), _steps(data.steps)))


def _steps(given: list[str] | None) -> list[str] | None:
    return None if given is None else [plain_id(one, "step") for one in dict.fromkeys(given)]


router = Router(
    path="/plans",
    tags=["sorting"],
    route_handlers=[list_plans, propose_plans, get_plan, get_plan_outline, apply_plan, refuse_steps, undo_plan],
)
