"""What the worker can do, as far as it has said, and what of that the settings ask for."""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

import msgspec
import structlog

from pixsortd.config import Settings
from pixsortd.daemon.pipeline.wants import configured_spaces, offer
from pixsortd.records import Ability, AbilityState

log = structlog.get_logger()


class AbilityStore(Protocol):
    """Where abilities are kept across restarts."""

    def save_ability(self, ability: Ability) -> None: ...
    def abilities(self) -> list[Ability]: ...


class Abilities:
    """The models and metrics that a worker has tried. For the line's thread only."""

    def __init__(self, settings: Callable[[], Settings], store: AbilityStore) -> None:
        self._settings = settings
        self._store = store
        self._known = {(ability.kind, ability.name): _timeless(ability) for ability in store.abilities()}
        self.offer = offer(settings(), self._known.values())
        """What is computed for every photo now."""

    def incomplete(self) -> bool:
        """Whether the settings name a model or metric that no worker has tried yet."""
        settings = self._settings()
        wanted = [("space", name) for name in configured_spaces(settings)]
        wanted += [("metric", name) for name in settings.score.metrics]
        return any(name not in self._known for name in wanted)

    def rule_out(self, metrics: Collection[str]) -> bool:
        """Whether every one of these metrics is known to be unavailable."""
        return all(("metric", name) in self._known and name not in self.offer.metrics for name in metrics)

    def learn(self, said: Iterable[Ability]) -> bool:
        """Keep what a worker said that it can do, and renew the offer; whether any of it was news."""
        news = [one for one in said if self._known.get((one.kind, one.name)) != _timeless(one)]
        for ability in news:
            self._store.save_ability(ability)
            self._known[ability.kind, ability.name] = _timeless(ability)
            if ability.state is AbilityState.UNAVAILABLE and ability.reason is not None:
                reason = ability.reason
                log.warning(
                    f"{ability.kind} unavailable", name=ability.name, reason=reason.message, next_step=reason.next_step
                )
        self.offer = offer(self._settings(), self._known.values())
        return bool(news)


def _timeless(ability: Ability) -> Ability:
    """The same whenever it was found out."""
    return msgspec.structs.replace(ability, at=0.0)
