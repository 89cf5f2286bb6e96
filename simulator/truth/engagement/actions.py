"""Truth about what people did: hours, uses of features, steps of an onboarding, from events as they happened.

What belongs here: counting kinds of events. What does not: which kinds a product has; its catalogue says
that (`Actions`). A kind is an event's name, one that ends with * for all names that begin so, or a name with a
property in brackets: `screen_viewed[screen=home]`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from simulator.sources.events import PASSIVE, Event
from simulator.timeline import HOUR, MINUTE, SECOND, LocalDays
from simulator.truth.engagement.use import Session

_KIND = re.compile(r"(?P<name>[^*\[]+)(?P<open>\*)?(?:\[(?P<property>\w+)=(?P<value>\w+)\])?")


@dataclass(frozen=True)
class Actions:
    """What can be done in a product: features and steps of the onboarding, each with its kinds of events.

    `opening` are the kinds that open the onboarding; its steps stand in their order.
    """

    features: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    opening: tuple[str, ...] = ()
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def is_one_of(event: Event, kinds: tuple[str, ...]) -> bool:
    """Whether an event is of any of the kinds. Raises ValueError for a kind that cannot be read."""
    return any(_is(event, kind) for kind in kinds)


def _is(event: Event, kind: str) -> bool:
    found = _KIND.fullmatch(kind)
    if found is None:
        raise ValueError(f"{kind!r} is no kind of event; write name, name* or name[property=value]")
    name = found["name"]
    if not (event.name.startswith(name) if found["open"] else event.name == name):
        return False
    return found["property"] is None or event.properties.get(found["property"]) == found["value"]


def hours(
    events: list[Event], visits: list[Session]
) -> Iterator[tuple[str, str, int, int, int, int]]:
    """(UTC hour, tenant, users, events, sessions begun, clock minutes of users with an event)."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    minutes: dict[tuple[int, str], set[tuple[str, int]]] = defaultdict(set)
    begun: dict[tuple[int, str], int] = defaultdict(int)
    for event in events:
        if event.name not in PASSIVE:
            key = event.counted_at // HOUR, event.tenant_id
            counts[key] += 1
            minutes[key].add((event.user, event.counted_at // MINUTE))
    for visit in visits:
        begun[visit.started // HOUR, visit.tenant_id] += 1
    for hour, tenant in sorted(counts):
        key = hour, tenant
        start = datetime.fromtimestamp(hour * HOUR / SECOND, UTC)
        users = {user for user, _ in minutes[key]}
        yield (
            f"{start:%Y-%m-%d %H:%M}",
            tenant,
            len(users),
            counts[key],
            begun[key],
            len(minutes[key]),
        )


def feature_days(
    events: list[Event], calendars: Mapping[str, LocalDays], actions: Actions
) -> Iterator[tuple[date, str, str, int, int]]:
    """(day, tenant, feature, uses, users)."""
    uses: dict[tuple[date, str, str], list[str]] = defaultdict(list)
    of_names: dict[str, list[str]] = {}
    for event in events:
        if event.name in PASSIVE:
            continue
        if event.name not in of_names:
            of_names[event.name] = [
                feature for feature, kinds in actions.features.items() if is_one_of(event, kinds)
            ]
        for feature in of_names[event.name]:
            day = calendars[event.tenant_id].day(event.counted_at)
            uses[day, event.tenant_id, feature].append(event.user)
    for key in sorted(uses):
        yield *key, len(uses[key]), len(set(uses[key]))


def onboarding(events: list[Event], actions: Actions) -> Iterator[tuple[str, int, str, int, int]]:
    """(tenant, step, its name, users who had done all before it, users who have done it too)."""
    done: dict[tuple[str, str], set[str]] = defaultdict(set)
    for event in events:
        if is_one_of(event, actions.opening):
            done[event.tenant_id, event.user].add("")
        for step, kinds in actions.steps.items():
            if is_one_of(event, kinds):
                done[event.tenant_id, event.user].add(step)
    for tenant in sorted({tenant for tenant, _ in done}):
        left = [steps for (of, _), steps in done.items() if of == tenant]
        for number, step in enumerate(actions.steps, 1):
            entered = len(left)
            left = [steps for steps in left if step in steps]
            yield tenant, number, step, entered, len(left)
