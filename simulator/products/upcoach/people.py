"""UpCoach's people: coaches and clients, when they came, and how engaged each is week by week.

The weekly engagement is the hidden cause of everything later: how often somebody opens the app,
checks habits, answers nudges, and whether they cancel. Nothing here writes a record.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from simulator.catalogue import FIRST_NAMES, LAST_NAMES, Tenant
from simulator.chance import Chance
from simulator.timeline import DAY, HOUR, LocalDays, Window, local_days


@dataclass
class Person:
    """A user of UpCoach. Weeks count from the window's start."""

    number: int
    user_id: str
    tenant: Tenant
    days: LocalDays
    role: str
    name: str
    email: str
    signup: int
    engagement: np.ndarray
    replies: float
    visits_at: float
    coach: Person | None = None
    consented: bool = True
    answers: list[tuple[int, bool]] = field(default_factory=list)  # given after the signup
    anonymous_id: str | None = None
    first_seen: int = 0
    churned_at: list[tuple[int, int]] = field(default_factory=list)
    plan_changes: list[tuple[int, str]] = field(default_factory=list)
    deleted: int | None = None

    def engaged(self, instant: int, window: Window) -> float:
        week = min(max((instant - window.start) // (7 * DAY), 0), len(self.engagement) - 1)
        return float(self.engagement[week])


def make_people(tenants: Iterable[Tenant], window: Window, seed: int, scale: float) -> list[Person]:
    """Coaches first, then clients, tenant by tenant."""
    people: list[Person] = []
    for tenant in tenants:
        chance = Chance(seed, "upcoach", "people", tenant.source_id)
        clients = max(4, round(tenant.size * scale))
        coaches = max(2, round(clients / 30))
        ids = chance.uuids(clients + coaches)
        weeks = window.days // 7 + 2
        paths = _engagement(chance, clients + coaches, weeks)
        staff: list[Person] = []
        for i in range(clients + coaches):
            role = ("admin" if i == 0 else "coach") if i < coaches else "client"
            person = _person(window, chance, tenant, role, ids[i], paths[i], len(people), clients)
            if role == "client":
                person.coach = chance.pick(staff)
            else:
                staff.append(person)
            people.append(person)
            _change_mind(person, window, seed)
    return people


def _change_mind(person: Person, window: Window, seed: int) -> None:
    """Some withdraw their consent, and some who had refused give it; a few withdraw and give it again."""
    chance = Chance(seed, "upcoach", "consent", person.user_id)
    answer = person.consented
    at = max(person.signup, window.start)
    while chance.hit(0.03 if answer else 0.2):
        at += int(chance.between(1, 90) * DAY)
        answer = not answer
        if at < window.end:
            person.answers.append((at, answer))


def _person(
    window: Window,
    chance: Chance,
    tenant: Tenant,
    role: str,
    user_id: str,
    path: np.ndarray,
    number: int,
    clients: int,
) -> Person:
    name = f"{chance.pick(FIRST_NAMES)} {chance.pick(LAST_NAMES)}"
    days = local_days(tenant.timezone, window)
    joined = tenant.joined(window.days)
    if role != "client":
        signup = _at_daytime(window, chance, days, joined + chance.between(0.1, 3))
        path = np.full_like(path, 1.6)
    elif joined < 0 and chance.hit(0.5):
        signup = _at_daytime(window, chance, days, -chance.between(2, 280))
    else:
        signup = _at_daytime(window, chance, days, _signup_day(window, chance, max(0, joined)))
    person = Person(
        number=number,
        user_id=user_id,
        tenant=tenant,
        days=days,
        role=role,
        name=name,
        email=f"user{number:05d}@example.com",
        signup=signup,
        engagement=path,
        replies=min(0.95, max(0.05, 0.5 + 0.25 * chance.bell())),
        visits_at=chance.pick((7.2, 8.1, 12.5, 18.3, 20.4, 21.6, 22.8)),
        consented=chance.hit(0.93),
    )
    person.first_seen = signup
    if signup > window.start + 2 * DAY and chance.hit(0.55):
        person.anonymous_id = f"anon-{chance.uuid()}"
        person.first_seen = signup - int(chance.between(0.2, 40) * HOUR)
    person.first_seen = max(person.first_seen, min(signup, window.start))
    if role == "client" and chance.hit(0.02):
        person.deleted = max(signup + 5 * DAY, int(chance.between(window.start, window.end)))
        if person.deleted >= window.end:
            person.deleted = None
    return person


def _signup_day(window: Window, chance: Chance, first: float) -> float:
    """More people start on Mondays and at the beginning of a season than otherwise."""
    while True:
        day = chance.between(first, window.days - 0.5)
        weekday = (int(day) + window.first_date.weekday()) % 7
        pull = (1.0, 0.85, 0.8, 0.7, 0.5, 0.45, 0.75)[weekday]
        month_day = (window.start // DAY + int(day)) % 30
        if chance.hit(pull * (1.0 if month_day < 8 else 0.7)):
            return day


def _at_daytime(window: Window, chance: Chance, days: LocalDays, day: float) -> int:
    """An instant between seven and half past nine in the tenant's evening, away from midnight."""
    index = days.index(window.start + int(day * DAY))
    return int(days.midnights[index]) + int(chance.between(7.0, 21.5) * HOUR)


def _engagement(chance: Chance, people: int, weeks: int) -> np.ndarray:
    """Log-odds of being active on a day: people × weeks. Some decline, a few warm up."""
    base = -0.5 + 0.9 * chance.normals(people, 1)
    kind = chance.rng.random((people, 1))
    turn = (chance.rng.random((people, 1)) * (weeks + 6)) - 4
    slope = 0.22 + 0.38 * chance.rng.random((people, 1))
    week = np.arange(weeks)[None, :]
    drift = np.where(kind < 0.34, -slope * np.clip(week - turn, 0, 7), 0.0)
    drift = np.where(kind > 0.93, 0.08 * np.clip(week - turn, 0, 12), drift)
    noise = np.zeros((people, weeks))
    shocks = 0.32 * chance.normals(people, weeks)
    for w in range(1, weeks):
        noise[:, w] = 0.6 * noise[:, w - 1] + shocks[:, w]
    return np.clip(base + drift + noise, -4.5, 2.6)
