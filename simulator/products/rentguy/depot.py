"""A rental company as its systems see it: its rows, its people, its rhythm, how an event is told.

What belongs here: the tenant, its users, customers and equipment, and telling. What does not: what
happens (`bookings`, `billing`, `leads`, `support`, `usage`). Every company counts its own things from 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulator.catalogue import FIRST_NAMES, LAST_NAMES
from simulator.chance import Chance
from simulator.product import World
from simulator.products.rentguy.catalogue import CATEGORIES, NAME, Company
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import Device, Event
from simulator.timeline import DAY, HOUR, SECOND, LocalDays, iso_micros, local_days
from simulator.truth.rental.happened import Happened, Item


@dataclass
class Worker:
    user_id: str
    device: Device


@dataclass
class Customer:
    number: int
    since: int


@dataclass
class Depot:
    """One company in its world. What lies at or after the world's limit is neither told nor noted."""

    company: Company
    world: World
    log: ChangeLog
    stream: list[Event]
    happened: Happened
    workers: list[Worker] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = self.world.chance(NAME, self.tenant, "depot")
        self.telling = self.world.chance(NAME, self.tenant, "telling")
        start = self.world.window.start
        index = self.days.index(start + self.company.tenant.joined(self.world.window.days) * DAY)
        self.joined = int(self.days.midnights[index]) + 9 * HOUR
        self.opened = max(self.joined, start + HOUR)

    @property
    def tenant(self) -> str:
        return self.company.tenant.source_id

    @property
    def days(self) -> LocalDays:
        return local_days(self.company.tenant.timezone, self.world.window)

    def found(self) -> None:
        """The rows that stand before anything is rented."""
        tenant = self.company.tenant
        row = {
            "name": tenant.name,
            "country_code": tenant.country,
            "region": tenant.region,
            "timezone": tenant.timezone,
            "currency": tenant.currency.upper(),
            "industry": tenant.industry,
            "plan": tenant.plan,
            "size_band": "large" if tenant.size > 14 else "small",
            "created_at": iso_micros(self.joined),
        }
        self.log.insert(self.joined, "organizations", {"id": tenant.source_id}, row)
        for _ in range(max(3, round(7 * min(self.world.scale, 3)))):
            self._hire()
        for _ in range(max(4, round(14 * min(self.world.scale, 3)))):
            self.register(self.joined)
        for _ in range(max(4, round(tenant.size * self.world.scale))):
            self._buy()

    def _hire(self) -> None:
        chance, number = self.chance, len(self.workers)
        user_id = f"user-{self.tenant.split('-')[1]}{number:02}"
        self.workers.append(Worker(user_id, Device.some(chance, 0.5)))
        row = {
            "organization_id": self.tenant,
            "email": f"{user_id}@example.org",
            "full_name": f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}",
            "role": ("owner", "planner", "warehouse", "finance", "sales")[number % 5],
            "is_consented": chance.hit(0.95),
            "created_at": iso_micros(self.joined),
        }
        self.log.insert(self.joined + SECOND, "users", {"id": user_id}, row)

    def register(self, at: int, lead: int | None = None, email: str | None = None) -> Customer:
        """A customer of the company; one that nobody led to has an address of its own."""
        chance, customer = self.chance, Customer(self.new_id("customer"), at)
        name = f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}"
        row = {
            "lead_id": lead,
            "name": name,
            "email": email or f"customer{customer.number}.{self.tenant}@example.org",
            "phone": f"+31 10 55 {customer.number:05}",
            "vat_number": f"VAT{customer.number:09}" if chance.hit(0.5) else None,
            "country_code": self.company.tenant.country,
            "created_at": iso_micros(at),
        }
        self.insert(at, "customers", customer.number, row)
        if at < self.world.limit:
            self.customers.append(customer)
        return customer

    def _buy(self) -> None:
        chance, window = self.chance, self.world.window
        draw, category = chance.uniform(), "staging"
        for name, (share, _) in CATEGORIES.items():
            if draw < share:
                category = name
                break
            draw -= share
        acquired = self.joined - int(chance.between(1, 90) * DAY)
        if chance.hit(0.2):  # bought while the sample runs, at any hour
            acquired = int(chance.between(self.opened, window.end))
        retired = int(chance.between(max(acquired, self.opened), window.end)) + DAY
        item = Item(self.tenant, self.new_id("equipment"), category, acquired)
        row = {
            "category": category.title() if chance.hit(0.3) else category,
            "model": f"{category[:3].upper()}-{chance.integer(100, 999)}",
            "status": "available",
            "acquired_at": iso_micros(acquired),
            "retired_at": None,
        }
        if not self.insert(max(acquired, self.joined), "equipment", item.number, dict(row)):
            return
        self.items.append(item)
        self.happened.items.append(item)
        if chance.hit(0.1) and retired < self.world.limit:
            item.retired = retired
            gone = {"status": "retired", "retired_at": iso_micros(retired)}
            self.update(retired, "equipment", item.number, row | gone)

    # --- rhythm -----------------------------------------------------------------------------------
    def open_days(self) -> Iterator[tuple[int, int]]:
        """(index of the local day, its midnight), from the day the company joined."""
        for index, midnight in enumerate(self.days.midnights.tolist()[:-1]):
            if self.opened <= midnight < self.world.limit:
                yield index, midnight

    def busy(self, at: int) -> float:
        """How busy a day is: more towards the weekend and in summer, when people celebrate."""
        day = self.days.day(at)
        week = (0.8, 0.8, 0.9, 1.1, 1.4, 1.2, 0.6)[day.weekday()]
        return week * (1 + 0.3 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 190) / 365))

    def clock(self, index: int, hour: float) -> int:
        """An instant some hours into a local day."""
        return int(self.days.midnights[index]) + int(hour * HOUR)

    def many(self, chance: Chance, expected: float) -> int:
        """A whole number around the expected one."""
        return int(expected) + chance.hit(expected % 1)

    # --- rows and events --------------------------------------------------------------------------
    def new_id(self, kind: str) -> int:
        self.ids[kind] = self.ids.get(kind, 0) + 1
        return self.ids[kind]

    def _key(self, number: int) -> dict[str, Any]:
        return {"organization_id": self.tenant, "id": number}

    def insert(self, at: int, table: str, number: int, row: dict[str, Any]) -> bool:
        """Commits a new row; whether that lies within the sample."""
        self.log.insert(at, table, self._key(number), row)
        return at < self.world.limit

    def update(self, at: int, table: str, number: int, row: dict[str, Any]) -> bool:
        self.log.update(at, table, self._key(number), dict(row))
        return at < self.world.limit

    def delete(self, at: int, table: str, number: int, row: dict[str, Any]) -> bool:
        self.log.delete(at, table, self._key(number), row)
        return at < self.world.limit

    def tell(
        self,
        name: str,
        at: int,
        worker: Worker,
        module: str,
        session: str | None = None,
        **more: Any,
    ) -> Event | None:
        """The event, told to the stream; None when it lies beyond the sample."""
        if not self.world.window.start <= at < self.world.limit:
            return None
        chance = self.telling
        received = min(at + chance.integer(200, 8 * SECOND), self.world.limit)
        load_ms = chance.integer(120, 2400) if session and worker.device.source == "web" else None
        event = Event(
            chance.uuid(), self.tenant, worker.user_id, worker.user_id, None, session, name, at,
            received, worker.device, self.company.tenant.country, {"module": module, **more}, load_ms,
        )  # fmt: skip
        self.stream.append(event)
        return event


def amount(cents: int, currency: str) -> int:
    """Cents as the unscaled number of a column with two decimals; yen have none of their own."""
    return cents * 100 if currency == "jpy" else cents
