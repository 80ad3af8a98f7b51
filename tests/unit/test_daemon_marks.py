"""Stars, colour labels and captions: what is recorded, what is refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pixsortd.api.ports import ImageQuery, MarkChange
from pixsortd.daemon.photos.marks import LONGEST_CAPTION, Marks
from pixsortd.daemon.photos.views import PhotoViews, index_query
from pixsortd.decisions import Decisions, Projections
from pixsortd.errors import InvalidRequest, NotFound
from pixsortd.records import ChangeBatch, ColourLabel, CreateBatch, DeleteBatch, LabelPhoto, RatePhoto
from tests.unit.index_material import content, index, opened

ONE, TWO, THREE = (content(name) for name in (b"1", b"2", b"3"))


@pytest.fixture
def marks(tmp_path: Path):
    """Marks over three photos; what was told is in ``told``, what is known in ``decisions``."""
    with opened(tmp_path / "index") as store:
        index(store, b"1", b"2", b"3")
        decisions = Decisions.open(tmp_path / "decisions")
        roots = SimpleNamespace(away=frozenset, path_of=lambda _: b"/photos")
        views = PhotoViews(store, roots, SimpleNamespace(), decisions)
        told: list[object] = []
        made = Marks(store, decisions, views, told.append)
        made.told, made.decisions, made.store = told, decisions, store
        yield made
        decisions.close()


def test_marks_are_kept_shown_told_and_written_into_the_passport(marks):
    entries = marks.mark([ONE, TWO, ONE], MarkChange(stars=4, label=ColourLabel.RED, caption=" First\nday "))
    assert [entry.sha256 for entry in entries] == [ONE, TWO]
    assert [(one.rating, one.label, one.caption) for one in entries] == [(4, ColourLabel.RED, "First\nday")] * 2
    assert marks.told == [{"changed": [ONE.hex(), TWO.hex()]}]
    steps = [step for step in marks.store.history(ONE) if step.what in ("rated", "labelled", "captioned")]
    assert [(step.what, step.detail) for step in steps] == [
        ("rated", "4 stars"),
        ("labelled", "red"),
        ("captioned", "caption written"),
    ]
    assert ONE in marks.decisions.captions()
    assert THREE not in marks.decisions.ratings()


def test_what_is_left_out_stays_and_none_takes_back(marks):
    marks.mark([ONE], MarkChange(stars=4, label=ColourLabel.RED, caption="x"))
    [entry] = marks.mark([ONE], MarkChange(stars=None))
    assert (entry.rating, entry.label, entry.caption) == (None, ColourLabel.RED, "x")
    [entry] = marks.mark([ONE], MarkChange(label=None, caption="  "))
    assert (entry.rating, entry.label, entry.caption) == (None, None, None)


def test_one_unknown_photo_leaves_all_as_they_were(marks):
    with pytest.raises(NotFound):
        marks.mark([ONE, b"?" * 32], MarkChange(stars=1))
    assert not marks.decisions.ratings()


@pytest.mark.parametrize(
    "change",
    [
        MarkChange(stars=6),
        MarkChange(stars=-1),
        MarkChange(stars=3, caption="x" * (LONGEST_CAPTION + 1)),
        MarkChange(stars=3, caption="a\0b"),
        MarkChange(stars=3, caption="a\tb"),
        MarkChange(stars=3, caption="a\x1b[31mb"),
    ],
)
def test_what_is_no_mark_changes_nothing(marks, change):
    with pytest.raises(InvalidRequest):
        marks.mark([ONE], change)
    assert not marks.decisions.ratings()
    assert not marks.told


@pytest.mark.parametrize("caption", ["x" * LONGEST_CAPTION, "two\nlines", "e\u0301 \u2603 \U0001f600"])
def test_captions_that_are_taken(marks, caption):
    assert marks.mark([ONE], MarkChange(caption=caption))[0].caption == caption


def test_filters_by_what_the_user_decided_are_sets_of_photos():
    said = Projections(
        [
            RatePhoto(sha256=ONE, stars=5),
            RatePhoto(sha256=TWO, stars=3),
            LabelPhoto(sha256=TWO, label=ColourLabel.BLUE),
            CreateBatch(batch="b", name="x", members=(ONE, TWO)),
            ChangeBatch(batch="b", added=(THREE,)),
            CreateBatch(batch="gone", name="x", members=(ONE, TWO)),
            DeleteBatch(batch="gone"),
        ]
    )

    def among(**filters: object) -> object:
        return index_query(ImageQuery(**filters), said).among

    assert among() is None
    assert among(rating=3) == {ONE, TWO}
    assert among(rating=4) == {ONE}
    assert among(label=ColourLabel.BLUE) == {TWO}
    assert among(batch="b") == {ONE, TWO, THREE}
    assert among(batch="b", rating=4) == {ONE}
    assert among(batch="gone") == among(batch="never was") == frozenset()
