"""What customers asked and answered, noted while it happens; the truth about customers is counted from it.

What belongs here: tickets and answers to surveys, of any product. What does not: how they are counted
(`tables`), and rows. Only what was committed or told within the sample is noted. Instants are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.sources.events import Event


@dataclass
class Ticket:
    """A question of a customer. `resolved`: when each time that it was open ended, the last maybe not yet."""

    tenant: str
    number: int
    priority: str
    opened: int
    answered: int | None = None
    reopened: list[int] = field(default_factory=list)
    resolved: list[int] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return len(self.resolved) <= len(self.reopened)


@dataclass(frozen=True)
class Answer:
    """What somebody of a tenant answered: NPS 0 to 10, CSAT 1 to 5. `told`: when, or by which event."""

    tenant: str
    respondent: str
    kind: str
    score: int
    told: int | Event

    @property
    def at(self) -> int:
        return self.told.counted_at if isinstance(self.told, Event) else self.told


def answers_told(events: Iterable[Event]) -> list[Answer]:
    """The answers to surveys among events."""
    return [
        Answer(e.tenant_id, e.user, e.properties["survey"].upper(), e.properties["score"], e)
        for e in events
        if e.name == "survey_answered"
    ]
