"""What a clustering would change, line by line."""

import msgspec
import pytest

from pixsortd import records
from pixsortd.records import GroupChange, GroupChangeKind


@pytest.fixture
def photos(library) -> list[str]:
    """Two photos that would join the beach, both in no group; line ``c1`` waits for them, ``c2`` for the beach's."""
    beach, *others = library.entries
    library.curation.changes["c1"] = GroupChange(
        id="c1",
        kind=GroupChangeKind.JOIN,
        photos=tuple(sorted(others)),
        to="g1",
        waits=True,
        why="Beach has a name",
        unsteady=True,
    )
    library.curation.changes["c2"] = GroupChange(
        id="c2", kind=GroupChangeKind.LEAVE, photos=(beach,), group="g1", waits=True
    )
    return [one.hex() for one in sorted(others)]


def test_a_proposal_line_by_line(api, photos):
    found = api.get("/api/groups/proposal").json()
    assert (found["run"], found["at"], found["method"]) == ("r1", 9.0, "eom")
    assert found["conflicts"] == ["Beach and Wood are together and apart"]
    assert found["items"][0] == {
        "id": "c1",
        "kind": "join",
        "group": None,
        "group_name": None,
        "to": "g1",
        "to_name": "Beach",
        "photos": 2,
        "images": photos,
        "waits": True,
        "why": "Beach has a name",
        "unsteady": True,
    }
    [done] = found["applied"]
    assert (done["id"], done["kind"], done["waits"], done["photos"], done["images"]) == ("done", "birth", False, 7, [])


def test_there_is_nothing_before_the_first_clustering(api):
    found = api.get("/api/groups/proposal").json()
    assert (found["run"], found["at"], found["items"], found["applied"]) == (None, None, [], [])


def test_a_proposal_of_many_lines_is_paged(api, library, photos):
    for number in range(5):
        library.curation.changes[f"m{number}"] = GroupChange(
            id=f"m{number}", kind=GroupChangeKind.MOVE, photos=(number.to_bytes(32, "big"),), group="g1", to="g2"
        )
    whole = api.get("/api/groups/proposal").json()
    ids = [one["id"] for one in whole["items"]]
    assert (len(ids), len(whole["applied"]), whole["total"], whole["next_cursor"]) == (7, 1, 8, None)
    assert whole["waiting"] == {"join": 1, "leave": 1, "move": 5}
    found, cursor = [], "0"
    while cursor is not None:
        page = api.get("/api/groups/proposal", params={"cursor": cursor, "limit": 3}).json()
        assert (page["total"], page["waiting"]) == (8, whole["waiting"])
        found += [one["id"] for one in [*page["items"], *page["applied"]]]
        cursor = page["next_cursor"]
    assert found == [*ids, "done"]
    moves = api.get("/api/groups/proposal", params={"kind": "move", "limit": 500}).json()
    assert ([one["id"] for one in moves["items"]], moves["applied"], moves["total"]) == (ids[2:], [], 5)
    assert api.get("/api/groups/proposal", params={"limit": 3, "cursor": "99"}).json()["items"] == []
    for wrong in ({"limit": 0}, {"limit": 501}, {"cursor": "-1"}, {"cursor": "c1"}, {"kind": "none"}):
        assert api.get("/api/groups/proposal", params=wrong).status_code == 422, wrong


def test_a_long_line_is_shortened_in_the_list_and_whole_by_itself(api, library):
    many = tuple(number.to_bytes(32, "big") for number in range(100))
    library.curation.changes["c1"] = GroupChange(id="c1", kind=GroupChangeKind.BIRTH, photos=many, to="g7")
    [listed] = api.get("/api/groups/proposal").json()["items"]
    assert (listed["photos"], len(listed["images"])) == (100, 24)
    assert api.get("/api/groups/proposal/c1").json()["images"] == [one.hex() for one in many]


def test_groups_tell_how_many_lines_wait_for_them(api, photos):
    assert api.get("/api/groups").json()["items"][0]["waiting"] == 2
    assert api.get("/api/groups/g1").json()["waiting"] == 2
    assert api.post("/api/groups/proposal/c2/refuse", json={}).json()["groups"][0]["waiting"] == 1


