"""Truth about use: active users, sessions and retention, from what people did, not from any file.

Days are the tenant's own. A user is the person, also where the tracker only knew an anonymous id.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from simulator.sources.events import PASSIVE, Event
from simulator.timeline import MINUTE, LocalDays

GAP = 30 * MINUTE
FOUR_WEEKS = 28
FRICTION = frozenset(
    (
        "form_abandoned",
        "error_encountered",
        "optimization_timeout",
        "constraint_violation",
        "help_accessed",
    )
)
# what each product tells of how its users bring others; what is not here is unknown there
GROWTH = {
    "rostracore": ("invite_sent", "invite_accepted", "plan_upgraded", "referral_sent"),
    "upcoach": ("invite_sent", "invite_accepted", "referral_sent"),
}
LAST_PERIOD = {"day": 90, "week": 52, "month": 36}


@dataclass
class Session:
    """One visit: when it began and ended, and its distinct clock minutes."""

    tenant_id: str
    user: str
    day: date
    started: int
    ended: int
    events: int
    minutes: int


def active_days(
    events: list[Event], calendars: dict[str, LocalDays]
) -> dict[str, dict[str, set[int]]]:
    """tenant → user → the epoch days (tenant-local, as ordinals) with at least one event."""
    table: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for event in events:
        if event.name in PASSIVE:
            continue
        day = calendars[event.tenant_id].day(event.counted_at)
        table[event.tenant_id][event.user].add(day.toordinal())
    return table


def daily_users(table: dict[str, dict[str, set[int]]]) -> Iterator[tuple[date, str, int, int]]:
    """(day, tenant, users active, users active for the first time)."""
    for tenant in sorted(table):
        seen: dict[int, int] = defaultdict(int)
        new: dict[int, int] = defaultdict(int)
        for days in table[tenant].values():
            for day in days:
                seen[day] += 1
            new[min(days)] += 1
        for day in sorted(seen):
            yield date.fromordinal(day), tenant, seen[day], new[day]


def period_start(kind: str, day: date) -> date:
    if kind == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind == "month" else day


def period_number(kind: str, cohort: date, day: date) -> int:
    if kind == "month":
        return (day.year - cohort.year) * 12 + day.month - cohort.month
    return (period_start(kind, day) - cohort).days // (7 if kind == "week" else 1)


def periods_over(kind: str, cohort: date, horizon: date) -> int:
    """How many periods of a cohort are wholly over on the horizon's day."""
    after = horizon + timedelta(days=1)
    return max(0, period_number(kind, cohort, after))


def retention(
    table: dict[str, dict[str, set[int]]], horizons: dict[str, date]
) -> Iterator[tuple[str, str, date, int, str, int, int]]:
    """(tenant, cohort type, cohort, period, mode, size, retained), observable periods only."""
    for tenant in sorted(table):
        for kind in ("day", "week", "month"):
            sizes: dict[date, int] = defaultdict(int)
            exact: dict[tuple[date, int], int] = defaultdict(int)
            since: dict[tuple[date, int], int] = defaultdict(int)
            for days in table[tenant].values():
                cohort = period_start(kind, date.fromordinal(min(days)))
                sizes[cohort] += 1
                numbers = {period_number(kind, cohort, date.fromordinal(d)) for d in days}
                for number in numbers:
                    exact[cohort, number] += 1
                for number in range(max(numbers) + 1):
                    since[cohort, number] += 1
            for cohort in sorted(sizes):
                over = periods_over(kind, cohort, horizons[tenant])
                for number in range(min(over, LAST_PERIOD[kind] + 1)):
                    yield (
                        tenant,
                        kind,
                        cohort,
                        number,
                        "bounded",
                        sizes[cohort],
                        exact[cohort, number],
                    )
                    yield (
                        tenant,
                        kind,
                        cohort,
                        number,
                        "unbounded",
                        sizes[cohort],
                        since[cohort, number],
                    )


