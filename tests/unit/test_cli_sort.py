"""Sorting from the command line, against the real API over a library in memory."""

from pathlib import Path

import pytest

from pixsortd.cli.sort import tree
from pixsortd.config import SortRule
from tests.api.fake_library import FakeLibrary
from tests.api.fake_sorting import FakeSorting
from tests.unit.test_cli_commands import Ask, ask, home, library, lines

__all__ = ["ask", "home", "library"]


@pytest.fixture(autouse=True)
def sorting(library: FakeLibrary) -> FakeSorting:
    """As at the start: three photos, and a rule that would move them all."""
    library.sorting = FakeSorting(library.entries, library.work)
    return library.sorting


def waiting(ask: Ask) -> dict:
    (plan,) = lines(ask("sort", "plan", "--json"))
    return plan


# --- looking ---------------------------------------------------------------------------------


def test_a_plan_is_shown_as_a_tree(ask: Ask, library: FakeLibrary) -> None:
    shown = ask("sort", "plan")
    first, *rows = shown.stdout.splitlines()
    assert first == f"{library.folder}/Sorted"
    assert rows[0] == f"├── + a.jpg  from {library.folder}/a.jpg  [All]"
    assert "bad\\\\xff\\n.jpg" in rows[1] or "bad\\xff\\n.jpg" in rows[1]
    assert "3 photos wait: the first plan of an inbox waits for you" in shown.stderr
    assert "the first plan" not in shown.stdout
    assert "waits: 3 photos to sort" in shown.stderr
    assert "every photo" not in shown.stdout
    assert "every photo" in ask("sort", "plan", "--why").stdout


def test_a_plan_of_several_pages_is_one_object(ask: Ask, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    from pixsortd.cli import client

    plan = waiting(ask)
    ask("sort", "refuse", plan["id"], "--photo", library.folder / "a.jpg")
    monkeypatch.setattr(client, "PAGE", 1)
    whole = waiting(ask)
    assert (len(whole["items"]), len(whole["unmoved"]), whole["next_cursor"]) == (2, 1, None)
    shown = ask("sort", "plan", whole["id"], "--why")
    assert "= " in shown.stdout
    assert "1 photo stays: you said leave it" in shown.stderr


def test_one_inbox(ask: Ask, library: FakeLibrary) -> None:
    assert len(lines(ask("sort", "plan", "--inbox", library.folder, "--json"))) == 1
    assert "no root nowhere" in ask("sort", "plan", "--inbox", "nowhere", code=6).stderr
    assert "Usage" in ask("sort", "plan", "p0", "--inbox", "r1", code=2).stderr


# --- doing -----------------------------------------------------------------------------------


def test_applying_what_waits_asks_first(ask: Ask, sorting: FakeSorting) -> None:
    asked = ask("sort", "apply", code=1, input="n\n")
    assert "Sort 3 photos?" in asked.stderr
    assert "Sorted" in asked.stdout
    assert sorting.past == {}
    told = ask("sort", "apply", "--yes").stderr
    assert "3 done" in told
    assert "`pixsortd sort undo p0` takes it back" in told
    assert "Nothing waits" in ask("sort", "apply").stderr


def test_applying_a_plan_by_its_id_and_some_of_it(ask: Ask, library: FakeLibrary) -> None:
    plan = waiting(ask)
    (record,) = lines(ask("sort", "apply", plan["id"], "--photo", library.folder / "a.jpg", "--json"))
    assert (record["state"], record["steps"], record["done"]) == ("applied", 1, 1)
    refused = ask("sort", "apply", plan["id"], code=10).stderr
    assert "plan has changed" in refused
    plan = waiting(ask)
    (started,) = lines(ask("sort", "apply", plan["id"], "--step", plan["items"][0]["id"], "--no-wait", "--json"))
    assert started["job"].startswith("sort")
    assert "is under way" in ask("sort", "apply", "--yes", "--no-wait").stderr


def test_steps_that_could_not_be_done_fail(ask: Ask, sorting: FakeSorting, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(plan: str, steps: list[str] | None) -> object:
        started = type(sorting).apply(sorting, plan, steps)
        return sorting.refuse_done(started, "it was changed since")

    monkeypatch.setattr(sorting, "apply", refused)
    told = ask("sort", "apply", "--yes", code=1).stderr
    assert "a.jpg: it was changed since" in told
    assert "3 of 3 photos could not be sorted" in told
    assert "takes it back" not in told


def test_undoing_and_undoing_that(ask: Ask, library: FakeLibrary) -> None:
    ask("sort", "apply", "--yes")
    assert "3 done" in ask("sort", "undo", "p0").stderr
    assert "Nothing of that plan is left" in ask("sort", "undo", "p0", code=1).stderr
    (again,) = lines(ask("sort", "undo", "p1", "--photo", library.folder / "a.jpg", "--json"))
    assert (again["undoes"], again["steps"]) == ("p1", 1)
    shown = ask("sort", "log").stdout.splitlines()
    assert [row.split()[0] for row in shown[1:]] == ["p2", "p1", "p0"]
    assert "takes back p1" in shown[1]
    assert [one["id"] for one in lines(ask("sort", "log", "--limit", 1, "--json"))] == ["p2"]
    assert "+ a.jpg" in ask("sort", "log", "p2").stdout


def test_refusing(ask: Ask, sorting: FakeSorting, library: FakeLibrary) -> None:
    plan = waiting(ask)
    told = ask("sort", "refuse", plan["id"], "--photo", library.folder / "a.jpg").stderr
    assert "1 photo refused" in told
    assert "2 photos" in told
    assert len(sorting.refused) == 1
    assert "has changed" in ask("sort", "refuse", plan["id"], "--step", plan["items"][1]["id"], code=10).stderr
    ask("sort", "refuse", waiting(ask)["id"], "--all")
    assert len(sorting.refused) == 3
    assert "Give steps" in ask("sort", "refuse", plan["id"], code=2).stderr
    (now,) = lines(ask("sort", "plan", "--json"))
    assert (now["steps"], now["left"]) == (0, 3)
    assert "no step" in ask("sort", "refuse", now["id"], "--all", code=2).stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("plan", "nothing"), 6, "no plan with that id"),
        (("undo", "nothing"), 6, "no plan with that id"),
        (("log", "nothing"), 6, "no plan with that id"),
        (("undo",), 2, "Missing argument"),
        (("replay", "--last", "--since", "2024"), 2, "either --since or --last"),
        (("replay", "--since", "yesterday"), 2, "no date"),
    ],
)
def test_mistakes_are_told(ask: Ask, words: tuple[str, ...], code: int, told: str) -> None:
    assert told in ask("sort", *words, code=code).stderr


