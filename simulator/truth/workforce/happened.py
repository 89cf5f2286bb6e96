"""What happened to shifts and guards: the raw material of the truth about guards' work.

Belongs here: guards, rosters, shifts and offers as they went, noted while their rows are written. Does not belong
here: counting (`tables`); how likely a shift was to be filled (`shift_fill`). Nothing here reads a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Employment(NamedTuple):
    """A guard's time with a company, as its register says; both days are worked. `pay` is in hundredths an hour."""

    tenant: str
    employee: int
    hired: date
    last: date | None
    pay: int


@dataclass
class Roster:
    """A week that was planned; `duration` is in hundredths of a second."""

    tenant: str
    number: int
    created: int
    confirmed: int | None
    duration: int
    violations: int
    shift_count: int


class Costs(NamedTuple):
    """What a place cost, in hundredths of the company's currency."""

    regular: int
    overtime: int
    premium: int
    travel: int | None


@dataclass
class Offer:
    """A place that was offered to a guard; instants are null until the source tells of them."""

    employee: int
    answered: int | None = None
    answer: str | None = None
    started: int | None = None
    ended: int | None = None
    costs: Costs | None = None


@dataclass
class Shift:
    """A shift that was posted; `budget` is in hundredths of the company's currency."""

    tenant: str
    number: int
    site: int
    roster: int
    starts: int
    ends: int
    required: int
    budget: int
    is_cancelled: bool = False
    offers: list[Offer] = field(default_factory=list)


@dataclass
class Happened:
    """Everything of one product, in the order in which it was noted."""

    employments: list[Employment] = field(default_factory=list)
    rosters: list[Roster] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
