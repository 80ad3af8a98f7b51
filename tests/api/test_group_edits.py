"""Edits of groups, their history and undo, with what a hostile or mistaken client may send."""

import msgspec
import pytest

from pixsortd import records
from pixsortd.api.ports import PastEdit

JSON = {"content-type": "application/json"}
BEACH, WOOD = "g1", "wood"
SUBJECTS = ("members", "merge", "split", "lock")


@pytest.fixture
def photos(library) -> list[str]:
    """Three photos; the first is in the beach, the second in the wood, the third in no group."""
    library.named[WOOD] = records.Group(id=WOOD, size=1)
    beach, wood, none = library.entries
    place = records.Membership(group=WOOD, strength=0.5, how="clustered")
    library.entries[wood] = msgspec.structs.replace(library.entries[wood], membership=place)
    return [beach.hex(), wood.hex(), none.hex()]


def groups_of(library, photos) -> list[str | None]:
    """Where they are."""
    places = [library.entries[bytes.fromhex(one)].membership for one in photos]
    return [place.group if place else None for place in places]


def test_photos_go_where_they_are_put_and_back(api, library, photos):
    done = api.post(f"/api/groups/{BEACH}/members", json={"add": photos[1:]}).json()
    assert groups_of(library, photos) == [BEACH, BEACH, BEACH]
    assert (done["undo"], done["summary"], done["left"]) == (
        f"/groups/edits/{done['edit']}/undo",
        "Put 2 photos",
        [],
    )
    assert [(one["id"], one["size"], one["touched"]) for one in done["groups"]] == [(BEACH, 3, True)]
    undone = api.post("/api" + done["undo"])
    assert (undone.status_code, undone.json()["left"]) == (200, ["1 photo was moved since and stays"])
    assert groups_of(library, photos) == [BEACH, WOOD, None]


def test_photos_of_several_groups_and_of_none_form_a_new_one(api, library, photos):
    done = api.post("/api/groups", json={"images": photos}).json()
    born = done["groups"][0]["id"]
    assert born not in (BEACH, WOOD)
    assert groups_of(library, photos) == [born] * 3
    assert api.post("/api" + done["undo"]).status_code == 200
    assert groups_of(library, photos) == [BEACH, WOOD, None]
    assert api.post("/api/groups", json={"images": []}).status_code == 422


def test_photos_are_taken_out_and_barred(api, library, photos):
    assert api.post(f"/api/groups/{BEACH}/members", json={"remove": photos[:1]}).status_code == 200
    assert groups_of(library, photos) == [None, WOOD, None]
    assert api.post(f"/api/groups/{WOOD}/members", json={"bar": photos[1:]}).status_code == 200
    assert groups_of(library, photos) == [None, None, None]
    assert library.curation.said == [("bar", WOOD, tuple(bytes.fromhex(one) for one in photos[1:]))]


def test_the_same_photo_twice_is_one(api, library, photos):
    api.post("/api/groups/release", json={"images": photos[:1] * 3})
    assert library.curation.said == [("release", (bytes.fromhex(photos[0]),))]


def test_merging_and_splitting(api, library, photos):
    done = api.post(f"/api/groups/{BEACH}/merge", json={"groups": [WOOD, WOOD]}).json()
    assert [one["id"] for one in done["groups"]] == [BEACH]
    assert (list(library.named), groups_of(library, photos)) == ([BEACH], [BEACH, BEACH, None])
    done = api.post(f"/api/groups/{BEACH}/split", json={"images": photos[1:2]}).json()
    assert [one["id"] for one in done["groups"]] == [BEACH, "g1s"]
    assert groups_of(library, photos) == [BEACH, "g1s", None]


def test_a_group_that_likeness_does_not_divide(api, photos):
    answer = api.post(f"/api/groups/{BEACH}/split", json={"images": None})
    assert (answer.status_code, answer.json()["next_step"]) == (409, "Choose the photos yourself.")


def test_a_lock_is_for_clusterings_and_not_for_the_user(api, library, photos):
    done = api.put(f"/api/groups/{BEACH}/lock", json={"locked": True}).json()
    assert (done["summary"], done["groups"][0]["locked"]) == ("Locked", True)
    assert api.post(f"/api/groups/{BEACH}/members", json={"add": photos}).status_code == 200
    assert groups_of(library, photos) == [BEACH, BEACH, BEACH]
    assert api.put(f"/api/groups/{BEACH}/lock", json={"locked": False}).json()["groups"][0]["locked"] is False


def test_a_name_is_an_edit(api):
    named = api.patch(f"/api/groups/{BEACH}", json={"name": "Sea"}).json()
    assert (named["name"], named["edit"], named["undo"]) == ("Sea", "e0", "/groups/edits/e0/undo")
    again = api.patch(f"/api/groups/{BEACH}", json={"name": "Sea"}).json()
    assert (again["name"], again["edit"], again["undo"], again["summary"]) == ("Sea", None, None, "It has that name")
    api.post("/api" + named["undo"])
    assert api.get(f"/api/groups/{BEACH}").json()["name"] == "Beach"


