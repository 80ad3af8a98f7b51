"""The settings as one typed tree; the defaults here are those of the shipped ``pixsortd.toml``.

Two kinds of value have a notation of their own: durations behave as seconds, sizes as bytes.
"""

import math
import re
from typing import Annotated, Any, Literal

import msgspec

from pixsortd.records import Action, OnConflict, OnSame, Role

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?)(i?)[bB]?")
_POWER = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


class Duration(float):
    """Seconds, written ``"2s"``, ``"1h"`` or ``"1h 30m"``; a bare number is seconds too."""

    expected = 'a duration such as "2s", "5m" or "1h 30m"'

    @classmethod
    def parse(cls, value: object) -> "Duration":
        """Read a duration; raises ValueError for anything that is none, negative ones included."""
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
            return cls(value)
        parts = _DURATION.findall(value) if isinstance(value, str) else []
        if not parts or _DURATION.sub("", str(value)).strip():
            raise ValueError(f"expected {cls.expected}")
        return cls(sum(float(number) * _SECONDS[unit] for number, unit in parts))

    @property
    def text(self) -> str:
        """The shortest way to write it: ``"90m"``, ``"1h"``, ``"250ms"``."""
        for unit in ("w", "d", "h", "m", "s", "ms"):
            amount = self / _SECONDS[unit]
            if amount >= 1 and abs(amount - round(amount)) < 1e-9:
                return f"{round(amount)}{unit}"
        return f"{float(self):g}s"


class Size(int):
    """Bytes, written ``"96MB"`` (powers of ten) or ``"64MiB"`` (powers of two)."""

    expected = 'a size such as "96MB" or "1GB"'

    @classmethod
    def parse(cls, value: object) -> "Size":
        """Read a size; raises ValueError for anything that is none, negative ones included."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return cls(value)
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(f"expected {cls.expected}")
        return cls(float(match[1]) * (1024 if match[3] else 1000) ** _POWER[match[2].upper()])

    @property
    def text(self) -> str:
        """The shortest way to write it: ``"96MB"``, ``"1500kB"``, ``"7B"``."""
        for unit, power in (("TB", 4), ("GB", 3), ("MB", 2), ("kB", 1)):
            if self and self % 1000**power == 0:
                return f"{self // 1000**power}{unit}"
        return f"{int(self)}B"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every settings table."""


Positive = Annotated[int, msgspec.Meta(ge=1)]
PathText = Annotated[str, msgspec.Meta(extra={"path": True})]
"""A path; ``~`` and, from a file, what is relative to that file are made absolute on loading. Empty: unset."""


class RootSettings(Section, frozen=True, kw_only=True):
    """One photo directory."""

    path: Annotated[PathText, msgspec.Meta(min_length=1)]
    role: Role = Role.LIBRARY
    writable: bool = False
    exclude: tuple[str, ...] = ()

    @property
    def may_be_written(self) -> bool:
        """Whether files may be moved here; always in an inbox."""
        return self.writable or self.role is Role.INBOX


class WatchSettings(Section, frozen=True, kw_only=True):
    """How changes on disk are noticed and believed."""

    quiet: Duration = Duration(2)
    ceiling: Duration = Duration(60)
    rescan: Duration = Duration(3600)
    liveness: Duration = Duration(5)
    grace: Duration = Duration(300)
    brake_files: Positive = 10
    brake_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.25
    hidden: bool = False
    exclude: tuple[str, ...] = ()
    forget: Duration = Duration(90 * 86400)


class WorkerSettings(Section, frozen=True, kw_only=True):
    """The process in which analysis runs."""

    idle: Duration = Duration(300)
    batch_files: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 256
    batch_bytes: Size = Size(10**9)
    timeout: Duration = Duration(60)
    memory: str = ""
    threads: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0


class DecodeSettings(Section, frozen=True, kw_only=True):
    """What is accepted as a photo and what is made of it."""

    max_megapixels: Positive = 256
    max_bytes: Size = Size(10**9)
    thumbnail: Annotated[int, msgspec.Meta(ge=64, le=2048)] = 512


