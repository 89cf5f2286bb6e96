"""What happened on a marketplace, noted while it happens; the truth about fulfilment is counted from it.

What belongs here: orders, payments, calls, horoscopes and flags with the events that told of them. What
does not: how they are counted (`tables`), and lines. An event may be planted with a defect afterwards,
so it is kept itself and asked at the end when it counts (`Event.counted_at`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.sources.events import Event


@dataclass
class Decision:
    """What came of a submission or an upload. `waiting` are those that waited for it."""

    event: Event
    is_approval: bool
    waiting: list[Event]


@dataclass
class Order:
    """One order of a client, to its end or as far as it came; `readers` by assignment."""

    tenant: str
    service: str
    country: str
    created: Event
    assigned: list[tuple[Event, str]] = field(default_factory=list)
    decisions: list[tuple[Decision, str]] = field(default_factory=list)
    completed: Event | None = None
    cancelled: Event | None = None


@dataclass
class Attempt:
    """One attempt to pay; `is_fallback`: after another provider failed for the same order."""

    tenant: str
    provider: str
    country: str
    currency: str
    amount: int
    event: Event
    is_fallback: bool
    answer: Event | None = None
    has_succeeded: bool = False


@dataclass
class Refund:
    tenant: str
    provider: str
    country: str
    currency: str
    amount: int
    event: Event


@dataclass
class Call:
    """One call; `seconds` is its length as its last event told."""

    tenant: str
    service: str
    country: str
    started: Event
    is_answered: bool = False
    is_dropped: bool = False
    has_ended: bool = False
    is_recorded: bool = False
    seconds: int | None = None


@dataclass
class Horoscope:
    """One sign's text for one day (days since 1970)."""

    tenant: str
    sign: str
    for_day: int
    uploads: list[Event] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    published: list[Event] = field(default_factory=list)


@dataclass
class Flagged:
    """Content that was flagged, perhaps by several, what was decided, who appealed."""

    tenant: str
    flags: list[Event]
    decision: Event | None = None
    appeal: Event | None = None


@dataclass
class Happened:
    """Everything that happened on the marketplaces of one product."""

    orders: list[Order] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    horoscopes: list[Horoscope] = field(default_factory=list)
    flagged: list[Flagged] = field(default_factory=list)
