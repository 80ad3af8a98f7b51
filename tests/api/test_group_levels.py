"""Coarser and finer views over HTTP."""

import pytest

from pixsortd.records import LevelName


def test_levels_have_their_figures_and_the_slider(api):
    found = api.get("/api/groups/levels").json()
    assert [one["name"] for one in found["items"]] == ["near-duplicate", "burst", "scene", "theme"]
    assert [one["cut"] for one in found["items"]] == [None, None, None, 0.5]
    assert found["slider"] == {"least": 0.0, "most": 1.0, "default": 0.5}
    assert (found["space"], found["made"], found["items"][0]["grouped"]) == ("clip", 5.0, 3)


def test_before_a_tree_is_kept_there_is_nothing_to_choose(api, library):
    library.levels.kept = False
    assert api.get("/api/groups/levels").json()["items"] == []
    answer = api.get("/api/groups/cuts?level=burst")
    assert (answer.status_code, answer.json()["next_step"]) == (409, "Form the groups anew.")
    assert api.get("/api/groups/cuts").status_code == 200


@pytest.mark.parametrize(
    ("query", "cut"),
    [
        ("", LevelName.THEME),
        ("level=burst", LevelName.BURST),
        ("at=0.25", 0.25),
        ("at=0", 0.0),
        ("level=theme", "theme"),
    ],
)
def test_a_cut_is_a_level_or_a_place_on_the_slider(api, library, query, cut):
    page = api.get(f"/api/groups/cuts?{query}&limit=7").json()
    assert library.levels.asked == [(cut, None, 7)]
    assert (page["groups"], page["grouped"], page["ungrouped"], page["total"]) == (1, 3, 0, 1)
    about = {"id": "v1", "size": 3, "group": "g1", "group_name": "Beach"}
    assert page["items"][0] == {"exemplars": [next(iter(library.entries)).hex()], **about}
    shown = (page["at"], page["level"])
    assert shown == ((None if cut == "burst" else 0.5, cut) if isinstance(cut, str) else (cut, None))


@pytest.mark.parametrize(
    "query", ["at=1.01", "at=-0.1", "at=nan", "at=inf", "at=x", "level=other", "at=0.5&level=burst", "cursor=mine"]
)
def test_a_mistaken_cut_is_refused(api, query):
    assert api.get(f"/api/groups/cuts?{query}").status_code == 422


def test_photos_of_a_views_group(api, library):
    page = api.get("/api/groups/cuts/v1/images?level=scene&limit=2").json()
    assert ([one["id"] for one in page["items"]], page["total"]) == ([one.hex() for one in library.entries][:2], 3)
    assert library.levels.asked == [(LevelName.SCENE, None, 2)]
    for other in ("v2", "v1%20", "v" * 200):
        assert api.get(f"/api/groups/cuts/{other}/images?level=scene").status_code == 404