def test_a_line_is_accepted_in_part_then_whole(api, library, photos):
    done = api.post("/api/groups/proposal/c1/accept", json={"images": photos[:1]}).json()
    assert (done["summary"], done["groups"][0]["size"]) == ("Accepted", 2)
    assert api.get("/api/groups/proposal/c1").json()["images"] == photos[1:]
    api.post("/api/groups/proposal/c1/accept", json={"images": None})
    assert {entry.membership.group for entry in library.entries.values()} == {"g1"}
    assert api.post("/api" + done["undo"]).status_code == 200


def test_a_line_is_refused_and_is_gone(api, library, photos):
    assert api.post("/api/groups/proposal/c1/refuse", json={}).json()["summary"] == "Refused"
    assert library.entries[bytes.fromhex(photos[0])].membership is None
    for method, path in (("GET", "c1"), ("POST", "c1/accept"), ("POST", "c1/refuse")):
        answer = api.request(method, f"/api/groups/proposal/{path}", json={} if method == "POST" else None)
        assert answer.status_code == 404
        assert "proposal again" in answer.json()["next_step"]


def test_many_lines_each_answer_for_themselves(api, photos):
    done = api.post("/api/groups/proposal/accept", json={"ids": ["c1", "gone", "c1", "c2"]}).json()["items"]
    assert [(one["id"], one["edit"] is None) for one in done] == [("c1", False), ("gone", True), ("c2", False)]
    assert done[1]["reason"]["code"] == "not-found"
    assert api.post("/api/groups/proposal/refuse", json={"ids": ["c1"]}).json()["items"][0]["reason"] is not None


@pytest.mark.parametrize("change", ["none", "g1", "e0", "00" * 32, "c" * 200, "c%00", "\u00e9"])
def test_lines_that_are_none(api, library, photos, change):
    for answer in (
        api.get(f"/api/groups/proposal/{change}"),
        api.post(f"/api/groups/proposal/{change}/accept", json={}),
        api.post(f"/api/groups/proposal/{change}/refuse", json={}),
    ):
        assert answer.status_code in (400, 404)
        assert answer.headers["content-type"] == "application/problem+json"
    assert set(library.curation.changes) == {"c1", "c2"}


def test_a_subset_that_is_not_in_the_line(api, library, photos):
    beach = next(iter(library.entries)).hex()
    for images, code in (([*photos, beach], 422), (["ab" * 32], 422), (["x"], 404), ([], 422), ("all", 422)):
        answer = api.post("/api/groups/proposal/c1/accept", json={"images": images})
        assert answer.status_code == code, (images, answer.text)
    assert set(library.curation.changes) == {"c1", "c2"}
    assert library.curation.past == []


def test_ids_of_many_lines_that_cannot_be(api, library, photos):
    assert api.post("/api/groups/proposal/accept", json={"ids": ["c1", "../c2"]}).status_code == 404
    assert set(library.curation.changes) == {"c1", "c2"}


def test_names_of_groups_stay_text(api, library, photos):
    library.named["g1"] = msgspec.structs.replace(library.named["g1"], name="<b>\u202eBeach")
    assert api.get("/api/groups/proposal").json()["items"][0]["to_name"] == "<b>\u202eBeach"


def test_where_a_group_comes_from(api, library):
    steps = (
        records.Lineage(event=records.LineageEvent.BORN, at=1.0),
        records.Lineage(event=records.LineageEvent.MERGED, other="g0", at=2.0),
    )
    library.named["g1"] = msgspec.structs.replace(
        library.named["g1"], lineage=steps, state=records.GroupState.RESTING, cohesion=0.5
    )
    group = api.get("/api/groups/g1").json()
    assert (group["state"], group["cohesion"]) == ("resting", 0.5)
    assert group["lineage"] == [
        {"event": "born", "other": None, "at": 1.0},
        {"event": "merged", "other": "g0", "at": 2.0},
    ]
