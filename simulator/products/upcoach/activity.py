"""What UpCoach's people do day by day: on which days they come, what they own, when they visit.

The daily rhythm is the tenant's own: local hours, its weekend, the season. What happens within a visit
is written in `visits`, what is sent unasked in `messages`.
"""

from __future__ import annotations

import math

import numpy as np

from simulator.chance import Chance
from simulator.products.upcoach.messages import Messages
from simulator.products.upcoach.people import Person
from simulator.products.upcoach.tables import Tables
from simulator.products.upcoach.visits import Visits
from simulator.products.upcoach.walk import Walk
from simulator.sources.events import Device, Event
from simulator.timeline import DAY, HOUR, MINUTE, SECOND, Window
from simulator.truth.coaching.work import Work


class Activity:
    """Walks every person through every day of the window."""

    def __init__(
        self,
        window: Window,
        limit: int,
        tables: Tables,
        work: Work,
        events: list[Event],
        seed: int,
    ) -> None:
        self.window, self.limit = window, limit
        self.tables, self.work, self.events, self.seed = tables, work, events, seed

    def run(self, people: list[Person]) -> None:
        for person in people:
            chance = Chance(self.seed, "upcoach", "activity", person.user_id)
            walk = Walk(
                self.window, self.limit, self.tables, self.work, self.events, person, chance
            )
            Days(walk).run()
            if person.anonymous_id is not None and person.number % 4 == 0:
                self._visitor(person)

    def _visitor(self, like: Person) -> None:
        """Somebody who looked around in the days of another's signup and never signed up."""
        chance = Chance(self.seed, "upcoach", "visitor", like.user_id)
        anonymous_id, session = f"anon-{chance.uuid()}", chance.uuid()
        at, device = like.signup + int(chance.between(0.1, 3) * DAY), Device.some(chance, 0.3)
        for screen in ("landing", "pricing", "library")[: chance.integer(1, 3)]:
            if at < self.limit:
                self.events.append(
                    Event(
                        event_id=chance.uuid(),
                        tenant_id=like.tenant.source_id,
                        user=anonymous_id,
                        user_id=None,
                        anonymous_id=anonymous_id,
                        session_id=session,
                        name="screen_viewed",
                        at=at,
                        received=min(at + chance.integer(100, 2000), self.limit),
                        device=device,
                        country=like.tenant.country,
                        properties={"screen": screen},
                    )
                )
            at += int(chance.between(5, 100) * SECOND)


