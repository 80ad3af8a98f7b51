"""What the decisions amount to, folded one at a time: the last word on each subject, nothing of those before."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, get_args

from pixsortd.decisions import batches
from pixsortd.decisions.batches import BatchState
from pixsortd.decisions.curation import Curation
from pixsortd.records import (
    CaptionPhoto,
    ColourLabel,
    ConfirmGone,
    Constraints,
    CreateBatch,
    Decision,
    GroupEdit,
    LabelPhoto,
    RatePhoto,
    UndoEdit,
    UseLearned,
)

K = TypeVar("K")
V = TypeVar("V")


class Latest(Generic[K, V]):
    """The last word on each subject. A mapping that was handed out never changes afterwards."""

    def __init__(self) -> None:
        self._held: dict[K, V] = {}
        self._lent = False

    def now(self) -> Mapping[K, V]:
        """Everything that holds, in the order it was last said."""
        self._lent = True
        return self._held

    def get(self, subject: K) -> V | None:
        """What holds of one subject."""
        return self._held.get(subject)

    def say(self, subject: K, word: V | None) -> None:
        """From now on this holds; None takes back what did."""
        if self._lent:
            self._held, self._lent = dict(self._held), False
        self._held.pop(subject, None)
        if word is not None:
            self._held[subject] = word


class Projections:
    """All that follows from the decisions. Not for several threads at once; what it hands out is."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self.curation = Curation()
        """Edits of groups; not to be handed out, unlike what it answers."""
        self._use_learned: bool | None = None
        self._ratings = Latest[bytes, int]()
        self._labels = Latest[bytes, ColourLabel]()
        self._captions = Latest[bytes, str]()
        self._batches = Latest[str, BatchState]()
        self._folds: dict[type, Callable[[Any], None]] = {
            **dict.fromkeys((*get_args(GroupEdit), UndoEdit), self.curation.take),
            UseLearned: self._fold_use,
            RatePhoto: lambda said: self._ratings.say(said.sha256, said.stars),
            LabelPhoto: lambda said: self._labels.say(said.sha256, said.label),
            CaptionPhoto: lambda said: self._captions.say(said.sha256, said.caption),
            ConfirmGone: lambda _: None,  # done when it was said; the log keeps who wanted it
            CreateBatch: lambda said: self._batches.say(said.batch, batches.created(said)),
            **dict.fromkeys(batches.FOLDS, self._fold_batch),
        }
        for decision in decisions:
            self.fold(decision)

    def fold(self, decision: Decision) -> None:
        """Take in one decision."""
        self._folds[type(decision)](decision)

    def _fold_batch(self, decision: Any) -> None:
        state = self._batches.get(decision.batch)
        if state is not None:
            self._batches.say(state.id, batches.folded(state, decision))

    def constraints(self) -> Constraints:
        """What all edits of groups that hold ask of a clustering."""
        return self.curation.constraints()

    def _fold_use(self, said: UseLearned) -> None:
        self._use_learned = said.use

    def use_learned(self) -> bool | None:
        """Whether the learned metric may be used, as the user last said."""
        return self._use_learned

    def ratings(self) -> Mapping[bytes, int]:
        """Stars by photo."""
        return self._ratings.now()

    def labels(self) -> Mapping[bytes, ColourLabel]:
        """Colour labels by photo."""
        return self._labels.now()

    def captions(self) -> Mapping[bytes, str]:
        """Captions by photo."""
        return self._captions.now()

    def batches(self) -> Mapping[str, BatchState]:
        """Every batch by its id, deleted ones included."""
        return self._batches.now()
