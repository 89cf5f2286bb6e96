"""What happened in the studios, noted while it happens; the truth about projects is counted from it.

What belongs here: projects and whatever was booked to them, quotes, bills, absences, answers. What does
not: how they are counted (`tables`), and rows. Amounts are hundredths of the studio's currency, hours
are hundredths of an hour, days are dates of the studio's calendar.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from simulator.truth.customers.happened import Answer


@dataclass
class Deliverable:
    """Something that is delivered. `due` is each due date with the day from which it stood."""

    number: int
    kind: str
    quoted: int | None
    due: list[tuple[date, date]]
    delivered: date | None = None
    accepted: date | None = None
    rounds: int = 0


@dataclass
class Entry:
    """Hours of a contributor; `deliverable` is None for work that belongs to all of the project."""

    contributor: int
    day: date
    hours: int
    rate: int
    deliverable: int | None


@dataclass
class Project:
    """One production with all that was booked to it. Invoices are net; credit notes are negative."""

    tenant: str
    number: int
    client: int
    estimated: int
    started: date
    due: list[tuple[date, date]]
    deliverables: list[Deliverable] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    costs: list[tuple[date, int, int | None]] = field(default_factory=list)
    invoices: list[tuple[date, int]] = field(default_factory=list)
    scope_changes: int = 0
    delivered: date | None = None


@dataclass
class Bill:
    """An invoice from its issue to the day on which all of it was paid."""

    tenant: str
    issued: date
    paid: date | None = None


@dataclass
class Quote:
    """A quote; `stages` with the day from which each stood and what it offered then."""

    tenant: str
    amount: int
    stages: list[tuple[date, str]]
    sent: date | None = None
    is_accepted: bool = False


@dataclass
class Lead:
    tenant: str
    day: date
    has_become_client: bool = False


@dataclass
class Worker:
    """A contributor's week: capacity in hundredths of an hour, days away, hours entered."""

    tenant: str
    number: int
    capacity: int
    away: set[date] = field(default_factory=set)
    worked: list[tuple[date, int]] = field(default_factory=list)


@dataclass
class Happened:
    """Everything that happened in the studios of one product."""

    projects: list[Project] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
