"""Range parsing against a slow, obvious model."""

from hypothesis import given
from hypothesis import strategies as st

from pixsortd.api.ranges import Span, Unsatisfiable, matches, parse_range, range_still_wanted

number = st.integers(0, 3000)
spec = st.one_of(
    st.tuples(number, number).map(lambda pair: f"{pair[0]}-{pair[1]}"),
    number.map("{}-".format),
    number.map("-{}".format),
)


def wanted_bytes(header: str, size: int) -> set[int] | None:
    """Every byte that a header asks for; None when it is invalid."""
    found: set[int] = set()
    for part in header.removeprefix("bytes=").split(","):
        first, _, last = part.strip().partition("-")
        if not first:
            found |= set(range(max(0, size - int(last)), size))
        elif last and int(last) < int(first):
            return None
        else:
            found |= set(range(int(first), min(size, int(last) + 1 if last else size)))
    return found


@given(st.lists(spec, min_size=1, max_size=4), st.integers(0, 2000))
def test_a_range_covers_what_was_asked_and_lies_within(specs, size):
    header = "bytes=" + ", ".join(specs)
    wanted, got = wanted_bytes(header, size), parse_range(header, size)
    if isinstance(got, Span):
        assert wanted
        assert 0 <= got.start < got.stop <= size
        assert wanted <= set(range(*got))
        assert min(wanted) == got.start
        assert max(wanted) == got.stop - 1
    elif isinstance(got, Unsatisfiable):
        assert wanted == set()
    elif len(specs) == 1:
        assert wanted is None


@given(st.text(max_size=60), st.integers(0, 2000))
def test_any_text_is_survived(text, size):
    for header in (text, f"bytes={text}"):
        got = parse_range(header, size)
        assert got is None or isinstance(got, Unsatisfiable) or 0 <= got.start < got.stop <= size
    matches(text, '"x"')
    range_still_wanted(text, '"x"')


def test_too_many_parts_are_not_counted():
    assert parse_range("bytes=" + ",".join(["0-0"] * 17), 100) is None
    assert parse_range("bytes=" + "1" * 5000 + "-", 100) is None


def test_etags_in_lists():
    assert matches('"a", W/"b" ,"c"', '"b"')
    assert not matches('"a,b"', '"a"')
    assert not matches(None, '"a"')
