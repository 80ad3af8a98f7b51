"""Rules of sorting, what they would do, and plans."""

from typing import Annotated, Literal

from msgspec import Meta

from pixsortd.api.answers.base import Answer, Body, ImageId, RuleProblem, Seconds, Shown, Total
from pixsortd.records import Action, OnConflict, OnSame, PlanState, StepState

Then = Literal["stop", "continue"]
Single = str | int | float | bool
Condition = Annotated[
    Single | list[Single],
    Meta(description="what the field has to be; of a list any may hold (none that begins with !)"),
]
Confidence = Annotated[float, Meta(ge=0, le=1, description="below it the photo waits for you; 0 to 1")]
RuleName = Annotated[str, Meta(min_length=1, max_length=200)]
StepIds = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=128)]],
    Meta(min_length=1, max_length=20_000, description="ids of steps"),
]


class RuleBody(Body, frozen=True, kw_only=True):
    """A rule of sorting, as it is written in the settings file."""

    name: RuleName
    when: Annotated[
        dict[str, Condition], Meta(description="by field; all have to hold, and without any every photo is taken")
    ] = {}
    to: Annotated[str, Meta(max_length=4096, description="template of the destination")] = ""
    action: Action = Action.MOVE
    conflict: OnConflict = OnConflict.NUMBER
    same: OnSame = OnSame.CONFLICT
    auto: Annotated[bool, Meta(description="acts without being asked, once a plan with it was approved")] = False
    confidence: Confidence = 0.8
    then: Then = "stop"


class RulesBody(Body, frozen=True, kw_only=True):
    """All rules, in the order in which they are asked."""

    items: Annotated[list[RuleBody], Meta(max_length=500)]


class PreviewBody(RulesBody, frozen=True, kw_only=True):
    """Rules to look at, and at how many photos."""

    limit: Annotated[int, Meta(ge=1, le=200)] = 24


class ReplayBody(Body, frozen=True, kw_only=True):
    """Rules to try (null: those in force), and on what: photos taken or arrived since a date (null: all)."""

    items: Annotated[list[RuleBody], Meta(max_length=500)] | None = None
    since: Annotated[str, Meta(max_length=64, description="ISO 8601 date or time")] | None = None


class SortRule(Answer, frozen=True, kw_only=True):
    """A rule in force; `approved`: a plan with it was approved for every inbox, `photos`: how many wait under it."""

    name: str
    when: dict[str, Condition]
    to: str
    action: Action
    conflict: OnConflict
    same: OnSame
    auto: bool
    confidence: float
    then: Then
    digest: str
    approved: bool
    problems: Annotated[list[str], Meta(description="what keeps it from being used, in words")]
    photos: int


class RuleField(Answer, frozen=True, kw_only=True):
    """Something that a condition can ask for; `template`: a template can name it."""

    name: str
    type: str
    examples: list[str]
    words: str
    template: bool


class RuleFilter(Answer, frozen=True, kw_only=True):
    """Something that a template can do with a value."""

    name: str
    examples: list[str]
    words: str


class SortRules(Answer, frozen=True, kw_only=True):
    """The rules in force, what rules can be made of, and the file they are in."""

    items: list[SortRule]
    fields: list[RuleField]
    filters: list[RuleFilter]
    file: str | None
    writable: Annotated[bool, Meta(description="rules can be written into the file")]


class PreviewItem(Answer, frozen=True, kw_only=True, rename={"source": "from"}):
    """Where rules would have a photo; `to` is null where it would stay, and `waits` says why."""

    image: ImageId
    name: Shown
    source: Shown
    to: Shown | None
    rule: str
    why: list[str]
    waits: str


class Preview(Answer, frozen=True, kw_only=True):
    """What rules would do with some photos, and what is wrong with the rules."""

    items: list[PreviewItem]
    problems: list[RuleProblem]


class Difference(Answer, frozen=True, kw_only=True):
    """A photo that lies elsewhere than the rules would have it."""

    image: ImageId
    rule: str
    now: Shown
    would: Shown


class Trial(Answer, frozen=True, kw_only=True):
    """What rules would do to the photos that are there; `at` is null before the first trial."""

    at: Seconds | None
    since: Seconds | None
    rules: Annotated[list[str], Meta(description="those that were tried, by name")]
    photos: int
    matched: Annotated[dict[str, int], Meta(description="photos by the rule that took them")]
    unmatched: int
    agree: Annotated[int, Meta(description="photos that lie where the rules would put them")]
    differ: int
    directories: Annotated[dict[str, int], Meta(description="photos by where they would go, those of most photos")]
    examples: list[Difference]
    job: Annotated[str | None, Meta(description="id of the trial under way")]


