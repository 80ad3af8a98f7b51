"""``/api/sort``: the rules, and what they would do."""

from collections.abc import Sequence

from litestar import Router, get, post, put
from litestar.params import JSONBody

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib, instant
from pixsortd.config import SortRule


def _rules(given: Sequence[answers.RuleBody]) -> list[SortRule]:
    return [SortRule(**{name: getattr(one, name) for name in one.__struct_fields__}) for one in given]


@get("/rules", summary="Rules of sorting", sync_to_thread=True)
def get_rules(library: Lib) -> answers.SortRules:
    """The rules in force, in the order in which they are asked, and the fields and filters that rules are made of."""
    return present.rules(library.sorting.rules())


@put("/rules", summary="Change the rules", sync_to_thread=True)
def put_rules(library: Lib, data: JSONBody[answers.RulesBody]) -> answers.SortRules:
    """Write these rules into the settings file, in place of those that are there, and use them from now on.

    400 with `problems` where they cannot be used, 409 with `toml` where the file cannot be written.
    """
    return present.rules(library.sorting.write_rules(_rules(data.items)))


@post("/preview", summary="Look at what rules would do", status_code=200, sync_to_thread=True)
def preview_rules(library: Lib, data: JSONBody[answers.PreviewBody]) -> answers.Preview:
    """Where these rules would have some of the photos that are there, without using or keeping the rules."""
    return present.preview(library.sorting.preview(_rules(data.items), data.limit))


@post("/replay", summary="Try rules on the library", status_code=202, sync_to_thread=True)
def replay_rules(library: Lib, data: JSONBody[answers.ReplayBody]) -> answers.Job:
    """Count what rules would do to all photos, and how often they lie there already. Nothing is moved."""
    rules = None if data.items is None else _rules(data.items)
    return present.job(library.sorting.replay(rules, instant(data.since, end_of_day=False)))


@get("/replay", summary="What the last trial found", sync_to_thread=True)
def get_replay(library: Lib) -> answers.Trial:
    """Of rules on the library; a trial under way is named in `job`."""
    return present.trial(library.sorting.replayed())


router = Router(
    path="/sort", tags=["sorting"], route_handlers=[get_rules, put_rules, preview_rules, replay_rules, get_replay]
)
