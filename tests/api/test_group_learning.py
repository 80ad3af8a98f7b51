"""The learned likeness over HTTP."""

import pytest

PATH = "/api/groups/learning"


def test_judgement_is_told_with_its_figures(api):
    answer = api.get(PATH)
    assert answer.status_code == 200
    told = answer.json()
    assert told["state"] == "on"
    assert (told["plain"], told["learned"]) == (0.72, 0.8)
    assert (told["edits"], told["pairs"], told["held_out"], told["judged"]) == (40, 500, 120, 31)
    assert told["use"] is None
    assert told["why"]


def test_one_switch(api, library):
    off = api.put(PATH, json={"use": False})
    assert off.status_code == 200
    assert (off.json()["state"], off.json()["use"]) == ("off", False)
    assert library.likeness.said is False
    assert api.put(PATH, json={"use": None}).json()["state"] == "on"


@pytest.mark.parametrize("body", [{}, {"use": "yes"}, {"use": True, "more": 1}, [], None])
def test_other_words_are_refused(api, library, body):
    assert api.put(PATH, json=body).status_code in {400, 422}
    assert library.likeness.said is None