def sessions(events: list[Event], calendars: dict[str, LocalDays]) -> list[Session]:
    """Visits: those the tracker named, and, per user, runs of unnamed events without a long gap."""
    named: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    loose: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        if event.name in PASSIVE:
            continue
        if event.session_id is None:
            loose[event.tenant_id, event.user].append(event.counted_at)
        else:
            named[event.tenant_id, event.user, event.session_id].append(event.counted_at)
    found = [_session(tenant, user, times, calendars) for (tenant, user, _), times in named.items()]
    for (tenant, user), times in loose.items():
        run: list[int] = []
        for at in sorted(times):
            if run and at - run[-1] > GAP:
                found.append(_session(tenant, user, run, calendars))
                run = []
            run.append(at)
        found.append(_session(tenant, user, run, calendars))
    return found


def _session(tenant: str, user: str, times: list[int], calendars: dict[str, LocalDays]) -> Session:
    started = min(times)
    minutes = len({at // MINUTE for at in times})
    return Session(
        tenant, user, calendars[tenant].day(started), started, max(times), len(times), minutes
    )


def daily_sessions(visits: list[Session]) -> Iterator[tuple[Any, ...]]:
    """(day, tenant, sessions, users, events, minutes from first to last event, active minutes)."""
    table: dict[tuple[date, str], list[Session]] = defaultdict(list)
    for visit in visits:
        table[visit.day, visit.tenant_id].append(visit)
    for day, tenant in sorted(table):
        group = table[day, tenant]
        length = sum(v.ended - v.started for v in group) / MINUTE
        yield (
            day,
            tenant,
            len(group),
            len({v.user for v in group}),
            sum(v.events for v in group),
            f"{length:.6f}",
            sum(v.minutes for v in group),
        )


def friction(
    events: list[Event], calendars: dict[str, LocalDays]
) -> Iterator[tuple[date, str, str, int, int]]:
    """(day, tenant, kind, how often it was met, by how many people)."""
    met: dict[tuple[date, str, str], list[str]] = defaultdict(list)
    for event in events:
        if event.name in FRICTION:
            day = calendars[event.tenant_id].day(event.counted_at)
            met[day, event.tenant_id, event.name].append(event.user)
    for key in sorted(met):
        yield *key, len(met[key]), len(set(met[key]))


def growth(
    product: str,
    events: list[Event],
    calendars: dict[str, LocalDays],
    table: dict[str, dict[str, set[int]]],
    horizons: dict[str, date],
) -> Iterator[tuple[Any, ...]]:
    """(day, tenant, invites sent and accepted that day; of the 28 days that end with it: invites accepted, people
    who upgraded and who referred, people active), on each day from the first to the last complete one."""
    told = GROWTH.get(product, ())
    happened: dict[tuple[str, str], dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        if event.name in told:
            day = calendars[event.tenant_id].day(event.counted_at).toordinal()
            happened[event.tenant_id, event.name][day].append(event.user)
    for tenant in sorted(table) if told else ():
        active: dict[int, list[str]] = defaultdict(list)
        for user, days in table[tenant].items():
            for day in days:
                active[day].append(user)

        def window(days: dict[int, list[str]], last: int) -> list[str]:
            return [
                user for d in range(last - FOUR_WEEKS + 1, last + 1) for user in days.get(d, ())
            ]

        names = ("invite_accepted", "plan_upgraded", "referral_sent")
        accepted, upgraded, referred = (happened[tenant, name] for name in names)
        for day in range(min(active), horizons[tenant].toordinal() + 1):
            yield (
                date.fromordinal(day),
                tenant,
                len(happened[tenant, "invite_sent"].get(day, ())),
                len(accepted.get(day, ())),
                len(window(accepted, day)),
                len(set(window(upgraded, day))) if "plan_upgraded" in told else "",
                len(set(window(referred, day))),
                len(set(window(active, day))),
            )
