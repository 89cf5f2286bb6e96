"""The truth about use as it was known day by day: what a tenant's health rests on.

What belongs here: the windows of 28 days that end with a day, counted from what had arrived by its end. What does
not: what that is worth, which the warehouse's seeds say. Users as their events name them, not as they were known later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from simulator.sources.events import PASSIVE, Event
from simulator.timeline import DAY, LocalDays
from simulator.truth.engagement.use import FOUR_WEEKS, FRICTION

COUNTED = {"roster_generated": "rosters", "roster_manual_override": "overrides"}
# kind of use → day → what was used, with the day by whose end it was known
Used = dict[str, dict[int, dict[Any, int]]]


def known_use(
    events: list[Event], calendars: Mapping[str, LocalDays], last: Mapping[str, date]
) -> Iterator[tuple[Any, ...]]:
    """(day, tenant, users active, days with anybody, days of users, the same 28 days before, visits, friction, rosters,
    overrides), from the tenant's first day of use to its last complete one."""
    use: dict[str, Used] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    visits: dict[str, dict[Any, tuple[int, int]]] = defaultdict(dict)
    for event in events:
        if event.name in PASSIVE:
            continue
        days, found = calendars[event.tenant_id], use[event.tenant_id]
        day = days.day(event.counted_at).toordinal()
        known = max(day, days.day(event.received - 1).toordinal())
        if event.user_id is not None:
            users = found["users"][day]
            users[event.user_id] = min(known, users.get(event.user_id, known))
        label = event.session_id or event.user_id or event.anonymous_id
        visit = (event.user_id, label, event.counted_at // DAY)
        first = visits[event.tenant_id].get(visit, (known, day))
        visits[event.tenant_id][visit] = min(first, (known, day))
        if event.name in FRICTION:
            found["friction"][day][event.event_id] = known
        if event.name in COUNTED:
            found[COUNTED[event.name]][day][event.event_id] = known
    for tenant in sorted(use):
        for visit, (known, day) in visits[tenant].items():
            use[tenant]["visits"][day][visit] = known
        yield from _windows(tenant, use[tenant], last[tenant])


def _windows(tenant: str, found: Used, last: date) -> Iterator[tuple[Any, ...]]:
    for today in range(min(found["visits"]), last.toordinal() + 1):

        def seen(kind: str, back: int = 0, today: int = today) -> list[list[Any]]:
            """Day by day, what was used in the 28 days that end so long before today, as far as is known today."""
            window = range(today - back - FOUR_WEEKS + 1, today - back + 1)
            used = (found[kind].get(day, {}) for day in window)
            return [[key for key, known in rows.items() if known <= today] for rows in used]

        users = seen("users")
        yield (
            date.fromordinal(today),
            tenant,
            len({user for day in users for user in day}),
            sum(1 for day in users if day),
            sum(len(day) for day in users),
            sum(len(day) for day in seen("users", FOUR_WEEKS)),
            *(
                sum(len(day) for day in seen(kind))
                for kind in ("visits", "friction", "rosters", "overrides")
            ),
        )
