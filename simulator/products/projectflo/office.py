"""A studio as its systems see it: rows and events are written, and what comes next is remembered.

What belongs here: the agenda, numbers, rows as they stand, telling. What does not: what happens
(`sales`, `production`, `billing`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from simulator.chance import Chance
from simulator.product import World
from simulator.products.projectflo.catalogue import NAME, Studio
from simulator.sources.debezium import ChangeLog
from simulator.sources.events import Device, Event
from simulator.timeline import HOUR, MINUTE, LocalDays, epoch_day, local_days
from simulator.truth.projects.happened import Happened

SERVER = Device("desktop", "Chrome", "192.0.2.2", "server")
Act = Callable[[], None]


@dataclass
class Office:
    """One studio in its world. What lies at or after the world's limit does not happen."""

    studio: Studio
    world: World
    log: ChangeLog
    stream: list[Event]
    happened: Happened
    now: int = 0
    rows: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    agenda: list[tuple[int, int, Act]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.telling = self.chance("telling")

    def chance(self, purpose: str) -> Chance:
        return self.world.chance(NAME, self.tenant, purpose)

    @property
    def tenant(self) -> str:
        return self.studio.tenant.source_id

    @property
    def days(self) -> LocalDays:
        return local_days(self.studio.tenant.timezone, self.world.window)

    @property
    def today(self) -> date:
        return self.days.day(self.now)

    def money(self, amount: float) -> int:
        """Hundredths of the currency, in whole units of what it has."""
        grain = self.studio.grain
        return round(amount / grain) * grain

    # --- time -----------------------------------------------------------------------------------
    def at(self, day: date, hour: float) -> int:
        """That hour of a day of the studio's calendar; the limit for days beyond it."""
        index = (day - self.days.first).days
        if index >= len(self.days.midnights):
            return self.world.limit
        return int(self.days.midnights[index]) + int(hour * HOUR)

    def later(self, days: int, hour: float, act: Act) -> None:
        """So many days from now, on a working day, at that hour; never before now."""
        day = self.today + timedelta(days=days)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        self.when(max(self.at(day, hour), self.now + MINUTE), act)

    def when(self, at: int, act: Act) -> None:
        if at < self.world.limit:
            heapq.heappush(self.agenda, (at, self.count("act"), act))

    def live(self) -> None:
        """Everything on the agenda, in order, and what follows from it."""
        while self.agenda:
            self.now, _, act = heapq.heappop(self.agenda)
            act()

    # --- rows -----------------------------------------------------------------------------------
    def count(self, kind: str) -> int:
        """Numbers from 1, as the tables of each studio count: studios share them."""
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return self.numbers[kind]

    def put(self, table: str, **row: Any) -> int:
        """A new row, as of now; returns its number."""
        number = self.count(table)
        self.rows[table, number] = row
        self.log.insert(self.now, table, self._key(number), dict(row))
        return number

    def change(self, table: str, number: int, **news: Any) -> None:
        row = self.rows[table, number]
        row |= news
        self.log.update(self.now, table, self._key(number), dict(row))

    def delete(self, table: str, number: int) -> None:
        self.log.delete(self.now, table, self._key(number), self.rows.pop((table, number)))

    def _key(self, number: int) -> dict[str, Any]:
        return {"organization_id": self.tenant, "id": number}

    # --- events ---------------------------------------------------------------------------------
    def tell(
        self, name: str, user: str, at: int | None = None, session: str | None = None,
        load_ms: int | None = None, **properties: Any,
    ) -> None:  # fmt: skip
        moment = self.now if at is None else at
        if moment < self.world.limit:
            received = moment + self.telling.integer(300, 20_000)
            self.stream.append(
                Event(
                    self.telling.uuid(), self.tenant, user, user, None, session, name, moment,
                    received, SERVER, self.studio.tenant.country, properties, load_ms,
                )
            )  # fmt: skip


def day_number(day: date | None) -> int | None:
    """As Debezium writes a date; null for none."""
    return None if day is None else epoch_day(day)