def test_what_is_so_already_is_no_edit(api, photos):
    answer = api.put(f"/api/groups/{BEACH}/lock", json={"locked": False})
    assert answer.status_code == 200
    assert (answer.json()["edit"], answer.json()["undo"], answer.json()["summary"]) == (None, None, "It is so already")
    assert api.get("/api/groups/edits").json()["total"] == 0


def test_relations(api, library, photos):
    for relation in ("together", "apart", "distinct"):
        answer = api.post("/api/groups/relations", json={"images": photos[:2], "relation": relation})
        assert answer.status_code == 200, answer.text
    assert [said[2] for said in library.curation.said] == ["together", "apart", "distinct"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"images": ["00" * 32] * 2, "relation": "together"}, "two photos at least"),
        ({"images": ["00" * 32], "relation": "together"}, "does not fit"),
        ({"images": [f"{number:064x}" for number in range(101)], "relation": "apart"}, "At most 100"),
        ({"images": [f"{number:064x}" for number in range(101)], "relation": "distinct"}, "At most 100"),
        ({"images": ["00" * 32, "11" * 32], "relation": "friends"}, "does not fit"),
        ({"images": ["00" * 32, "11" * 32]}, "does not fit"),
    ],
)
def test_relations_that_mean_nothing(api, library, body, word):
    answer = api.post("/api/groups/relations", json=body)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]
    assert library.curation.said == []


def test_the_history_is_paged_newest_first(api, photos):
    for number in range(3):
        api.post("/api/groups/release", json={"images": photos[number : number + 1]})
    first = api.get("/api/groups/edits?limit=2").json()
    assert ([one["edit"] for one in first["items"]], first["total"]) == (["e2", "e1"], 3)
    rest = api.get(f"/api/groups/edits?limit=2&cursor={first['next_cursor']}").json()
    assert ([one["edit"] for one in rest["items"]], rest["next_cursor"]) == (["e0"], None)
    assert rest["items"][0] == {
        "edit": "e0",
        "at": 1.0,
        "what": "release",
        "groups": [],
        "photos": 1,
        "undone": False,
        "undoable": True,
        "why_not": None,
    }
    assert api.get("/api/groups/edits?cursor=ours").status_code == 422
    assert api.get("/api/groups/edits?limit=501").status_code == 422


def test_an_edit_is_undone_once_and_the_undoing_too(api, photos):
    edit = api.post("/api/groups/release", json={"images": photos}).json()["edit"]
    undone = api.post(f"/api/groups/edits/{edit}/undo").json()
    again = api.post(f"/api/groups/edits/{edit}/undo")
    assert (again.status_code, again.json()["next_step"]) == (409, "Undo the undoing to bring it back.")
    listed = api.get("/api/groups/edits").json()["items"][1]
    assert (listed["undone"], listed["undoable"], listed["why_not"]) == (True, False, "It is undone already")
    assert api.post("/api" + undone["undo"]).status_code == 200


def test_words_from_file_names_cannot_break_the_answer(api, library):
    library.curation.past.append(PastEdit(edit="e0", at=1.0, what="Named \udcff", why_not="\udcfe"))
    item = api.get("/api/groups/edits").json()["items"][0]
    assert (item["what"], item["why_not"]) == ("Named \\xff", "\\xfe")


# --- hostile and mistaken ----------------------------------------------------------------------------


@pytest.mark.parametrize("edit", ["e99", "none", BEACH, "0" * 64, "e" * 200, "..", "%2e%2e", "e%00", "\u00e9"])
def test_undoing_what_is_no_edit(api, photos, edit):
    answer = api.post(f"/api/groups/edits/{edit}/undo")
    assert answer.status_code in (400, 404, 405)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("group", ["g9", "e0", "00" * 32, "g" * 129, "edits", "proposal", "a b", "%00"])
def test_editing_what_is_no_group(api, library, photos, subject, group):
    """Unknown ones, and ids of edits, photos and the like."""
    bodies = {"members": {"add": photos}, "merge": {"groups": [WOOD]}, "split": {"images": None}}
    method = "PUT" if subject == "lock" else "POST"
    answer = api.request(method, f"/api/groups/{group}/{subject}", json=bodies.get(subject, {"locked": True}))
    assert answer.status_code in (400, 404, 405), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert groups_of(library, photos) == [BEACH, WOOD, None]


