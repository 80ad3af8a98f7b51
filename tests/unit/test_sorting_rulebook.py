"""Rules tried on photos that are there, and written into the settings file or refused with the text to paste."""

import errno
import os
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pixsortd.config import Loaded, RootSettings, Settings, SortRule, load, plain
from pixsortd.daemon.jobs import Jobs
from pixsortd.daemon.sorting import rulesfile
from pixsortd.daemon.sorting.rulebook import RuleBook
from pixsortd.daemon.sorting.trial import EXAMPLES, Trial, shown
from pixsortd.errors import RulesNotWritten, RulesRefused
from pixsortd.records import Action, FileStamp, JobState, Place, Role, Subject
from pixsortd.sorting.rules import Choice, Read, checked, digest_of
from tests.unit.sorting_library import Library

STAMP = FileStamp(size=1, mtime_ns=1, ctime_ns=1, inode=1, device=1)


def rule(name: str, to: str = "/x/", **values: Any) -> SortRule:
    return SortRule(name=name, to=to, **values)


def subject(path: str = "a/b.jpg") -> Subject:
    return Subject(place=Place(base=b"/p", path=os.fsencode(path)), stamp=STAMP, image=os.fsencode(path))


def choice(name: str, to: str | None, **values: Any) -> Choice:
    place = Place(base=b"/p", path=os.fsencode(to)) if to is not None else None
    given = {key: values.pop(key) for key in ("auto", "action") if key in values}
    made = rule(name, **given)
    return Choice(rule=made, digest=digest_of(made), destination=place, **values)


# --- trials ------------------------------------------------------------------------------------------------------


def test_a_trial_counts_what_rules_take_and_where_it_would_go() -> None:
    trial = Trial()
    trial.add(subject("a/1.jpg"), [choice("r", "a/1.jpg")])
    trial.add(subject("a/2.jpg"), [choice("r", "b/2.jpg")])
    trial.add(subject("a/3.jpg"), [choice("copy", "b/3.jpg"), choice("r", "a/3.jpg")])
    trial.add(subject("a/4.jpg"), [choice("left", None, action=Action.LEAVE)])
    trial.add(subject("a/5.jpg"), [choice("r", None, missing="it is in no group")])
    trial.add(subject("a/6.jpg"), [])
    tried = trial.tried()
    assert (tried.photos, tried.unmatched, tried.agree, tried.differ) == (6, 1, 2, 1)
    assert tried.matched == {"r": 3, "copy": 1, "left": 1}
    assert list(tried.directories.items()) == [("/p/b", 2), ("/p/a", 1)]
    (one,) = tried.examples
    assert (one.image, one.rule, one.now, one.would) == (b"a/2.jpg", "r", b"/p/a/2.jpg", b"/p/b/2.jpg")


def test_another_name_in_the_same_directory_agrees_and_examples_are_bounded() -> None:
    trial = Trial()
    trial.add(subject("1.jpg"), [choice("r", "2.jpg")])
    for number in range(EXAMPLES + 5):
        trial.add(subject("a/1.jpg"), [choice("r", f"{number}/1.jpg")])
    tried = trial.tried()
    assert (tried.agree, tried.differ) == (1, EXAMPLES + 5)
    assert (len(tried.examples), len(tried.directories)) == (EXAMPLES, EXAMPLES)


@pytest.mark.parametrize(
    ("choices", "waits"),
    [
        ([], "no rule takes it"),
        ([choice("r", None, missing="it is in no group")], "it is in no group"),
        ([choice("r", None, action=Action.LEAVE)], "the rule leaves it where it is"),
        ([choice("r", "b", confidence=0.5, auto=True)], "0.50 sure of its facts, and the rule asks for 0.8"),
        ([choice("r", "b")], "the rule waits for a yes"),
        ([choice("r", "b", auto=True)], ""),
    ],
)
def test_a_preview_says_why_nothing_would_happen(choices: Sequence[Choice], waits: str) -> None:
    assert shown(subject(), choices, "no rule takes it").waits == waits


# --- the settings file -------------------------------------------------------------------------------------------

