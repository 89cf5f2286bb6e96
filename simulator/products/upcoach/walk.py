"""One person's way through the window: what a visit, a message and a day's plan have in common.

What belongs here: what the person owns, hours of their local days, the one way to write an event of
theirs. What does not: what they do (`activity`, `visits`) and what is sent to them (`messages`).
"""

from __future__ import annotations

from simulator.chance import Chance
from simulator.products.upcoach.people import Person
from simulator.products.upcoach.tables import Tables
from simulator.sources.events import Device, Event
from simulator.timeline import HOUR, Window
from simulator.truth.coaching.work import Work


class Walk:
    """The person, their devices and belongings, and where things about them are written."""

    def __init__(
        self,
        window: Window,
        limit: int,
        tables: Tables,
        work: Work,
        events: list[Event],
        person: Person,
        chance: Chance,
    ) -> None:
        self.window, self.limit = window, limit
        self.tables, self.work, self.events = tables, work, events
        self.person, self.chance = person, chance
        self.devices = [Device.some(chance, 0.75), Device.some(chance, 0.2)]
        self.habits: list[int] = []
        self.goal_id: int | None = None
        self.alive_until = min(limit, person.deleted or limit)

    def moment(self, day: int, hour: float) -> int:
        hour = min(23.95, max(0.05, hour))
        return int(self.person.days.midnights[day]) + int(hour * HOUR)

    def event(
        self,
        name: str,
        at: int,
        properties: dict,
        session: str | None,
        device: Device | None = None,
        offline: int = 0,
        linked: bool = False,
        known: bool = True,
    ) -> None:
        if at >= self.alive_until or at < self.window.start:
            return
        chance, person = self.chance, self.person
        device = device or self.devices[0]
        received = at + 150 + int(chance.uniform() * 3500) + offline
        self.events.append(
            Event(
                event_id=chance.uuid(),
                tenant_id=person.tenant.source_id,
                user=person.user_id,
                user_id=person.user_id if known else None,
                anonymous_id=person.anonymous_id if linked or not known else None,
                session_id=session,
                name=name,
                at=at,
                received=min(received, self.limit),
                device=device,
                country=person.tenant.country,
                properties=properties,
                load_ms=180 + int(chance.uniform() * 1900) if device.source == "web" else None,
            )
        )
