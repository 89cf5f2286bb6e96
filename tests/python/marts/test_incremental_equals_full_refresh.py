"""Whatever arrives in whatever order, with builds in between, ends in the rows of a full refresh.

The steps below hold each case that has to reach back: late events, a late identity, a time zone
that comes or changes later, an event that bridges two sessions, rows that must vanish.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tallyhouse.database import Warehouse
from tests.python.marts.house import ENGAGEMENT, House, Rows, assert_equal
from tests.python.marts.upcoach_lines import event, organization, owned

pytestmark = pytest.mark.slow

Steps = dict[str, list[dict[str, Any]]]


def everyday_events() -> list[dict[str, Any]]:
    """Four weeks of two tenants: given sessions, loose events, nights around midnight, messages."""
    chance = random.Random(5)
    lines = []
    for number in range(260):
        tenant = chance.choice(["kompas", "umoya"])
        user = f"{tenant}-{chance.randrange(9)}"
        day, minute = chance.randrange(1, 29), chance.choice([1430, 1435, 3, 600, 615, 640, 1200])
        hour, minute = divmod(minute, 60)
        name = chance.choice(
            ["app_opened", "goal_viewed", "notification_sent", "notification_opened"]
        )
        session = f"s{day}" if chance.random() < 0.3 else None
        moment = f"2026-06-{day:02d} {hour:02d}:{minute:02d}:{chance.randrange(60):02d}"
        lines.append(event(f"e{number}", tenant, user, moment, name=name, session=session))
    return lines


def visit_of_32_hours() -> list[dict[str, Any]]:
    """One visit without a pause, which spans a day on which it neither starts nor ends."""
    start = datetime(2026, 6, 12, 20)
    moments = [start + timedelta(minutes=25 * number) for number in range(78)]
    return [event(f"h{at:%d%H%M}", "umoya", "ayanda", f"{at}") for at in moments]


def first_step(event_id: str, user: str, occurred: str, step: str) -> dict[str, Any]:
    return event(event_id, "kompas", user, occurred, name="onboarding_step_completed", step=step)


def first_steps() -> list[dict[str, Any]]:
    """An onboarding in any order, and two goals of one user."""
    return [
        event("o1", "kompas", "lena", "2026-06-03 09:00:00", name="onboarding_started"),
        first_step("o2", "lena", "2026-06-03 09:05:00", "goal"),
        first_step("o3", "lena", "2026-06-04 09:02:00", "profile"),
        event("o4", "umoya", "sipho", "2026-06-05 11:00:00", name="goal_created"),
        event("o7", "umoya", "sipho", "2026-06-21 11:00:00", name="goal_created"),
    ]


def steps() -> Steps:
    """One file each. Files of events may come in any order; those of changes say their place."""
    goal = {"title": "Run", "status": "completed", "created_at": "2026-06-01T08:00:00.000000Z"}
    mood = {"score": 4, "journal": "fine", "entered_at": "2026-06-20T22:30:00.000000Z"}
    events, cdc = "events/upcoach/{}.jsonl", "cdc/upcoach/{}.jsonl"
    everyday = everyday_events()
    return {
        events.format("10-everyday"): everyday[:180],
        events.format("11-everyday"): everyday[180:],
        events.format("20-sessions"): [
            event("b1", "umoya", "thandi", "2026-06-10 23:20:00"),
            event("b2", "umoya", "thandi", "2026-06-11 00:10:00"),
            event("g1", "kompas", "bram", "2026-06-02 10:00:00", session="long"),
            event("g2", "kompas", "bram", "2026-06-09 10:00:00", session="long"),
            event("v1", "kompas", None, "2026-06-03 09:00:00", anonymous="visitor-1"),
            event("v2", "kompas", None, "2026-06-17 09:00:00", anonymous="visitor-1"),
            event("n1", "kompas", None, "2026-06-05 09:00:00", session="walk-in"),
            *visit_of_32_hours(),
            *first_steps(),
        ],
        # bridges thandi's two visits; the same from 150 days before anything else of the tenant
        events.format("30-bridge"): [
            event("b3", "umoya", "thandi", "2026-06-10 23:45:00", received="2026-06-28 08:00:00"),
            event("l1", "umoya", "thandi", "2026-01-20 12:00:00", received="2026-06-19 12:00:00"),
            event("l2", "kompas", "bram", "2026-01-05 12:00:00", received="2026-06-04 12:00:00"),
            event("n2", "kompas", "noor", "2026-06-07 09:00:00", session="walk-in"),
            # lena's profile was done, and a goal made, before what was known of it
            first_step("o5", "lena", "2026-06-03 08:58:00", "profile"),
            event("o6", "kompas", "lena", "2026-06-02 07:00:00", name="goal_created"),
        ],
        events.format("40-identity"): [
            event("v3", "kompas", "vera", "2026-06-25 09:00:00", anonymous="visitor-1"),
        ],
        events.format("60-middle"): [
            event("h0", "umoya", "ayanda", "2026-06-13 12:03:00", received="2026-06-28 08:00:00"),
        ],
        # the body that was received first counts: bram's long visit loses its end, a day its event
        events.format("50-corrections"): [
            event(
                "g2",
                "kompas",
                "bram",
                "2026-06-16 10:00:00",
                session="other",
                received="2026-06-01 00:00:00",
            ),
            event("b1", "umoya", "zola", "2026-06-08 23:20:00", received="2026-06-01 00:00:00"),
            # sipho's first goal was not his, so his second is the first
            event(
                "o4",
                "umoya",
                "zola",
                "2026-06-05 12:00:00",
                name="goal_created",
                received="2026-06-05 00:00:00",
            ),
        ],
        cdc.format("10-organizations"): [organization("kompas", "c", "2026-06-01 00:00", "UTC")],
        cdc.format("20-work"): [
            owned(
                "goals",
                "c",
                "2026-06-12 09:00",
                1,
                "kompas",
                "bram",
                **goal,
                completed_at="2026-06-12T22:30:00.000000Z",
            ),
            owned(
                "goals",
                "c",
                "2026-06-12 09:01",
                2,
                "kompas",
                "bram",
                **goal,
                completed_at="2026-06-13T09:00:00.000000Z",
            ),
            owned("mood_entries", "c", "2026-06-20 22:30", 1, "umoya", "thandi", **mood),
            owned("mood_entries", "c", "2026-06-20 22:31", 2, "kompas", "noor", **mood),
        ],
        # a zone that comes after the tenant's events, and one that changes
        cdc.format("30-zones"): [
            organization("umoya", "c", "2026-06-21 00:00", "Africa/Johannesburg"),
            organization("kompas", "u", "2026-06-22 00:00", "America/New_York"),
        ],
        # what was completed is open again or gone
        cdc.format("40-gone"): [
            owned(
                "goals",
                "u",
                "2026-06-23 09:00",
                2,
                "kompas",
                "bram",
                **{**goal, "status": "active"},
            ),
            owned("goals", "d", "2026-06-23 09:01", 1, "kompas", "bram"),
            owned("mood_entries", "d", "2026-06-23 09:02", 2, "kompas", "noor"),
        ],
    }


STEPS = steps()


def in_order(names: list[str]) -> list[list[str]]:
    """Everyday life first, then what reaches back, then what takes back."""
    back = [n for n in names if any(word in n for word in ("bridge", "identity", "zones"))]
    gone = [n for n in names if any(word in n for word in ("corrections", "gone", "middle"))]
    return [[n for n in names if n not in back + gone], back, gone]


def backwards(names: list[str]) -> list[list[str]]:
    """What takes back and what reaches back come before what they are about."""
    turned = names[::-1]
    return [turned[:5], turned[5:]]


@pytest.fixture(scope="module")
def at_once(fresh_database: Callable[..., Warehouse]) -> House:
    """Everything loaded and built in one go."""
    house = House(fresh_database("at_once", seeded=True))
    for name, lines in STEPS.items():
        house.put(name, lines)
    house.load()
    house.build()
    return house


@pytest.fixture(scope="module")
def expected(at_once: House) -> dict[str, Rows]:
    return at_once.tables()


@pytest.mark.parametrize("order", [in_order, backwards])
def test_any_order_of_loads_with_builds_in_between(
    order: Callable[[list[str]], list[list[str]]],
    expected: dict[str, Rows],
    new_house: Callable[[str], House],
) -> None:
    house = new_house(order.__name__)
    for group in order(list(STEPS)):
        for name in group:
            house.put(name, STEPS[name])
        house.load()
        house.build()
    assert_equal(house.tables(), expected, order.__name__)
    assert_cases_happened(house)


def assert_cases_happened(house: House) -> None:
    """The surprises are in the data, so that equality says something."""
    assert house.query(
        "select count(*) from core.fact_sessions where tenant_id in (select tenant_id from "
        "core.dim_tenant where timezone = 'Africa/Johannesburg') and event_count = 2 "
        "and started_at = timestamptz '2026-06-10 23:45:00+00'"
    ) == [(1,)]
    assert house.query(
        "select event_count from core.fact_sessions where is_derived and is_long"
    ) == [(79,)]
    assert house.query(
        "select min(metric_date)::text from engagement.metrics_daily_engagement"
    ) == [("2026-01-05",)]
    assert house.query(
        "select count(*) from ops.record_conflicts where source_kind = 'events'"
    ) == [(3,)]
    assert house.query(
        "select sum(goals_completed), count(mood_avg) from coaching.fact_productivity"
    ) == [(0, 1)]
    assert house.query(
        "select step_name, users_entered, users_completed, median_minutes_from_start "
        "from engagement.onboarding_funnel where step_number < 4 order by step_number"
    ) == [("profile", 1, 1, 0), ("goal", 1, 1, 7), ("habit", 1, 0, None)]
    assert house.query(
        "select first_event_at::date::text from intermediate.int_engagement__first_actions "
        "where event_name = 'goal_created' order by 1"
    ) == [("2026-06-02",), ("2026-06-05",), ("2026-06-21",)]


def test_as_of_moves_forward_and_back(at_once: House, expected: dict[str, Rows]) -> None:
    """The days between, their completeness and the retention known follow as_of both ways."""
    at_once.build(ENGAGEMENT, as_of="2026-06-14 12:00")
    at_once.build(ENGAGEMENT, as_of="2026-07-10 03:00")
    at_once.build(ENGAGEMENT, as_of="2026-06-20 23:30")
    found = at_once.tables()
    assert found["engagement.metrics_daily_engagement"] != expected
    at_once.build(ENGAGEMENT, as_of="2026-06-20 23:30", full_refresh=True)
    assert_equal(found, at_once.tables(), "as_of forward and back")