# --- rules -----------------------------------------------------------------------------------


def test_rules_and_what_they_are_made_of(ask: Ask, sorting: FakeSorting) -> None:
    sorting.written.append(SortRule(name="Canon", when={"camera": ["Canon*", "Leica*"]}, to="/c/", auto=True))
    head, first, second = ask("sort", "rules").stdout.splitlines()
    assert head.split() == ["rule", "when", "action", "to", "how", "waiting"]
    assert first.split() == ["All", "every", "photo", "move", "Sorted/", "asks", "3"]
    assert "camera Canon* or Leica*" in second
    assert "asks once" in second
    assert [one["name"] for one in lines(ask("sort", "rules", "show", "--json"))] == ["All", "Canon"]


def test_what_rules_are_made_of_needs_no_daemon(ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    fields = ask("sort", "rules", "fields").stdout
    assert "camera" in fields
    assert "truncate" in fields
    told = lines(ask("sort", "rules", "fields", "--json"))
    assert {one["kind"] for one in told} == {"field", "filter"}
    assert all(one["words"] and one["examples"] for one in told)


def test_checking_the_rules_of_a_file(ask: Ask, tmp_path: Path) -> None:
    file, sorted_to = tmp_path / "p.toml", tmp_path / "sorted"
    inbox = tmp_path / "inbox"
    for one in (inbox, sorted_to):
        one.mkdir()
    roots = f'[[roots]]\npath = "{inbox}"\nrole = "inbox"\n[[roots]]\npath = "{sorted_to}"\nwritable = true\n'
    rule = f'[[sort.rules]]\nname = "A"\nwhen = {{ camera = "Canon*" }}\nto = "{sorted_to}/{{taken:%Y}}/"\n'
    file.write_text(roots + rule)
    assert "1 rule, correct" in ask("sort", "rules", "check", "--config", file).stderr
    file.write_text(roots + rule.replace("camera", "camrea"))
    told = ask("sort", "rules", "check", "--config", file, code=2).stderr
    assert "camera" in told
    assert f"{file}:9" in told


def test_trying_the_rules(ask: Ask, sorting: FakeSorting) -> None:
    assert "No rules were tried" in ask("sort", "replay", "--last").stderr
    shown = ask("sort", "replay", "--since", "2024-01-01")
    assert sorting.asked == [("replay", None, 1_704_067_200.0)]
    assert "3 taken by rules, of which 2 (67%) lie there already and 1 lie elsewhere" in shown.stderr
    assert "→ /photos/Sorted/a" in shown.stdout
    assert lines(ask("sort", "replay", "--last", "--json"))[0]["agree"] == 2


# --- the tree --------------------------------------------------------------------------------


def step(**more: object) -> dict:
    plain = {
        "rule": "R",
        "action": "move",
        "files": [],
        "displaced": [],
        "returned": [],
        "back": False,
        "why": ["camera is Canon"],
        "conflict": "",
        "waits": "",
        "state": "waiting",
        "reason": "",
    }
    return plain | more


def way(source: str, to: str, *, discarded: bool = False) -> dict:
    return {"from": source, "to": to, "discarded": discarded}


def test_directories_that_are_alone_in_theirs_are_one_line() -> None:
    steps = [
        step(files=[way("/in/a.jpg", "/out/2023/11/a.jpg"), way("/in/a.xmp", "/out/2023/11/a.xmp")]),
        step(files=[way("/in/b.jpg", "/out/2024/b.jpg")], action="copy"),
    ]
    assert list(tree.lines(steps)) == [
        "/out",
        "├── 2023/11",
        "│   ├── + a.jpg  from /in/a.jpg  [R]",
        "│   └── + a.xmp  from /in/a.xmp",
        "└── 2024",
        "    └── + b.jpg  copy of /in/b.jpg  [R]",
    ]


def test_what_goes_comes_back_and_is_taken_back() -> None:
    steps = [
        step(files=[way("/in/a.jpg", "/out/a.jpg")], displaced=[way("/out/a.jpg", "/t/x")], conflict="it is newer"),
        step(files=[way("/out/c.jpg", "/in/c.jpg")], action="copy", back=True, rule=""),
        step(files=[way("/in/e.jpg", "/.t/e", discarded=True)], conflict="the very same photo is there"),
        step(files=[way("/out/d.jpg", "/in/d.jpg")], returned=[way("/t/y", "/out/d.jpg")], rule=""),
    ]
    assert list(tree.lines(steps)) == [
        "/in",
        "├── + d.jpg  from /out/d.jpg",
        "└── - e.jpg  goes to the trash  [R]",
        "      the very same photo is there",
        "/out",
        "├── + a.jpg  from /in/a.jpg  [R]",
        "│     it is newer",
        "├── - a.jpg  goes to the trash and makes room",
        "├── - c.jpg  is removed; /in/c.jpg stays",
        "└── + d.jpg  comes back from the trash",
    ]


def test_reasons_and_what_became_of_a_step() -> None:
    refused = step(files=[way("/in/a", "/out/a")], state="refused", reason="it was changed", conflict="numbered")
    waits = step(files=[way("/in/b", "/out/b")], waits="the rule is new")
    done = step(files=[way("/in/c", "/out/c")], state="done", waits="the rule is new")
    shown = list(tree.lines([refused, waits, done], why=True))
    assert [one.strip(" │└├─") for one in shown] == [
        "/out",
        "+ a  from /in/a  [R]",
        "camera is Canon",
        "numbered",
        "refused: it was changed",
        "+ b  from /in/b  [R]",
        "camera is Canon",
        "the rule is new",
        "+ c  from /in/c  [R]",
        "camera is Canon",
    ]


def test_names_cannot_draw_on_the_terminal() -> None:
    shown = list(tree.lines([step(files=[way("/in/a", "/out/\x1b[2J\n/a\u202e.jpg")])]))
    assert all(one.isprintable() for one in shown)
