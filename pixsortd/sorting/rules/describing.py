"""What rules can be made of, for those who write them."""

from pixsortd.records import Record
from pixsortd.sorting.rules.fields import FAMILIES, FIELDS, Field
from pixsortd.sorting.rules.filters import FILTERS


class FieldWords(Record, frozen=True, kw_only=True):
    """A field that a condition can ask for."""

    name: str
    type: str
    examples: tuple[str, ...]
    """Values of a condition as they are written in the file."""
    words: str
    template: bool
    """Whether a template can name it."""


class FilterWords(Record, frozen=True, kw_only=True):
    """A filter of templates."""

    name: str
    examples: tuple[str, ...]
    """As it is written behind a field."""
    words: str


def field_words() -> tuple[FieldWords, ...]:
    """Every field; those of which there is one for each metric once, with ``METRIC`` for its name."""
    return tuple(_field(one) for one in (*FIELDS.values(), *(made("METRIC") for made in FAMILIES.values())))


def filter_words() -> tuple[FilterWords, ...]:
    """Every filter."""
    return tuple(
        FilterWords(name=name, examples=(f"{{group|{one.example}}}",), words=one.words) for name, one in FILTERS.items()
    )


def _field(field: Field) -> FieldWords:
    return FieldWords(
        name=field.name,
        type=field.kind.name,
        examples=field.examples or field.kind.examples,
        words=field.words,
        template=field.written is not None,
    )
