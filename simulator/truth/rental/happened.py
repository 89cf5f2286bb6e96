"""What happened at the rental companies, noted while it happens; the truth about rental is counted from it.

What belongs here: equipment, bookings, transports, scans, invoices and leads, and the list of tickets and answers
(`truth/customers`). What does not: how they are counted (`tables`), and rows. Only what the source committed within
the sample is noted. Instants are milliseconds; amounts are whole minor units of the company's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from simulator.sources.events import Event
from simulator.truth.customers.happened import Answer, Ticket


@dataclass
class Item:
    """A piece of equipment in service from `acquired` until it is `retired`."""

    tenant: str
    number: int
    category: str
    acquired: int
    retired: int | None = None
    maintenance: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Booking:
    tenant: str
    item: Item
    customer: int
    value: int
    starts: int
    ends: int
    cancelled: int | None = None


@dataclass
class Transport:
    """`plans`: when each departure was planned, and for when; the last is the plan as it stands."""

    tenant: str
    plans: list[tuple[int, int]]
    departed: int | None = None
    is_cancelled: bool = False


@dataclass
class Scan:
    tenant: str
    event: Event
    is_exception: bool
    is_change: bool


@dataclass
class Invoice:
    """An invoice, or a credit note that takes back `credited`; totals are never negative here.

    `row` is what the source's table holds; `paid`: when money came, and how much.
    """

    tenant: str
    number: int
    credited: Invoice | None
    currency: str
    total: int
    tax: int
    due: date
    row: dict[str, Any]
    is_void: bool = False
    paid: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Lead:
    """A person, from when first told of; the channel that was named first."""

    tenant: str
    at: int
    channel: str
    qualified: int | None = None
    won: int | None = None


@dataclass
class Happened:
    """Everything that happened at the companies of one product."""

    items: list[Item] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    transports: list[Transport] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
