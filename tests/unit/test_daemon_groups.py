"""What becomes of names while a clustering runs."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pixsortd.config import Settings
from pixsortd.daemon import groups
from pixsortd.daemon.groups import Grouper
from pixsortd.daemon.pipeline.holds import Holds
from pixsortd.decisions import Decisions
from pixsortd.grouping.request import Reply
from pixsortd.records import Group, Membership
from tests.unit.index_material import SPACE, content, index, opened


@pytest.fixture
def grouper(tmp_path: Path):
    """Three photos in one group ``g1``, and a searcher that only knows the space."""
    with opened(tmp_path / "index") as store:
        index(store, b"1", b"2", b"3")
        members = {content(name): Membership(group="g1", strength=1.0, how="clustered") for name in (b"1", b"2", b"3")}
        store.replace_groups([Group(id="g1", size=3)], members)
        decisions = Decisions.open(tmp_path / "decisions")
        searcher = SimpleNamespace(active=lambda: SPACE)
        yield Grouper(
            Settings,
            store,
            searcher,
            decisions,
            SimpleNamespace(),
            tmp_path / "scratch",
            lambda: None,
            lambda: None,
            Holds(store),
        )
        decisions.close()


def progress(*_: object) -> None:
    """A job nobody watches."""


progress.cancelled = lambda: False


def test_a_group_named_while_a_clustering_dissolves_it_stays(grouper, monkeypatch):
    def dissolves(*_: object) -> Reply:
        grouper.rename("g1", "Beach 2019")
        return Reply(groups=(), ended=("g1",))

    monkeypatch.setattr(groups, "clustered", dissolves)
    grouper._recluster(progress)
    assert grouper.get("g1").name == "Beach 2019"
    assert grouper.get("g1").size == 3


def test_a_name_taken_back_while_a_clustering_runs_does_not_fail_it(grouper, monkeypatch):
    grouper.rename("g1", "Beach 2019")

    def rests(*_: object) -> Reply:
        grouper.rename("g1", None)
        return Reply(groups=(), dormant=("g1",))

    monkeypatch.setattr(groups, "clustered", rests)
    assert grouper._recluster(progress)["groups"] == 0
    assert grouper._store.groups() == []