class PlanRecord(Answer, frozen=True, kw_only=True):
    """A plan: how many steps it has, and what became of them. One that waits follows the files; its id changes."""

    id: str
    at: Seconds
    state: PlanState
    root: Annotated[str, Meta(description="id of the inbox")]
    by: Annotated[str, Meta(description="`you` or `rules`: who approved it")]
    rules: Annotated[str, Meta(description="digest of the rules")]
    undoes: Annotated[str, Meta(description="id of the plan that it takes back")]
    redoes: Annotated[str, Meta(description="id of the plan that it so does again; empty if it takes back no undoing")]
    undone_by: str
    steps: int
    done: Annotated[int, Meta(description="steps that were done, whether or not they were taken back since")]
    refused: int
    undone: Annotated[int, Meta(description="those of the done that were taken back since")]
    bytes: int


class PlanPage(Answer, frozen=True, kw_only=True):
    """What waits, then the history, newest first."""

    items: list[PlanRecord]
    next_cursor: str | None
    total: Total


class PlanFile(Answer, frozen=True, kw_only=True, rename={"source": "from"}):
    """A file, and where it is to be afterwards; `discarded`: that is in the trash."""

    source: Shown
    to: Shown
    discarded: bool


class PlanStep(Answer, frozen=True, kw_only=True):
    """What is done with a photo's file and its companions, all together or not at all."""

    id: str
    image: ImageId
    rule: str
    action: Action
    files: Annotated[list[PlanFile], Meta(description="the photo's own first")]
    displaced: Annotated[list[PlanFile], Meta(description="files that make room by going to the trash")]
    returned: Annotated[list[PlanFile], Meta(description="files that come back from the trash")]
    back: Annotated[
        bool, Meta(description="takes such an action back: what was made is removed, and the file at `to` stays")
    ]
    why: Annotated[list[str], Meta(description="what held, in words")]
    conflict: Annotated[str, Meta(description="how a taken name was dealt with, in words")]
    confidence: float
    auto: bool
    waits: Annotated[str, Meta(description="why it is not done by itself, in words")]
    state: StepState
    reason: Annotated[str, Meta(description="why it was not done, in words")]


class Unmoved(Answer, frozen=True, kw_only=True):
    """A file that no step concerns, and why."""

    image: ImageId
    path: Shown
    rule: str
    why: str


class PlanRoom(Answer, frozen=True, kw_only=True):
    """Bytes that the plan takes on one file system, and how many are free there."""

    base: Shown
    needed: int
    free: int


class PlanDetail(PlanRecord, frozen=True, kw_only=True):
    """A plan with a page of what it says: its steps, and behind the last of them the files that no step concerns."""

    items: list[PlanStep]
    unmoved: list[Unmoved]
    left: Annotated[int, Meta(description="how many files no step concerns")]
    rooms: list[PlanRoom]
    next_cursor: str | None
    total: Annotated[int, Meta(ge=0, description="steps, and files that no step concerns")]


class PlanFolder(Answer, frozen=True, kw_only=True):
    """A folder that photos of a plan come to be in, and its steps by the names of their photos."""

    path: Shown
    steps: Annotated[list[str], Meta(description="ids")]


class PlanOutline(PlanRecord, frozen=True, kw_only=True):
    """A plan as a whole: all that can be told without its steps. Counts have the most frequent first."""

    folders: list[PlanFolder]
    settled: Annotated[list[str], Meta(description="ids of steps with which nothing can be done any more")]
    by_rule: Annotated[dict[str, int], Meta(description="steps by the name of their rule")]
    waits: Annotated[dict[str, int], Meta(description="steps by what they wait for, in words")]
    stays: Annotated[dict[str, int], Meta(description="files that no step concerns by why, in words")]
    rooms: list[PlanRoom]


class StartedPlan(PlanRecord, frozen=True, kw_only=True):
    """A plan that is being carried out."""

    job: Annotated[str, Meta(description="id of the job that does it")]


class ProposeBody(Body, frozen=True, kw_only=True):
    """The inbox to look at; null: all of them."""

    root: str | None = None


class SomeStepsBody(Body, frozen=True, kw_only=True):
    """Steps of the plan; null: all of them."""

    steps: StepIds | None = None


class StepsBody(Body, frozen=True, kw_only=True):
    """Steps of the plan; null, which has to be said: all of them."""

    steps: StepIds | None
