"""A marketplace as its systems see it: who is there, when they come, how an event is told.

What belongs here: people, the rhythm of hours, weeks and seasons, telling. What does not: what happens
(`orders`, `payments`, `calls`, `content`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from simulator.chance import Chance
from simulator.product import World
from simulator.products.samia_tarot.catalogue import NAME, Marketplace
from simulator.sources.events import Device, Event
from simulator.timeline import HOUR, MINUTE, SECOND, LocalDays, local_days
from simulator.truth.fulfilment.happened import Happened

SERVER = Device("desktop", "Chrome", "192.0.2.1", "server")
# by the clock of the tenant: evenings are busy, nights are quiet
HOURS = (2, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 5, 5, 6, 7, 8, 10, 12, 13, 12, 8, 4)


@dataclass
class Client:
    user_id: str
    country: str
    is_gold: bool


@dataclass
class Shop:
    """One marketplace in its world. Nothing is told at or after the world's limit."""

    market: Marketplace
    world: World
    stream: list[Event]
    happened: Happened
    clients: list[Client] = field(default_factory=list)
    readers: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = self.world.chance(NAME, self.tenant, "telling")
        people = self.world.chance(NAME, self.tenant, "people")
        self.readers = people.uuids(self.market.readers)
        count = max(6, round(40 * self.market.tenant.size * min(self.world.scale, 3)))
        for user_id in people.uuids(count):
            draw, country = people.uniform(), self.market.countries[-1][0]
            for code, share in self.market.countries:
                if draw < share:
                    country = code
                    break
                draw -= share
            self.clients.append(Client(user_id, country, people.hit(0.15)))

    @property
    def tenant(self) -> str:
        return self.market.tenant.source_id

    @property
    def days(self) -> LocalDays:
        return local_days(self.market.tenant.timezone, self.world.window)

    def open_days(self) -> Iterator[tuple[int, int]]:
        """(index of the local day, its midnight), from the day the marketplace joined."""
        window, days = self.world.window, self.days
        joined = window.start + self.market.tenant.joined(window.days) * 24 * HOUR
        for index, midnight in enumerate(days.midnights.tolist()[:-1]):
            if max(window.start, joined) <= midnight < self.world.limit:
                yield index, midnight

    def busy(self, index: int) -> float:
        """How busy a day is: more on weekends and in winter, and growing by a half in a year."""
        day = self.days.dates[index]
        weekend = 1.35 if day.weekday() in self.market.tenant.weekend else 0.9
        season = 1 + 0.2 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365)
        return weekend * season * (1 + 0.5 * day.timetuple().tm_yday / 365)

    def many(self, chance: Chance, expected: float) -> int:
        """A whole number around the expected one."""
        spread = max(0.0, expected * (1 + 0.25 * chance.bell()))
        return int(spread) + chance.hit(spread % 1)

    def moment(self, chance: Chance, index: int) -> int:
        """Some instant of the local day, by the rhythm of its hours; all of a day of 23 or 25."""
        midnights = self.days.midnights
        length = int(midnights[index + 1] - midnights[index])
        draw = chance.uniform() * sum(HOURS)
        hour = 0
        while draw >= HOURS[hour]:
            draw -= HOURS[hour]
            hour += 1
        share = (hour + draw / HOURS[hour]) / 24
        return int(midnights[index]) + int(share * length)

    def new_id(self, kind: str) -> int:
        """Numbers from 1, as the tables of each marketplace count: tenants share them."""
        self.ids[kind] = self.ids.get(kind, 0) + 1
        return self.ids[kind]

    def tell(
        self, name: str, at: int, user: str, country: str = "", **properties: Any
    ) -> Event | None:
        """The event, told to the stream; None when it lies beyond the sample."""
        if at >= self.world.limit:
            return None
        received = at + self.chance.integer(300, 20 * SECOND)
        event = Event(
            self.chance.uuid(), self.tenant, user, user, None, None, name, at, received, SERVER,
            country, properties,
        )  # fmt: skip
        self.stream.append(event)
        return event


def later(at: int, chance: Chance, low: float, high: float) -> int:
    """So many minutes later, never so soon that a late arrival could overtake: half a minute."""
    return at + max(MINUTE // 2, int(chance.between(low, high) * MINUTE))
