"""Every error of pixsortd, for people first.

::

    PixsortdError
    ├── ConfigError             the configuration cannot be used
    ├── AlreadyRunning          another daemon holds the state directory
    ├── DaemonUnreachable       a command needs the daemon and it does not answer
    ├── StateDirectoryError     the state directory cannot be used (network file system, not writable)
    │   └── StateDirectoryFull  there is no room for a decision or a journal line; nothing was kept
    ├── NotFound                no photo, group, root or job of that id
    ├── InvalidRequest          a parameter that means nothing
    │   └── RulesRefused        rules of sorting that cannot be used, with everything that is wrong with them
    ├── Conflict                the request is fine, the present state is not
    │   ├── PlanChanged         what waits is not the plan that was approved; has the one that waits
    │   └── RulesNotWritten     the settings file cannot be written; has the text to paste into it
    ├── UploadRefused           an uploaded file is not taken: type, name, size, space
    ├── IndexProblem
    │   ├── IndexDamaged        the index fails its checks; it is disposable and will be rebuilt
    │   ├── IndexTooNew         written by a later version of pixsortd
    │   └── IndexFull           the map or the disk is full; nothing was written
    ├── FileProblem             one file cannot be analysed
    │   ├── Unreadable          permission, I/O error, not a regular file
    │   ├── NotAnImage          no allowed decoder takes it, or it is damaged
    │   ├── TooLarge            more pixels or bytes than the configured cap
    │   └── ChangedWhileReading the bytes moved under us; it must settle again
    ├── ModelProblem            one model or metric cannot be used; the rest goes on
    │   ├── WeightsMissing      not on this machine; says how to get them
    │   ├── WeightsDamaged      checksum or format wrong
    │   ├── DownloadFailed      the hub, the network or the disk said no
    │   └── DependencyMissing   an optional package is not installed
    ├── WorkerFailed            a worker process ended or stopped answering
    ├── GroupingFailed          the analyst process could not form groups; they stay as they were
    ├── GroupingCancelled       somebody ended the clustering; the groups stay as they were
    ├── TrainingFailed          the analyst process could not train a search; it stays as it was
    ├── TrainingCancelled       somebody ended the training; the search stays as it was
    ├── DecisionsDamaged        the decisions log is broken before its end
    ├── JournalDamaged          the journal of moves is broken before its end
    └── MoveFailed              the disk refused to move a file; it is where it was

Every error carries ``title`` (what kind), ``message`` (what happened), ``path`` (to what, if to
something) and ``next_step`` (what the reader can do).
"""

import errno
import os
from collections.abc import Sequence
from typing import ClassVar

from pixsortd.records import Reason, RuleProblem


class PixsortdError(Exception):
    """Base of all errors that a person may be shown."""

    title: ClassVar[str] = "pixsortd failed"
    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    """HTTP status when the error reaches the API."""
    exit_code: ClassVar[int] = 1
    """Exit status when the error reaches the command line."""

    def __init__(self, message: str, *, path: str | bytes | None = None, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = os.fsdecode(path) if path is not None else None
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message}: {self.path}" if self.path is not None else self.message

    def reason(self) -> Reason:
        """The error as a value that can be stored beside a file, model or root."""
        return Reason(code=self.code, message=self.message, next_step=self.next_step)


class ConfigError(PixsortdError):
    """The configuration cannot be used; the message says where and what is expected."""

    title, code, status, exit_code = "Configuration error", "config", 422, 2


class AlreadyRunning(PixsortdError):
    """Another daemon holds the lock of this state directory."""

    title, code, status, exit_code = "Already running", "already-running", 409, 3


class DaemonUnreachable(PixsortdError):
    """A command needs the running daemon and it does not answer."""

    title, code, status, exit_code = "Daemon not reachable", "daemon-unreachable", 503, 4


class StateDirectoryError(PixsortdError):
    """The state directory cannot be used: network file system, not writable, failing."""

    title, code, exit_code = "State directory unusable", "state-directory", 5


class StateDirectoryFull(StateDirectoryError):
    """The disk of the state directory is full. Nothing was kept; the same request works when there is room."""

    title, code, status = "No space in the state directory", "state-directory-full", 507


class NotFound(PixsortdError):
    """There is no photo, group, root or job of that id."""

    title, code, status, exit_code = "Not found", "not-found", 404, 6


class InvalidRequest(PixsortdError):
    """A parameter is outside what the call takes."""

    title, code, status, exit_code = "Invalid request", "invalid-request", 422, 2


class Conflict(PixsortdError):
    """The request is well formed but the present state does not allow it."""

    title, code, status = "Conflict", "conflict", 409


