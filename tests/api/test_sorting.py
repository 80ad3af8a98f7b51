"""Rules, plans and their history over HTTP."""

import pytest

from pixsortd.config import SortRule

RULE = {"name": "Canon", "when": {"camera": ["Canon*", "!Canon EOS R5"]}, "to": "/photos/{taken:%Y}/", "auto": True}


@pytest.fixture
def draft(api) -> dict:
    """The plan that waits, with all that it says."""
    [record] = api.get("/api/plans").json()["items"]
    return api.get(f"/api/plans/{record['id']}").json()


def test_rules_with_what_they_are_made_of(api):
    found = api.get("/api/sort/rules").json()
    assert found["items"] == [
        {
            "name": "All",
            "when": {},
            "to": "Sorted/",
            "action": "move",
            "conflict": "number",
            "same": "conflict",
            "auto": False,
            "confidence": 0.8,
            "then": "stop",
            "digest": "All",
            "approved": False,
            "problems": [],
            "photos": 3,
        }
    ]
    assert [(one["name"], one["template"]) for one in found["fields"]] == [("camera", True), ("place", False)]
    assert found["filters"][0]["examples"] == ["truncate(40)"]
    assert (found["file"], found["writable"]) == ("/etc/p.toml", True)


def test_a_table_in_a_table_is_one_condition_by_its_full_name(api, library):
    library.sorting.written = [SortRule(name="Sharp", when={"quality": {"niqe": ">= 40"}, "ext": ["jpg"]}, to="x/")]
    [rule] = api.get("/api/sort/rules").json()["items"]
    assert rule["when"] == {"quality.niqe": ">= 40", "ext": ["jpg"]}


def test_rules_are_written_in_their_order_with_defaults_for_what_was_left_out(api, library):
    last = {"name": "Rest", "to": "/photos/rest/", "action": "copy", "then": "continue"}
    told = api.put("/api/sort/rules", json={"items": [RULE, last]}).json()
    assert [one["name"] for one in told["items"]] == ["Canon", "Rest"]
    first, second = library.sorting.written
    assert (first.when, first.auto, first.action) == (RULE["when"], True, "move")
    assert (second.action, second.then, second.confidence) == ("copy", "continue", 0.8)


def test_rules_that_cannot_be_used_say_which_and_where(api, library):
    wrong = {"name": "Wrong", "when": {"lense": "x"}}
    answer = api.put("/api/sort/rules", json={"items": [RULE, wrong]})
    assert answer.status_code == 422
    told = answer.json()
    assert told["type"] == "urn:pixsortd:problem:rules-refused"
    assert told["problems"] == [
        {
            "index": 1,
            "rule": "Wrong",
            "key": "when.lense",
            "message": "there is no such field",
            "next_step": "Ask camera.",
            "where": "",
        }
    ]
    assert [one.name for one in library.sorting.written] == ["All"]
    assert api.post("/api/sort/replay", json={"items": [wrong]}).status_code == 422


def test_a_file_that_cannot_be_written_gives_the_text_to_paste(api, library):
    library.sorting.writable = False
    answer = api.put("/api/sort/rules", json={"items": [RULE]})
    assert answer.status_code == 409
    assert answer.json()["toml"].startswith("[[sort.rules]]")


@pytest.mark.parametrize(
    "change",
    [
        {"action": "shred"},
        {"confidence": 1.5},
        {"name": ""},
        {"then": "jump"},
        {"when": {"camera": {"nested": 1}}},
        {"unknown": 1},
    ],
)
def test_a_rule_of_another_shape_is_refused(api, library, change):
    assert api.put("/api/sort/rules", json={"items": [RULE | change]}).status_code == 422
    assert [one.name for one in library.sorting.written] == ["All"]


