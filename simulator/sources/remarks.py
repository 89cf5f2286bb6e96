"""What people say and meet beside what they do: answers to surveys, invitations, forms they give up.

What belongs here: adding such events to the visits that a product's people made anyway. What does not: how
often, and in which words, which is the product's. Draws come from a stream of their own, so that nothing else moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from simulator.chance import Chance
from simulator.sources.events import Event
from simulator.timeline import SECOND


@dataclass(frozen=True)
class Remark:
    """An event that follows, a second later, on that share of the events called `after`."""

    name: str
    after: str
    share: float
    properties: Callable[[Chance], dict[str, Any]] = lambda _: {}


def survey(kind: str, after: str, share: float, liking: float) -> Remark:
    """An answer to the question of a kind, `nps` or `csat`; `liking` is the usual answer's place on the scale."""
    low, high = {"nps": (0, 10), "csat": (1, 5)}[kind]

    def properties(chance: Chance) -> dict[str, Any]:
        usual = low + liking * (high - low) + 0.25 * (high - low) * chance.bell()
        return {"survey": kind, "score": min(high, max(low, round(usual)))}

    return Remark("survey_answered", after, share, properties)


def add_remarks(
    events: list[Event], remarks: Iterable[Remark], chance: Chance, limit: int
) -> list[Event]:
    """Appends the remarks to the events, and returns them."""
    added, said = list[Event](), list(remarks)
    for event in events:
        for remark in said:
            if event.name != remark.after or event.user_id is None or not chance.hit(remark.share):
                continue
            properties = remark.properties(chance)
            if event.at + SECOND >= limit:
                continue
            added.append(
                replace(
                    event,
                    event_id=chance.uuid(),
                    name=remark.name,
                    at=event.at + SECOND,
                    received=min(event.received + SECOND, limit),
                    properties=properties,
                    load_ms=None,
                )
            )
    events.extend(added)
    return added