class Days:
    """Walks one person from day to day."""

    def __init__(self, walk: Walk) -> None:
        self.walk, self.person, self.chance = walk, walk.person, walk.chance
        self.window, self.limit = walk.window, walk.limit
        self.visits, self.messages = Visits(walk), Messages(walk)

    def run(self) -> None:
        person = self.person
        if person.signup >= self.limit:
            return
        self._belongings(person.signup)
        if person.signup >= self.window.start:
            if person.anonymous_id is not None:
                self._looks_around()
            self._first_visit()
        nudges = self.messages.send_nudges()
        for day in self._active_days():
            count = 1 + self.chance.hit(0.2) + self.chance.hit(0.04)
            for _ in range(count):
                self._visit(day)
        for nudge_id, at, persona in nudges:
            self.messages.answer(nudge_id, at, persona)
        self.messages.notify()

    # --- days -----------------------------------------------------------------------------------
    def _active_days(self) -> list[int]:
        """Indices of local days (after the signup's own day) on which the person comes."""
        person = self.person
        days = person.days
        first = max(days.index(person.signup) + 1, days.index(self.window.start))
        last = days.index(self.walk.alive_until - 1)
        count = last - first + 1
        if count <= 0:
            return []
        draws = self.chance.rng.random(count)
        index = np.arange(first, last + 1)
        starts = days.midnights[first : last + 1]
        weeks = np.clip((starts - self.window.start) // (7 * DAY), 0, len(person.engagement) - 1)
        weekday = (index + days.first.weekday()) % 7
        weekend = np.isin(weekday, person.tenant.weekend)
        season = np.array([_season(days.dates[i].timetuple().tm_yday) for i in index])
        odds = person.engagement[weeks] + season + np.where(weekend, -0.5, 0.1)
        if person.role != "client":
            odds = odds - np.where(weekend, 2.5, 0.0)
        for end, again in person.churned_at:
            odds = np.where((starts >= end) & (starts < again), odds - 2.8, odds)
        return [int(i) for i in index[draws < 1 / (1 + np.exp(-odds))]]

    # --- belongings -----------------------------------------------------------------------------
    def _belongings(self, at: int) -> None:
        chance, person = self.chance, self.person
        if person.role != "client":
            return
        later = at + 20 * MINUTE
        for _ in range(1 + chance.hit(0.4)):
            if chance.hit(0.75):
                archived = (
                    max(later, self.window.start) + int(chance.between(20, 160) * DAY)
                    if chance.hit(0.12)
                    else None
                )
                if archived is not None and archived >= self.walk.alive_until:
                    archived = None
                self.walk.habits.append(self.walk.tables.habit(person, later, archived))
        for number in range(1 + chance.hit(0.45) + chance.hit(0.2)):
            created = later + MINUTE + int(number * chance.between(3, 60) * DAY)
            if created < self.walk.alive_until:
                self.walk.goal_id = self._goal(created)

    def _goal(self, created: int) -> int:
        chance, person = self.chance, self.person
        completed = dropped = None
        end = max(created, self.window.start) + int(chance.between(4, 110) * DAY)
        engaged = person.engaged(end, self.window)
        if end < self.walk.alive_until:
            if chance.hit(1 / (1 + math.exp(-engaged - 0.7))):
                completed = end
                self.walk.work.goal_completed(person, end)
            elif chance.hit(0.4):
                dropped = end
        goal_id = self.walk.tables.goal(person, created, completed, dropped)
        if created >= self.window.start:
            self.walk.event("goal_created", created, {"goal_id": goal_id}, None)
        if completed is not None:
            self.walk.event("goal_completed", completed, {"goal_id": goal_id}, None)
        return goal_id

    # --- visits ---------------------------------------------------------------------------------
    def _looks_around(self) -> None:
        """Before the signup the tracker knows an anonymous id only."""
        session = self.chance.uuid()
        at = self.person.first_seen
        device = self.walk.devices[1]
        for screen in ("landing", "pricing", "signup")[: self.chance.integer(2, 3)]:
            if at < self.person.signup - MINUTE:
                self.walk.event(
                    "screen_viewed", at, {"screen": screen}, session, device, known=False
                )
            at += int(self.chance.between(10, 90) * SECOND)

    def _first_visit(self) -> None:
        session = self.chance.uuid()
        at, device = self.person.signup, self.walk.devices[1]
        self.walk.event("onboarding_started", at, {}, session, device, linked=True)
        for step in ("profile", "goal", "habit", "notifications"):
            at += int(self.chance.between(20, 240) * SECOND)
            if self.chance.hit(0.12):
                return
            self.walk.event("onboarding_step_completed", at, {"step": step}, session, device)
        self.walk.event("onboarding_completed", at + 5 * SECOND, {}, session, device)

    def _visit(self, day: int) -> None:
        chance, person = self.chance, self.person
        at = self.walk.moment(day, person.visits_at + 1.7 * chance.bell())
        if person.role == "client" and chance.hit(0.08):
            at = self.walk.moment(day, 23.6 + 0.3 * chance.uniform())
        device = self.walk.devices[0] if chance.hit(0.8) else self.walk.devices[1]
        session = chance.uuid() if chance.hit(0.9) else None
        offline = (
            int(chance.between(1, 30) * HOUR) if device.source == "app" and chance.hit(0.04) else 0
        )
        linked = device.source == "web" and chance.hit(0.3)
        steps = self.visits.script(at)
        for name, properties in steps:
            if at >= self.walk.alive_until:
                return
            self.walk.event(name, at, properties, session, device, offline, linked)
            self.visits.record(name, at, properties)
            at += int(chance.between(4, 150) * SECOND)


def _season(day_of_year: int) -> float:
    """Good resolutions in January and September, quiet in July."""
    return 0.22 * math.cos((day_of_year - 15) / 365 * 4 * math.pi)