@pytest.mark.parametrize("image", ["ab" * 32, BEACH, "e0", "", "AB" * 32, "../../etc/passwd", "ab" * 31, "\u0000" * 64])
def test_photos_that_are_none(api, library, photos, image):
    """One wrong id among good ones, and nothing changes."""
    wrong = [photos[1], image]
    for path, body in (
        (f"{BEACH}/members", {"add": wrong}),
        (f"{BEACH}/members", {"remove": wrong}),
        (f"{BEACH}/members", {"bar": wrong}),
        (f"{BEACH}/split", {"images": wrong}),
        ("relations", {"images": wrong, "relation": "apart"}),
        ("release", {"images": wrong}),
    ):
        answer = api.post(f"/api/groups/{path}", json=body)
        assert answer.status_code in (404, 422), (path, answer.text)
    assert groups_of(library, photos) == [BEACH, WOOD, None]
    assert library.curation.past == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("g1/members", {}),
        ("g1/members", {"add": [], "remove": [], "bar": []}),
        ("g1/members", {"add": ["00" * 32], "bar": ["11" * 32]}),
        ("g1/members", {"add": None}),
        ("g1/members", {"add": "00" * 32}),
        ("g1/members", {"add": [7]}),
        ("g1/members", {"pin": ["00" * 32]}),
        ("g1/members", []),
        ("g1/merge", {"groups": []}),
        ("g1/merge", {"groups": ["g1"]}),
        ("g1/merge", {"groups": ["g"] * 1001}),
        ("g1/merge", {"groups": [""]}),
        ("g1/merge", {}),
        ("g1/split", {}),
        ("g1/split", {"images": []}),
        ("g1/split", {"images": {"0": "a"}}),
        ("release", {"images": []}),
        ("release", {"images": None}),
        ("relations", {"images": [], "relation": "apart"}),
        ("proposal/accept", {"ids": []}),
        ("proposal/refuse", {"ids": ["c"] * 1001}),
        ("proposal/c1/accept", {"images": []}),
        ("proposal/c1/refuse", {"photos": []}),
    ],
)
def test_bodies_that_mean_nothing(api, library, path, body):
    answer = api.post(f"/api/groups/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text
    assert library.curation.past == []


def test_the_lock_takes_a_boolean(api):
    for locked in (None, 7, "perhaps", []):
        assert api.put(f"/api/groups/{BEACH}/lock", json={"locked": locked}).status_code == 422, locked


def test_thousands_of_photos_at_once(api, library):
    """As many as a call takes are looked at; more are refused unread."""
    many = [f"{number:064x}" for number in range(10_000)]
    answer = api.post(f"/api/groups/{BEACH}/members", json={"add": many})
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no photo with that id")
    assert api.post(f"/api/groups/{BEACH}/members", json={"add": [*many, "0" * 64]}).status_code == 422
    assert api.post(f"/api/groups/{BEACH}/members", json={"add": many * 2}).status_code == 413
    assert library.curation.past == []


def test_photos_of_another_group_cannot_be_taken_out_or_split_off(api, library, photos):
    for path, body in (("members", {"remove": photos[:2]}), ("split", {"images": photos[1:]})):
        assert api.post(f"/api/groups/{BEACH}/{path}", json=body).status_code == 422
    assert api.post(f"/api/groups/{BEACH}/split", json={"images": photos[:1]}).status_code == 422
    assert groups_of(library, photos) == [BEACH, WOOD, None]


def test_another_site_edits_nothing(api, library, photos):
    foreign = {**JSON, "origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    for method, path, body in (
        ("POST", "g1/members", b'{"remove": ["%s"]}' % photos[0].encode()),
        ("POST", "g1/split", b'{"images": null}'),
        ("POST", "g1/merge", b'{"groups": ["wood"]}'),
        ("PUT", "g1/lock", b'{"locked": true}'),
        ("POST", "relations", b'{"images": [], "relation": "apart"}'),
        ("POST", "release", b'{"images": []}'),
        ("POST", "proposal/accept", b'{"ids": ["c1"]}'),
        ("POST", "proposal/c1/refuse", b"{}"),
        ("POST", "edits/e0/undo", b""),
    ):
        answer = api.request(method, f"/api/groups/{path}", content=body, headers=foreign)
        assert answer.status_code == 403, path
    assert (library.curation.past, groups_of(library, photos)) == ([], [BEACH, WOOD, None])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "g1/members"),
        ("DELETE", "g1/lock"),
        ("POST", "edits"),
        ("GET", "edits/e0/undo"),
        ("GET", "relations/x"),
        ("GET", "g1/merge"),
        ("PUT", "proposal"),
    ],
)
def test_calls_that_are_none(api, method, path):
    answer = api.request(method, f"/api/groups/{path}")
    assert answer.status_code in (404, 405)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "address", "body", "field"),
    [
        ("PUT", f"/api/groups/{BEACH}/lock", {"locked": 0}, "locked"),
        ("PUT", f"/api/groups/{BEACH}/lock", {"locked": "true"}, "locked"),
        ("PUT", "/api/groups/learning", {"use": 1}, "use"),
        ("PATCH", f"/api/groups/{BEACH}", {"name": 5}, "name"),
        ("POST", "/api/images/quality/batch", {"ids": ["00" * 32], "again": 0}, "again"),
        ("PUT", "/api/batches/b1/analyze", {"min_cluster_size": "5"}, "min_cluster_size"),
    ],
)
def test_what_looks_like_a_value_is_none(api, library, method, address, body, field):
    answer = api.request(method, address, json=body)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:pixsortd:problem:invalid-request")
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert library.curation.said == []
