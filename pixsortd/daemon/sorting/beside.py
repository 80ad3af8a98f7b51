"""What lies beside the photos of a directory and goes wherever they go, looked up on disk."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping

from pixsortd.records import Companion, FileStamp, Place
from pixsortd.sorting import names
from pixsortd.sorting.disk import Directories, look


def companions(
    base: bytes, directory: bytes, leaving: Collection[bytes], photos: Collection[bytes]
) -> dict[bytes, tuple[Companion, ...]]:
    """The companions of each photo of ``leaving`` (names in one directory) that is still there.

    What belongs to two of them goes with the first by name, and what belongs to a photo that is not
    among them stays. ``photos`` are the extensions of photos, lower-case with dot. Raises ``OSError``.
    """
    with Directories() as directories:
        listing = os.listdir(directories.at(base, directory))
        present = frozenset(map(os.fsencode, listing))
        found = {}
        for name, beside in _assigned(present, frozenset(leaving), photos).items():
            places = (Place(base=base, path=directory + b"/" + one if directory else one) for one in beside)
            seen = ((place, look(directories, place)) for place in places)
            found[name] = tuple(
                Companion(place=place, stamp=FileStamp.of(one))
                for place, one in seen
                if one is not None and stat.S_ISREG(one.st_mode)
            )
        return found


def _assigned(
    present: Collection[bytes], leaving: Collection[bytes], photos: Collection[bytes]
) -> Mapping[bytes, list[bytes]]:
    families, claimed = names.families(present), set[bytes]()
    return {
        name: list(_claim(name, families[names.family(name)], leaving, photos, claimed))
        for name in sorted(leaving)
        if name in present
    }


def _claim(
    name: bytes, beside: Collection[bytes], leaving: Collection[bytes], photos: Collection[bytes], claimed: set[bytes]
) -> Iterator[bytes]:
    free = [one for one in beside if one not in claimed]
    staying = [one for one in beside if one not in leaving]
    for one in names.companions(name, free, staying, photos):
        claimed.add(one)
        yield one
