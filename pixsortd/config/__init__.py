"""One typed settings tree. Defaults < configuration file < environment < command line.

Every value knows where it came from; an unknown key is refused with its line and the nearest
known name. Nothing here touches a photo root or imports a heavy package.
"""

from pixsortd.config.kinds import plain
from pixsortd.config.live import applied, live_changes, worker_changes
from pixsortd.config.load import Loaded, load
from pixsortd.config.paths import config_file, default_file, root_paths, shipped, state_directory, user_config_file
from pixsortd.config.schema import json_schema
from pixsortd.config.stated import Stated, stated, toml_text
from pixsortd.config.tree import (
    ApiSettings,
    ClusterSettings,
    DecodeSettings,
    Duration,
    EmbedSettings,
    IndexSettings,
    LogSettings,
    ModelSettings,
    RootSettings,
    ScoreSettings,
    Section,
    Settings,
    Size,
    SortRule,
    SortSettings,
    SpaceSettings,
    UploadSettings,
    WatchSettings,
    WorkerSettings,
)

__all__ = [
    "ApiSettings",
    "ClusterSettings",
    "DecodeSettings",
    "Duration",
    "EmbedSettings",
    "IndexSettings",
    "Loaded",
    "LogSettings",
    "ModelSettings",
    "RootSettings",
    "ScoreSettings",
    "Section",
    "Settings",
    "Size",
    "SortRule",
    "SortSettings",
    "SpaceSettings",
    "Stated",
    "UploadSettings",
    "WatchSettings",
    "WorkerSettings",
    "applied",
    "config_file",
    "default_file",
    "json_schema",
    "live_changes",
    "load",
    "plain",
    "root_paths",
    "shipped",
    "state_directory",
    "stated",
    "toml_text",
    "user_config_file",
    "worker_changes",
]
