"""One typed settings tree. Defaults < configuration file < environment < command line.

Every value knows where it came from; an unknown key is refused with its line and the nearest
known name. Nothing here touches a photo root or imports a heavy package.
"""

import re
from typing import Annotated, Any

import msgspec

from pixsortd.records import Role

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMGT]?)i?[bB]?")
_FACTOR = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class Duration(float):
    """Seconds, written ``"2s"``, ``"1h"`` or ``"1h 30m"``."""

    @classmethod
    def parse(cls, text: object) -> "Duration":
        if isinstance(text, int | float) and not isinstance(text, bool):
            return cls(text)
        parts = _DURATION.findall(str(text))
        if not parts or _DURATION.sub("", str(text)).strip():
            raise ValueError(f'expected a duration such as "2s", "5m" or "1h 30m", got {text!r}')
        return cls(sum(float(number) * _SECONDS[unit] for number, unit in parts))


class Size(int):
    """Bytes, written ``"96MB"`` or ``"1GB"`` (powers of ten)."""

    @classmethod
    def parse(cls, text: object) -> "Size":
        if isinstance(text, int) and not isinstance(text, bool):
            return cls(text)
        match = _SIZE.fullmatch(str(text).strip())
        if match is None:
            raise ValueError(f'expected a size such as "96MB" or "1GB", got {text!r}')
        return cls(float(match[1]) * _FACTOR[match[2]])


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every settings table."""


Positive = Annotated[int, msgspec.Meta(ge=1)]


class RootSettings(Section, frozen=True, kw_only=True):
    """One photo directory."""

    path: str
    role: Role = Role.LIBRARY
    exclude: tuple[str, ...] = ()


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
    batch_files: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 32
    batch_bytes: Size = Size(96 * 10**6)
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
    weights: str = ""
    revision: str = ""
    args: dict[str, Any] = {}


class ScoreSettings(Section, frozen=True, kw_only=True):
    """Which quality metrics are kept."""

    metrics: tuple[str, ...] = ("brisque", "niqe", "piqe")
    long_side: Annotated[int, msgspec.Meta(ge=96, le=4096)] = 512
    weights: dict[str, str] = {}


class ModelSettings(Section, frozen=True, kw_only=True):
    """Where weights live and how often missing ones are looked for."""

    retry: Duration = Duration(3600)
    dir: str = ""


class ClusterSettings(Section, frozen=True, kw_only=True):
    """How groups are formed."""

    every: Duration = Duration(86400)
    min_cluster_size: Annotated[int, msgspec.Meta(ge=2)] = 5
    min_samples: Positive = 5
    dimensions: Annotated[int, msgspec.Meta(ge=2, le=256)] = 32
    deadline: Duration = Duration(7200)


class IndexSettings(Section, frozen=True, kw_only=True):
    """The sidecar index."""

    map_size: Size = Size(64 * 10**9)
    backup_every: Duration = Duration(86400)
    backups: Annotated[int, msgspec.Meta(ge=0, le=100)] = 3


class ApiSettings(Section, frozen=True, kw_only=True):
    """Where the API and the page are served."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8420
    allowed_hosts: tuple[str, ...] = ()
    token_file: str = ""


class LogSettings(Section, frozen=True, kw_only=True):
    """What is logged and how."""

    level: Annotated[str, msgspec.Meta(pattern="^(debug|info|warning|error)$")] = "info"
    format: Annotated[str, msgspec.Meta(pattern="^(auto|text|json)$")] = "auto"


class Settings(Section, frozen=True, kw_only=True):
    """The whole configuration."""

    state_dir: str = ""
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
    api: ApiSettings = ApiSettings()
    log: LogSettings = LogSettings()