FILE = """# mine
[[sort.rules]]
name = "one"     # the first
to = "/x/"

[watch]
quiet = "3s"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings" / "pixsortd.toml"
    path.parent.mkdir()
    path.write_text(FILE)
    path.chmod(0o640)
    return path


def test_rules_are_written_with_comments_mode_and_one_copy_kept(file: Path) -> None:
    loaded = load(file)
    assert rulesfile.can_be_written(loaded)
    rulesfile.write(loaded, [rule("one", "/y/", auto=True), rule("two", when={"taken": "last 30d", "rating": 5})])
    text = file.read_text()
    assert text.startswith('# mine\n[[sort.rules]]\nname = "one"     # the first\nto = "/y/"\nauto = true\n')
    assert text.endswith('[watch]\nquiet = "3s"\n')
    assert [one.name for one in loaded.again().settings.sort.rules] == ["one", "two"]
    before = file.with_name("pixsortd.toml.before-edit")
    assert before.read_text() == FILE
    assert {stat.S_IMODE(one.stat().st_mode) for one in (file, before)} == {0o640}
    rulesfile.write(loaded.again(), [])
    assert before.read_text() == text
    assert sorted(one.name for one in file.parent.iterdir()) == [file.name, before.name]


def test_a_link_to_the_settings_file_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    rulesfile.write(load(link), [])
    assert link.is_symlink()
    assert "sort.rules" not in file.read_text()


def refused(loaded: Loaded, *rules: SortRule) -> RulesNotWritten:
    with pytest.raises(RulesNotWritten) as caught:
        rulesfile.write(loaded, rules)
    assert caught.value.next_step
    return caught.value


def test_without_a_file_the_text_is_there_to_paste() -> None:
    loaded = Loaded(Settings(), {}, None)
    assert not rulesfile.can_be_written(loaded)
    assert refused(loaded, rule("new")).toml == '[[sort.rules]]\nname = "new"\nto = "/x/"\n'


def test_rules_that_somebody_has_edited_meanwhile_are_not_overwritten(file: Path) -> None:
    loaded = load(file)
    edited = FILE.replace("/x/", "/z/")
    file.write_text(edited)
    assert "others" in refused(loaded, rule("new")).message
    file.write_text("[sort\n")
    assert "not right" in refused(loaded, rule("new")).message
    file.write_text(FILE + "# only words\n")
    rulesfile.write(loaded, [rule("new")])
    assert file.read_text().endswith("# only words\n")


def test_rules_of_the_environment_are_not_those_of_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXSORTD_SORT__RULES", '[{ name = "env", to = "/x/" }]')
    loaded = load(file)
    assert not rulesfile.can_be_written(loaded)
    assert "environment" in refused(loaded).message
    assert file.read_text() == FILE


def test_rules_written_in_another_way_are_not_changed(file: Path) -> None:
    text = 'sort.rules = [{ name = "one", to = "/x/" }]\n'
    file.write_text(text)
    assert "tables" in refused(load(file), rule("new")).message
    assert file.read_text() == text


CALLS = ("open", "fsync", "replace", "fchmod", "fchown", "write")


@pytest.mark.parametrize("crash", [False, True])
def test_at_any_call_that_fails_the_file_is_whole(file: Path, monkeypatch: pytest.MonkeyPatch, crash: bool) -> None:
    class Crash(BaseException):
        pass

    new, failing = rule("new"), 0
    while True:
        file.write_text(FILE)
        loaded, left = load(file), failing

        def counted(call: Any) -> Any:
            def made(*given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    raise Crash if crash else OSError(errno.EROFS, "read-only file system")
                return call(*given, **named)

            return made

        with monkeypatch.context() as patched:
            for call in CALLS:
                patched.setattr(os, call, counted(getattr(os, call)))
            try:
                rulesfile.write(loaded, [new])
            except (RulesNotWritten, Crash):
                pass
            else:
                break
        names = [one.name for one in loaded.again().settings.sort.rules]
        assert file.read_text() == FILE or names == ["new"]
        assert {one.name for one in file.parent.iterdir()} <= {file.name, "pixsortd.toml.before-edit"}
        failing += 1
    assert failing >= 8


# --- the book ----------------------------------------------------------------------------------------------------


class Stage(Library):
    """A library with a settings file and the book of its rules."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.file = home / "pixsortd.toml"
        self.file.write_text("# mine\n")
        self.loaded = load(self.file)
        self.jobs = Jobs(lambda _: None, beat=lambda: None, beat_every=None)
        self.jobs.start()
        self.book = RuleBook(
            lambda: self.loaded, self.check, self.subjects, lambda: [self.ids[Role.INBOX]], self, self.jobs, self.reread
        )

    def check(self, rules: Sequence[SortRule]) -> Read:
        roots = [RootSettings(path=str(path), role=role, writable=True) for role, path in self.roots.items()]
        return checked(rules, roots, self.file.parent / "state")

    def reread(self) -> None:
        self.loaded = self.loaded.again()

    def approved(self) -> frozenset[str]:
        return frozenset(digest_of(one) for one in self.loaded.settings.sort.rules[:1])

    def waiting(self) -> Mapping[str, int]:
        return {"b": 3}

    def to(self, template: str) -> str:
        return f"{self.roots[Role.LIBRARY]}/{template}"

    def ended(self, job: str) -> Any:
        end = time.monotonic() + 30
        while not (found := self.jobs.get(job)).ended and time.monotonic() < end:
            time.sleep(0.01)
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.jobs.stop(5)
    made.store.close()