def test_a_preview_shows_real_photos_and_what_is_wrong(api):
    shown = api.post("/api/sort/preview", json={"items": [RULE], "limit": 3}).json()
    assert [one["name"] for one in shown["items"]] == ["a.jpg", 'sjön "1".jpg', "bad\\xff\n.jpg"]
    assert shown["items"][0]["to"].endswith("/Sorted/a.jpg")
    assert shown["items"][0]["from"].endswith("/a.jpg")
    assert shown["problems"] == []
    none = api.post("/api/sort/preview", json={"items": [], "limit": 1}).json()["items"]
    assert [(one["to"], one["rule"], one["waits"]) for one in none] == [(None, "", "no rule takes it")]
    wrong = api.post("/api/sort/preview", json={"items": [RULE | {"when": {"lense": 1}}]}).json()
    assert wrong["problems"][0]["key"] == "when.lense"


def test_a_trial_of_rules_on_the_library(api, library):
    assert api.get("/api/sort/replay").json()["at"] is None
    answer = api.post("/api/sort/replay", json={"items": [RULE], "since": "2024-01-01"})
    assert (answer.status_code, answer.json()["kind"]) == (202, "replay")
    _, [rule], since = library.sorting.asked[0]
    assert (rule.name, since) == ("Canon", 1_704_067_200.0)
    found = api.get("/api/sort/replay").json()
    assert (found["photos"], found["agree"], found["differ"], found["matched"]) == (3, 2, 1, {"All": 3})
    assert found["examples"][0]["would"] == "/photos/Sorted/a\\xff.jpg"
    assert found["job"] == answer.json()["id"]
    assert api.post("/api/sort/replay", json={"since": "yesterday"}).status_code == 422


def test_a_plan_shows_each_step_and_why(api, draft):
    assert (draft["state"], draft["steps"], draft["done"], draft["total"]) == ("waiting", 3, 0, 3)
    step = draft["items"][2]
    assert step["files"][0]["from"].endswith("/bad\\xff\n.jpg")
    assert step["files"][0]["to"].endswith("/Sorted/bad\\xff\n.jpg")
    assert (step["rule"], step["action"], step["state"], step["why"]) == ("All", "move", "waiting", ["every photo"])
    assert step["waits"] == "the first plan of an inbox waits for you"
    assert draft["rooms"] == [{"base": "/photos", "needed": 0, "free": 10**9}]


