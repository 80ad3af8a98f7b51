"""Directories as a plan so far would leave them: what is there, and what is to come."""

from collections.abc import Collection, Mapping, Sequence
from itertools import count

from pixsortd.errors import PixsortdError
from pixsortd.records import FileStamp, Place
from pixsortd.sorting import names
from pixsortd.sorting.planning.world import Entry, Known, Volume, World


class Stays(Exception):
    """A file cannot go where it was to go; has the words."""


class Search:
    """What the search for free names has come upon so far."""

    def __init__(self) -> None:
        self.number = 1
        """No lower one is free."""
        self.free: list[bytes] = []
        self.entries: dict[bytes, Entry] = {}
        """The files that have one of the tried names, by content."""
        self.unknown: dict[int, Entry] = {}
        """Those whose content will be known only later, by size."""
        self.links: dict[bytes, Entry] = {}
        """Symbolic links, by where they lead."""
        self.claims: dict[bytes, bytes] = {}
        """The names that files of this plan get, by content."""


class Shelf:
    """One directory."""

    def __init__(self, listing: Sequence[Entry]) -> None:
        self.entries: dict[str, list[Entry]] = {}
        """By name as people compare it."""
        for entry in sorted(listing, key=lambda one: one.name):
            self.entries.setdefault(names.folded(entry.name), []).append(entry)
        self.claims: dict[str, bytes] = {}
        """Names that steps take, and the content of the photo that takes it."""
        self.leaving: set[bytes] = set()
        """Names of files that go to the trash."""
        self.relied: set[bytes] = set()
        """Names of files on whose account others go to the trash."""
        self.made: dict[str, bytes] = {}
        """Directories that are made in it, as they are spelled."""
        self.searches: dict[tuple[str, ...], Search] = {}
        """By the names that were wanted."""
        self._files: dict[bytes, FileStamp] = {}
        self._families: dict[str, list[bytes]] | None = None

    def family(self, photo: bytes) -> Mapping[bytes, FileStamp]:
        """The regular files among which the companions of a photo are."""
        if self._families is None:
            self._files = {
                one.name: one.stamp for entries in self.entries.values() for one in entries if one.stamp is not None
            }
            self._families = names.families(self._files)
        return {name: self._files[name] for name in self._families.get(names.family(photo), ())}

    def named(self, name: bytes) -> Entry | None:
        """What has exactly this name."""
        return next((one for one in self.entries.get(names.folded(name), ()) if one.name == name), None)

    def taken(self, name: str) -> bool:
        """Whether a name is no longer free."""
        return name in self.entries or name in self.claims or name in self.made


class Scene:
    """All directories that a plan concerns. What cannot be looked at raises ``Stays``."""

    def __init__(self, world: World, photos: Collection[bytes] = ()) -> None:
        """``photos`` are the extensions of photos, lower-case with dot."""
        self._world = world
        self._photos = photos
        self._shelves: dict[bytes, Shelf] = {}
        self._directories: dict[tuple[bytes, bytes], bytes] = {}
        self._volumes: dict[tuple[bytes, bytes], Volume] = {}

    def shelf(self, base: bytes, directory: bytes) -> Shelf:
        """A directory; empty where there is none yet."""
        key = Place(base=base, path=directory).absolute if directory else base.rstrip(b"/")
        if key not in self._shelves:
            try:
                self._shelves[key] = Shelf(self._world.listing(base, directory))
            except PixsortdError as error:
                raise Stays(str(error)) from error
        return self._shelves[key]

    def volume(self, base: bytes, directory: bytes) -> Volume:
        """The file system of a directory."""
        if (base, directory) not in self._volumes:
            try:
                self._volumes[base, directory] = self._world.volume(base, directory)
            except PixsortdError as error:
                raise Stays(str(error)) from error
        return self._volumes[base, directory]

    def known(self, place: Place, stamp: FileStamp) -> Known:
        """What is known of a file."""
        try:
            return self._world.known(place, stamp)
        except PixsortdError as error:
            raise Stays(str(error)) from error

    def holding(self, image: bytes) -> Sequence[Place]:
        """Where files of a content are."""
        try:
            return sorted(self._world.holding(image), key=lambda place: place.absolute)
        except PixsortdError as error:
            raise Stays(str(error)) from error

    def companions(self, place: Place) -> list[tuple[Place, FileStamp]]:
        """The files that go wherever the photo at a place goes that is there."""
        beside = self.shelf(place.base, place.directory).family(place.name)
        going = names.companions(place.name, list(beside), list(beside), self._photos)
        return [(place.beside(name), beside[name]) for name in going]

    def enter(self, base: bytes, directory: bytes) -> bytes:
        """A directory as it is spelled on disk, or as another step spells it that makes it."""
        if not directory:
            return directory
        if (base, directory) not in self._directories:
            above, _, name = directory.rpartition(b"/")
            parent = self.enter(base, above)
            spelled = self._spelled(self.shelf(base, parent), name)
            self._directories[base, directory] = parent + b"/" + spelled if parent else spelled
        return self._directories[base, directory]

    def search(self, place: Place, wanted: Sequence[bytes], longest: int) -> Search:
        """Free names for the files of a unit in the directory of ``place``, and who has those that are not free."""
        shelf = self.shelf(place.base, place.directory)
        found = shelf.searches.setdefault(tuple(map(names.folded, wanted)), Search())
        for number in count(found.number):
            found.number, found.free = number, names.numbered(wanted, number, longest)
            if not any(shelf.taken(names.folded(name)) for name in found.free):
                break
            self._note(found, shelf, place.beside(found.free[0]))
        return found

    def _note(self, found: Search, shelf: Shelf, place: Place) -> None:
        folded = names.folded(place.name)
        if folded in shelf.claims:
            found.claims.setdefault(shelf.claims[folded], place.name)
        for entry in shelf.entries.get(folded, ()):
            if entry.target:
                found.links.setdefault(entry.target, entry)
            elif entry.stamp is not None:
                known = self.known(place.beside(entry.name), entry.stamp)
                if known.sha256 is not None:
                    found.entries.setdefault(known.sha256, entry)
                elif known.kept:
                    found.unknown.setdefault(entry.stamp.size, entry)

    def _spelled(self, parent: Shelf, name: bytes) -> bytes:
        folded = names.folded(name)
        there = [entry for entry in parent.entries.get(folded, ()) if entry.directory]
        if there:
            return next((entry.name for entry in there if entry.name == name), there[0].name)
        if folded in parent.entries or folded in parent.claims:
            raise Stays(f"the directory {names.shown(name)} cannot be made, there is something else of that name")
        return parent.made.setdefault(folded, name)