def test_rules_are_shown_with_how_they_stand(stage: Stage) -> None:
    assert stage.book.rules().items == ()
    rules = [rule("a", stage.to("{format}/")), rule("b", stage.to("rest/"), auto=True)]
    rules[0] = SortRule(**{**plain(rules[0]), "when": {"ext": "png"}, "action": Action.COPY})
    report = stage.book.write_rules(rules)
    assert [one.rule for one in report.items] == rules
    assert [(one.approved, one.photos) for one in report.items] == [(True, 0), (False, 3)]
    assert (report.file, report.writable) == (str(stage.file), True)
    assert {"taken", "group", "quality"} <= {one.name for one in report.fields}
    assert {"safe", "slug"} <= {one.name for one in report.filters}
    assert stage.file.read_text().startswith("# mine\n")


def test_wrong_rules_are_refused_and_nothing_is_written(stage: Stage) -> None:
    with pytest.raises(RulesRefused) as caught:
        stage.book.write_rules([rule("a", "/elsewhere/"), rule("b", stage.to(""), when={"fomat": "PNG"})])
    assert [(one.index, one.key) for one in caught.value.problems] == [(0, "to"), (1, "when.fomat")]
    assert stage.file.read_text() == "# mine\n"
    with pytest.raises(RulesRefused):
        stage.book.replay([rule("a", "/elsewhere/")], None)


def test_a_preview_is_of_the_inbox_first_and_of_rules_as_far_as_they_are_right(stage: Stage) -> None:
    stage.put(Role.INBOX, "a.jpg")
    for number in range(3):
        stage.put(Role.LIBRARY, f"{number}.jpg", taken=float(number))
    found = stage.book.preview([rule("bad", "/elsewhere/"), rule("good", stage.to("{format}/"))], 3)
    assert [(one.rule, one.key) for one in found.problems] == [("bad", "to")]
    base = os.fsencode(stage.roots[Role.LIBRARY])
    assert [one.to for one in found.items] == [base + b"/JPEG/" + name for name in (b"a.jpg", b"2.jpg", b"1.jpg")]
    assert {one.rule for one in found.items} == {"good"}


def test_a_replay_tells_how_often_the_rules_disagree(stage: Stage) -> None:
    for number in range(4):
        stage.put(Role.LIBRARY, f"{number % 2}/{number}.jpg", taken=float(number))
    stage.put(Role.LIBRARY, "x.png", taken=4.0)
    stage.put(Role.INBOX, "new.jpg", taken=5.0)
    assert stage.book.replayed().tried is None
    rules = [rule("r", stage.to("1/"), when={"ext": "jpg"})]
    job = stage.ended(stage.book.replay(rules, None).id)
    assert (job.state, job.result) == (JobState.COMPLETE, {"photos": 5, "matched": 4, "differ": 2})
    found = stage.book.replayed()
    assert found.tried is not None
    assert (found.tried.agree, found.tried.differ, found.tried.unmatched) == (2, 2, 1)
    assert (found.rules, found.since, found.job) == (("r",), None, None)
    job = stage.ended(stage.book.replay(None, 3.0).id)
    assert job.result == {"photos": 2, "matched": 0, "differ": 0}
    assert stage.book.replayed().since == 3.0