class RulesRefused(InvalidRequest):
    """Rules of sorting cannot be used; ``problems`` has everything that is wrong with them. Nothing was changed."""

    title, code = "Rules cannot be used", "rules-refused"

    def __init__(self, message: str, problems: Sequence[RuleProblem] = (), *, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.problems = tuple(problems)


class PlanChanged(Conflict):
    """Files or rules changed since the plan was looked at; ``plan`` is what waits now, empty where nothing does."""

    title, code, exit_code = "The plan has changed", "plan-changed", 10

    def __init__(self, message: str, *, plan: str = "", next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.plan = plan


class RulesNotWritten(Conflict):
    """The settings file cannot be written; ``toml`` is what to put into it by hand."""

    title, code = "Rules not written", "rules-not-written"

    def __init__(self, message: str, *, toml: str = "", path: str | bytes | None = None, next_step: str = "") -> None:
        super().__init__(message, path=path, next_step=next_step)
        self.toml = toml


class UploadRefused(PixsortdError):
    """An uploaded file is not taken; what was stored before it stays. ``why`` is its reason's code."""

    title, code, status = "Upload refused", "upload-refused", 422

    def __init__(self, message: str, *, why: str = "", path: str | bytes | None = None, next_step: str = "") -> None:
        super().__init__(message, path=path, next_step=next_step)
        self.why = why or self.code

    def reason(self) -> Reason:
        """The refusal as a value, with a code of its own."""
        return Reason(code=self.why, message=self.message, next_step=self.next_step)


class IndexProblem(PixsortdError):
    """Base of what can go wrong with the index."""

    title, code, exit_code = "Index problem", "index", 7


class IndexDamaged(IndexProblem):
    """The index fails its own checks. It is disposable: a backup or a rescan replaces it."""

    title, code = "Index damaged", "index-damaged"


class IndexTooNew(IndexProblem):
    """The index was written by a later version, which this one must not touch."""

    title, code = "Index too new", "index-too-new"


class IndexFull(IndexProblem):
    """The disk or the map is full. Nothing was written; work resumes when there is room."""

    title, code, status = "No space for the index", "index-full", 507


class FileProblem(PixsortdError):
    """Base of what can be wrong with one file."""

    title, code, status = "File problem", "file", 422


class Unreadable(FileProblem):
    """The file cannot be opened or read."""

    title, code = "Unreadable file", "unreadable"


class NotAnImage(FileProblem):
    """No allowed decoder takes the file, or its data are damaged."""

    title, code = "Not a readable image", "decode-failed"


class TooLarge(FileProblem):
    """The file has more pixels or bytes than the configured cap."""

    title, code = "Image too large", "too-large"


class ChangedWhileReading(FileProblem):
    """The file is no longer what its stamp said; it has to settle again."""

    title, code = "File still changing", "changed-while-reading"


class ModelProblem(PixsortdError):
    """Base of what can disable one model or metric."""

    title, code, exit_code = "Model problem", "model", 8


class WeightsMissing(ModelProblem):
    """The weights are not on this machine."""

    title, code = "Weights missing", "weights-missing"


class WeightsDamaged(ModelProblem):
    """The weights file fails its checksum or cannot be read safely."""

    title, code = "Weights damaged", "weights-damaged"


class DownloadFailed(ModelProblem):
    """The weights could not be fetched."""

    title, code = "Download failed", "download-failed"


class DependencyMissing(ModelProblem):
    """An optional package that the model or metric needs is not installed."""

    title, code = "Package missing", "dependency-missing"


class WorkerFailed(PixsortdError):
    """The worker process ended, or did not answer in time."""

    title, code = "Worker failed", "worker-failed"


class GroupingFailed(PixsortdError):
    """The analyst process ended without groups, or not within its deadline."""

    title, code = "Grouping failed", "grouping-failed"


class GroupingCancelled(PixsortdError):
    """The clustering was ended on request."""

    title, code, status = "Grouping cancelled", "grouping-cancelled", 409


class TrainingFailed(PixsortdError):
    """The analyst process ended without a trained search, or the one it wrote cannot be used."""

    title, code = "Training failed", "training-failed"


class TrainingCancelled(PixsortdError):
    """The training was ended on request."""

    title, code, status = "Training cancelled", "training-cancelled", 409


class DecisionsDamaged(PixsortdError):
    """The decisions log is broken before its last line; it is precious, so nothing is guessed."""

    title, code, exit_code = "Decisions log damaged", "decisions-damaged", 9


class JournalDamaged(PixsortdError):
    """The journal of moves is broken before its last line; undo depends on it, so nothing is guessed."""

    title, code, exit_code = "Journal damaged", "journal-damaged", 9


class MoveFailed(PixsortdError):
    """The disk refused to move a file, or the file changed meanwhile; it is where it was."""

    title, code, status = "Not moved", "move-failed", 409


_OS_ADVICE: dict[int, tuple[str, str]] = {
    errno.EACCES: ("permission denied", "Give the user that runs pixsortd read permission."),
    errno.EPERM: ("operation not permitted", "Give the user that runs pixsortd read permission."),
    errno.ENOENT: ("it is no longer there", "Nothing to do: the next scan decides."),
    errno.EIO: ("the disk reported an input/output error", "Check the disk and its cable; the file may need a backup."),
    errno.ELOOP: ("it is a symbolic link", "Links are not followed; point a root at the target instead."),
    errno.ENOSPC: ("no space is left on the device", "Free some space; work resumes by itself."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space; work resumes by itself."),
    errno.EMFILE: ("too many files are open", "Raise the limit on open files (LimitNOFILE= in the unit)."),
    errno.ESTALE: ("the network file handle is stale", "Nothing to do: it is tried again when the share is back."),
}


def explain_os_error(error: OSError) -> tuple[str, str]:
    """(what happened, what to do) for an operating system error, in words."""
    fallback = (error.strerror or str(error), "Look at the file by hand; then retry it.")
    return _OS_ADVICE.get(error.errno or 0, fallback)


def unreadable(error: OSError, path: bytes) -> Unreadable:
    """The one place that turns an ``OSError`` on a photo into a domain error."""
    what, advice = explain_os_error(error)
    return Unreadable(what, path=path, next_step=advice)
