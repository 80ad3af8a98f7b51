"""A made user who knows the labels of photos and puts right what a clustering got wrong, one photo at a time."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pixsortd.grouping.lessons import spread
from pixsortd.records import Edit, Held, PlacePhotos
from tests.bench._mixtures import LONERS

BESIDE = 12
"""Members of each group that the daemon keeps beside an edit."""


class Library:
    """Photos in groups, and what the user thinks of them."""

    def __init__(self, contents: Sequence[bytes], found: Sequence[int], labels: Mapping[bytes, str]) -> None:
        """``found`` is the cluster of each photo, -1 for none; ``labels`` what the user wants together."""
        self.groups: dict[str, list[bytes]] = {}
        for photo, cluster in zip(contents, found, strict=True):
            if cluster >= 0:
                self.groups.setdefault(f"c{cluster}", []).append(photo)
        self.place = {photo: group for group, photos in self.groups.items() for photo in photos}
        self._contents, self._labels = list(contents), labels
        self._homes: dict[str, str] = {}
        for group in sorted(self.groups, key=lambda group: (len(self.groups[group]), group)):
            label, _ = Counter(labels[photo] for photo in self.groups[group]).most_common(1)[0]
            if label != LONERS:
                self._homes[label] = group  # the largest group that is mostly of this label, for it comes last

    def corrections(self, seed: int) -> Iterator[PlacePhotos]:
        """One edit after the other until all is right; the wrong photos come by chance."""
        order = np.random.default_rng(seed).permutation(len(self._contents))
        for photo in (self._contents[place] for place in order):
            home = self._home(photo)
            if self.place.get(photo) != home:
                yield self._put(photo, home)

    def _home(self, photo: bytes) -> str | None:
        label = self._labels[photo]
        return None if label == LONERS else self._homes.setdefault(label, f"own-{label}")

    def _put(self, photo: bytes, home: str | None) -> PlacePhotos:
        left = self.place.pop(photo, None)
        if left is not None:
            self.groups[left].remove(photo)
        spoken = [group for group in dict.fromkeys((home, left)) if group is not None and self.groups.get(group)]
        edit = PlacePhotos(
            edit="e" + hashlib.blake2b(photo, digest_size=6).hexdigest(),
            photos=(photo,),
            group=home,
            before=(Held(group=left, photos=(photo,)),),
            beside=tuple(Held(group=group, photos=tuple(spread(self.groups[group], BESIDE))) for group in spoken),
        )
        if home is not None:
            self.groups.setdefault(home, []).append(photo)
            self.place[photo] = home
        return edit


def shuffled(edits: Sequence[Edit], contents: Sequence[bytes], seed: int) -> list[Edit]:
    """The same edits, but about other photos by chance: nothing can be learned from them."""
    others = np.random.default_rng(seed).permutation(len(contents))
    stands = {photo: contents[other] for photo, other in zip(contents, others, strict=True)}
    return [_renamed(edit, stands) for edit in edits if isinstance(edit, PlacePhotos)]


def _renamed(edit: PlacePhotos, stands: Mapping[bytes, bytes]) -> PlacePhotos:
    return PlacePhotos(
        edit=edit.edit,
        photos=tuple(stands[photo] for photo in edit.photos),
        group=edit.group,
        before=tuple(Held(group=held.group, photos=tuple(stands[p] for p in held.photos)) for held in edit.before),
        beside=tuple(
            # Each member by chance anew: one stand-in for each photo would only rename the classes.
            Held(group=held.group, photos=tuple(_other(p, edit.edit, list(stands)) for p in held.photos))
            for held in edit.beside
        ),
    )


def _other(photo: bytes, salt: str, among: Sequence[bytes]) -> bytes:
    drawn = hashlib.blake2b(photo + salt.encode(), digest_size=8).digest()
    return among[int.from_bytes(drawn) % len(among)]
