"""Rules of sorting: what they ask, where they would have a file go, and what is wrong with them. Nothing is touched."""

from pixsortd.sorting.rules.checking import Read, checked, compiled, sentence
from pixsortd.sorting.rules.deciding import Choice, Rules, digest_of
from pixsortd.sorting.rules.describing import FieldWords, FilterWords, field_words, filter_words

__all__ = [
    "Choice",
    "FieldWords",
    "FilterWords",
    "Read",
    "Rules",
    "checked",
    "compiled",
    "digest_of",
    "field_words",
    "filter_words",
    "sentence",
]