def test_a_plan_is_paged_through_its_steps_and_then_what_no_step_concerns(api, draft):
    refused = draft["items"][0]
    plan = api.post(f"/api/plans/{draft['id']}/refuse", json={"steps": [refused["id"]]}).json()
    steps, unmoved, cursor = [], [], None
    while True:
        page = api.get(f"/api/plans/{plan['id']}", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        steps += page["items"]
        unmoved += page["unmoved"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [one["id"] for one in steps] == [one["id"] for one in draft["items"][1:]]
    assert [(one["image"], one["why"]) for one in unmoved] == [(refused["image"], "you said leave it")]
    assert (page["left"], page["total"]) == (1, 3)


def test_a_plan_is_told_as_a_whole_and_paged_from_any_place_by_folder(api, draft):
    first, *_ = draft["items"]
    plan = api.post(f"/api/plans/{draft['id']}/refuse", json={"steps": [first["id"]]}).json()["id"]
    whole = api.get(f"/api/plans/{plan}/outline").json()
    ids = [step for folder in whole["folders"] for step in folder["steps"]]
    assert {folder["path"].rpartition("/")[2] for folder in whole["folders"]} == {"Sorted"}
    assert (whole["id"], whole["steps"], whole["settled"], whole["by_rule"]) == (plan, 2, [], {"All": 2})
    assert whole["waits"] == {"the first plan of an inbox waits for you": 2}
    assert (whole["stays"], whole["rooms"]) == ({"you said leave it": 1}, draft["rooms"])
    for place in range(2):
        page = api.get(f"/api/plans/{plan}", params={"order": "folder", "cursor": str(place), "limit": 1}).json()
        assert [one["id"] for one in page["items"]] == [ids[place]]
    behind = api.get(f"/api/plans/{plan}", params={"order": "folder", "cursor": "2", "limit": 1}).json()
    assert ([one["image"] for one in behind["unmoved"]], behind["items"]) == ([first["image"]], [])
    assert api.get("/api/plans/none/outline").status_code == 404
    assert api.get(f"/api/plans/{plan}", params={"order": "size"}).status_code == 422


def test_the_outline_of_what_was_done_says_which_steps_are_settled(api, draft, library):
    started = library.sorting.apply(draft["id"], None)
    done = started.record.id
    assert api.get(f"/api/plans/{done}/outline").json()["settled"] == []
    library.sorting.refuse_done(started, "the file is gone")
    whole = api.get(f"/api/plans/{done}/outline").json()
    assert sorted(whole["settled"]) == sorted(one["id"] for one in draft["items"])


def test_all_steps_are_refused_by_saying_so(api, draft):
    path = f"/api/plans/{draft['id']}/refuse"
    assert api.post(path, json={}).status_code == 422
    assert api.post(path, json={"steps": None}).json()["steps"] == 0


def test_approving_some_steps_leaves_the_others_waiting(api, draft):
    answer = api.post(f"/api/plans/{draft['id']}/apply", json={"steps": [draft["items"][0]["id"]]})
    started = answer.json()
    assert (answer.status_code, started["by"], started["steps"]) == (202, "you", 1)
    assert api.get(f"/api/jobs/{started['job']}").json()["kind"] == "sort"
    waiting, done = api.get("/api/plans").json()["items"]
    assert (waiting["state"], waiting["steps"]) == ("waiting", 2)
    assert done["id"] == started["id"]
    assert api.get(f"/api/plans/{done['id']}").json()["items"][0]["state"] == "done"


def test_a_plan_that_has_changed_is_not_applied_and_names_the_new_one(api, draft):
    now = api.post(f"/api/plans/{draft['id']}/refuse", json={"steps": [draft["items"][0]["id"]]}).json()
    for call in ("apply", "refuse"):
        answer = api.post(f"/api/plans/{draft['id']}/{call}", json={"steps": [draft["items"][1]["id"]]})
        assert answer.status_code == 409
        assert answer.json()["type"] == "urn:pixsortd:problem:plan-changed"
        assert answer.json()["plan"] == now["id"]


def test_a_plan_is_undone_by_a_plan_that_can_be_undone(api, draft):
    done = api.post(f"/api/plans/{draft['id']}/apply", json={"steps": None}).json()
    back = api.post(f"/api/plans/{done['id']}/undo", json={}).json()
    assert back["undoes"] == done["id"]
    states = {one["id"]: one["state"] for one in api.get("/api/plans").json()["items"]}
    assert (states[done["id"]], states[back["id"]]) == ("undone", "applied")
    assert api.post(f"/api/plans/{done['id']}/undo", json={}).status_code == 409
    again = api.post(f"/api/plans/{back['id']}/undo", json={"steps": [draft["items"][0]["id"]]}).json()
    assert (again["undoes"], again["steps"]) == (back["id"], 1)


def test_planning_anew_shows_what_waits(api):
    assert [one["state"] for one in api.post("/api/plans", json={}).json()["items"]] == ["waiting"]
    assert api.post("/api/plans", json={"root": "r1"}).json()["total"] == 1
    assert api.post("/api/plans", json={"root": "nowhere"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/plans/none/apply", {}),
        ("/api/plans/a%20b/undo", {}),
        ("/api/plans/none/refuse", {"steps": ["s1"]}),
        ("/api/plans/none/undo", {}),
    ],
)
def test_an_unknown_plan_is_no_plan(api, path, body):
    assert api.post(path, json=body).status_code in (404, 409)


def test_refusing_takes_steps_and_only_those_of_the_plan(api, draft):
    path = f"/api/plans/{draft['id']}/refuse"
    assert api.post(path, json={"steps": []}).status_code == 422
    assert api.post(path, json={"steps": ["s1"]}).status_code == 404