class EmbedSettings(Section, frozen=True, kw_only=True):
    """Which embedding spaces are kept."""

    space: str = "clip"
    also: tuple[str, ...] = ()
    device: str = "auto"


class SpaceSettings(Section, frozen=True, kw_only=True):
    """A space of one's own: any model, local weights, arguments passed on to the model."""

    model: str
    weights: PathText = ""
    revision: str = ""
    args: dict[str, Any] = {}


class ScoreSettings(Section, frozen=True, kw_only=True):
    """Which quality metrics are kept."""

    metrics: tuple[str, ...] = ("brisque", "niqe", "piqe")
    long_side: Annotated[int, msgspec.Meta(ge=0, le=4096)] = 0
    """Pixels of the long side of what is scored; 0: as suits each metric."""
    weights: dict[str, PathText] = {}
    composite: dict[str, Annotated[float, msgspec.Meta(ge=0)]] = {}


class ModelSettings(Section, frozen=True, kw_only=True):
    """Where weights live and how often missing ones are looked for."""

    retry: Duration = Duration(300)
    dir: PathText = ""


class ClusterSettings(Section, frozen=True, kw_only=True):
    """How groups are formed."""

    every: Duration = Duration(86400)
    min_cluster_size: Annotated[int, msgspec.Meta(ge=2)] = 5
    min_samples: Positive = 5
    selection: Literal["eom", "leaf"] = "eom"
    epsilon: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    deadline: Duration = Duration(7200)


class IndexSettings(Section, frozen=True, kw_only=True):
    """The sidecar index."""

    map_size: Size = Size(64 * 10**9)
    backup_every: Duration = Duration(86400)
    backups: Annotated[int, msgspec.Meta(ge=0, le=100)] = 3


class UploadSettings(Section, frozen=True, kw_only=True):
    """Files that come in by the page or the API."""

    inbox: PathText = ""
    max_bytes: Size = Size(2 * 10**9)
    max_files: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 10_000
    free_floor: Size = Size(10**9)


class TrashSettings(Section, frozen=True, kw_only=True):
    """What becomes of deleted photos."""

    keep: Duration = Duration(30 * 86400)


class SortRule(Section, frozen=True, kw_only=True):
    """What is done with photos of an inbox for which some conditions hold."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    when: dict[str, Any] = {}
    """What is asked of each fact; empty: every photo."""
    to: str = ""
    """Template of the destination, absolute or with ``~``; empty only where photos are left."""
    action: Action = Action.MOVE
    conflict: OnConflict = OnConflict.NUMBER
    same: OnSame = OnSame.CONFLICT
    auto: bool = False
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.8
    then: Literal["stop", "continue"] = "stop"


class SortSettings(Section, frozen=True, kw_only=True):
    """Where photos of the inboxes go."""

    delay: Duration = Duration(2)
    free_floor: Size = Size(10**9)
    rules: tuple[SortRule, ...] = ()


class ApiSettings(Section, frozen=True, kw_only=True):
    """Where the API and the page are served."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8420
    allowed_hosts: tuple[str, ...] = ()
    base_path: Annotated[str, msgspec.Meta(pattern=r"^(/[A-Za-z0-9._~-]+)*$")] = ""
    require_token: bool = False
    token_file: PathText = ""


class LogSettings(Section, frozen=True, kw_only=True):
    """What is logged and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


class Settings(Section, frozen=True, kw_only=True):
    """The whole configuration."""

    state_dir: PathText = ""
    roots: tuple[RootSettings, ...] = ()
    watch: WatchSettings = WatchSettings()
    worker: WorkerSettings = WorkerSettings()
    decode: DecodeSettings = DecodeSettings()
    embed: EmbedSettings = EmbedSettings()
    spaces: dict[str, SpaceSettings] = {}
    score: ScoreSettings = ScoreSettings()
    models: ModelSettings = ModelSettings()
    cluster: ClusterSettings = ClusterSettings()
    index: IndexSettings = IndexSettings()
    upload: UploadSettings = UploadSettings()
    trash: TrashSettings = TrashSettings()
    sort: SortSettings = SortSettings()
    api: ApiSettings = ApiSettings()
    log: LogSettings = LogSettings()
