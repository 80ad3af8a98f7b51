"""The worker's side: one loop that answers the core's requests, one at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from pixsortd.config import Settings
from pixsortd.records import Ability, Analysis, Fingerprint, Wants, WorkItem
from pixsortd.workers.channel import Channel
from pixsortd.workers.protocol import (
    Abilities,
    Analysed,
    Batch,
    Busy,
    Done,
    Hello,
    Named,
    Order,
    Reply,
    Request,
    decode_request,
    encode,
)

TellBusy = Callable[[str, Sequence[int]], None]


class Analyst(Protocol):
    """The analysis, as far as a worker needs to know it."""

    def abilities(self) -> Sequence[Ability]:
        """Load what is configured; say what is ready and why the rest is not."""

    def states(self) -> Sequence[Ability]:
        """The same without trying anything again."""

    def fingerprint(self, items: Sequence[WorkItem]) -> Iterator[Fingerprint]:
        """Read and name files, keeping their bytes."""

    def analyze(self, wants: Mapping[int, Wants], ahead: Sequence[WorkItem]) -> Iterator[Analysis]:
        """What is wanted of the files fingerprinted last; ``ahead`` probably comes next."""


MakeAnalyst = Callable[[Settings, int, TellBusy], Analyst]
"""Settings, threads, and whom to tell what is in flight."""


def serve(channel: Channel, make: MakeAnalyst) -> None:
    """Answer requests until the core closes the pipe."""
    _Service(channel, make).run()


class _Service:
    def __init__(self, channel: Channel, make: MakeAnalyst) -> None:
        self._channel = channel
        self._make = make
        self._analyst: Analyst | None = None
        self._said: Sequence[Ability] = ()

    def run(self) -> None:
        while (frame := self._channel.receive()) is not None:
            self._answer(decode_request(frame))

    def _answer(self, request: Request) -> None:
        match request:
            case Hello(settings=settings, threads=threads):
                self._analyst = self._make(settings, threads, self._busy)
                self._say_abilities(self._analyst.abilities())
            case Batch(items=items):
                for fingerprint in self._ready().fingerprint(items):
                    self._send(Named(fingerprint=fingerprint))
                self._send(Done())
            case Order(wants=wants, ahead=ahead):
                for analysis in self._ready().analyze(wants, ahead):
                    self._send(Analysed(analysis=analysis))
                self._say_changes()
                self._send(Done())
            case _:
                self._say_abilities(self._ready().abilities())

    def _ready(self) -> Analyst:
        assert self._analyst is not None, "the core says hello first"
        return self._analyst

    def _say_changes(self) -> None:
        """A model may have broken, or have been loaded, on the way."""
        states = self._ready().states()
        if [(a.kind, a.name, a.state) for a in states] != [(a.kind, a.name, a.state) for a in self._said]:
            self._say_abilities(states)

    def _say_abilities(self, abilities: Sequence[Ability]) -> None:
        self._said = abilities
        self._send(Abilities(abilities=tuple(abilities)))

    def _busy(self, stage: str, ids: Sequence[int]) -> None:
        self._send(Busy(stage=stage, ids=tuple(ids)))

    def _send(self, reply: Reply) -> None:
        self._channel.send(encode(reply))
