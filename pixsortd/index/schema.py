"""The tables of the index and the version of their format.

Every table is an LMDB database of its own. Keys, with ``root`` 6 bytes, ``dir`` = root +
blake2b-16 of the directory's path, ``file`` = dir + name, ``order`` an 8-byte number that sorts
newest first::

    meta           name                     version, epoch, next photo number
    roots          root                     RootRecord
    counters       root                     files by state
    lots           root + bits of the size + suffix     pending files, and their bytes
    dirs           dir                      path of the directory
    files          file                     Row (see rows.py)
    inodes       * root + inode + file[6:]
    places       * sha256 + file            which files hold a photo
    queue        * root + lane + order + file[6:]   settled pending files, best first
    waiting      * root + state + order + file[6:]  pending, failed and away files, newest first
    photos         sha256                   Photo
    numbers        photo number             sha256
    timeline     * order + sha256           photos that have a file
    root_timeline* root + order + sha256    the same for one root
    orphans        sha256                   when the photo lost its last file
    thumbless      sha256                   photos whose thumbnail has to be made again
    spaces         space key                SpaceState
    embeddings     space key + sha256       float16 vector
    metrics        blake2b-8 of the info    MetricInfo
    scores         sha256 + metric name     metrics key, value, time
    abilities      kind NUL name            Ability
    groups         group id                 Group
    members      * group id NUL sha256
    memberships    sha256                   Membership
    history        b"p" + sha256 or b"f" + file     steps
    notes          name                     what other rooms keep (last runs of jobs)

Tables marked ``*`` hold keys only and follow from the others: ``check`` recounts them and
``rebuild`` makes them anew.
"""

from enum import StrEnum

from pixsortd.errors import IndexTooNew

VERSION = 3
"""Format that this code reads and writes."""


class Table(StrEnum):
    """Names of the LMDB databases."""

    META = "meta"
    ROOTS = "roots"
    COUNTERS = "counters"
    LOTS = "lots"
    DIRS = "dirs"
    FILES = "files"
    INODES = "inodes"
    PLACES = "places"
    QUEUE = "queue"
    WAITING = "waiting"
    PHOTOS = "photos"
    NUMBERS = "numbers"
    TIMELINE = "timeline"
    ROOT_TIMELINE = "root_timeline"
    ORPHANS = "orphans"
    THUMBLESS = "thumbless"
    SPACES = "spaces"
    EMBEDDINGS = "embeddings"
    METRICS = "metrics"
    SCORES = "scores"
    ABILITIES = "abilities"
    GROUPS = "groups"
    MEMBERS = "members"
    MEMBERSHIPS = "memberships"
    HISTORY = "history"
    NOTES = "notes"


def refuse_newer(version: int) -> None:
    """Raise ``IndexTooNew`` unless this code knows the format ``version``."""
    if version > VERSION:
        raise IndexTooNew(
            f"the index has format {version}, and this pixsortd knows formats up to {VERSION}",
            next_step="Start the newer pixsortd again, or move the index away: it is made anew from the photos.",
        )
