"""Events and changes up to 400 days late, late identification, first days that move: in any split and order of loads.

Each ends with every table of engagement, coaching, experiments and customers as a full refresh makes it (rules 40,
44, 48, 63, 65).
"""

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tallyhouse.database import Warehouse
from tests.python.marts import rostracore_lines, upcoach_lines
from tests.python.marts.house import ENGAGEMENT, House, Rows, assert_equal
from tests.python.marts.upcoach_lines import change, organization, owned, uid

pytestmark = pytest.mark.slow

# what events feed, and what changes feed without them: registers with time zones, tests, goals
FED = (
    "stg_events__events+",
    *(
        f"path:models/{layer}/{domain}"
        for layer in ("intermediate", "marts")
        for domain in ("core", "engagement", "coaching", "experiments", "customers")
    ),
)
AS_OF = "2026-07-01 12:00"
# around the ends of years, weeks, months, trailing windows and winter time; from the first to the last are 400 days
DAYS = ("2025-05-26", "2025-12-31", "2026-01-01", "2026-01-04", "2026-01-05", "2026-01-31", "2026-02-01",
        "2026-03-01", "2026-03-08", "2026-03-31", "2026-06-02", "2026-06-29", "2026-06-30")  # fmt: skip
TIMES = ("00:10", "04:30", "12:00", "23:50")
# 0 is in time: a second after it occurred
RECEIVED = {number: f"2026-06-30 2{number}:59:59" for number in (1, 2, 3)}
ZONES = {"north": "America/New_York", "south": "Africa/Johannesburg"}
USERS = ("ada", "bob")
SCHEMAS = (
    "core",
    "engagement",
    "coaching",
    "customers",
    "experiments",
    "features",
    "fulfilment",
    "intermediate",
)
# the product that hears of it, the event's name and properties
DONE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "opened": ("upcoach", "app_opened", {}),
    "goal": ("upcoach", "goal_created", {}),
    "onboarded": ("upcoach", "onboarding_step_completed", {"step": "profile"}),
    "told": ("upcoach", "notification_sent", {}),
    "praised": ("upcoach", "survey_answered", {"survey": "nps", "score": 9}),
    "blamed": ("upcoach", "survey_answered", {"survey": "nps", "score": 2}),
    "stuck": ("upcoach", "help_accessed", {"topic": "goals"}),
    "invited": ("upcoach", "invite_accepted", {}),
    "saw A": ("rostracore", "experiment_exposed", {"variant": "A"}),
    "saw B": ("rostracore", "experiment_exposed", {"variant": "B"}),
    "referred": ("rostracore", "referral_sent", {}),
    "overrode": ("rostracore", "roster_manual_override", {"reason": "cost"}),
}
CHANGES = 20  # lines of `changes`
Line = dict[str, Any]
Lines = dict[str, list[Line]]  # product or kind of source → lines


class Seen(NamedTuple):
    """One body of an event; the one that was received first counts (rule 40)."""

    number: int
    tenant: str
    user: str | None
    visitor: str | None
    day: str
    time: str
    received: int
    session: str | None = None
    done: str = "opened"


def known_by_something(seen: Seen) -> bool:
    return seen.user is not None or seen.visitor is not None


BODIES = st.builds(
    Seen,
    number=st.integers(0, 24),
    tenant=st.sampled_from(sorted(ZONES)),
    user=st.sampled_from([*USERS, None]),
    visitor=st.sampled_from(["phone", "tablet", None]),
    day=st.sampled_from(DAYS),
    time=st.sampled_from(TIMES),
    received=st.integers(0, 3),
    session=st.sampled_from([None, None, "given"]),
    done=st.sampled_from(sorted(DONE)),
).filter(known_by_something)
LOADS = st.lists(st.lists(BODIES, min_size=1, max_size=24), min_size=2, max_size=3)
# with which load each change comes, the first time and again
COMES = st.lists(st.integers(0, 2), min_size=CHANGES, max_size=CHANGES)

EARLIER_LATER_AND_LATE_IDENTITY = [
    [
        Seen(1, "north", "ada", None, "2026-03-01", "12:00", 2),
        Seen(2, "north", "ada", None, "2026-06-29", "12:00", 1),
        Seen(3, "south", None, "phone", "2026-01-31", "23:50", 1),
        Seen(4, "south", "bob", None, "2026-03-01", "12:00", 1),
        Seen(5, "north", "bob", None, "2026-01-05", "12:00", 2),
        Seen(6, "north", "bob", None, "2026-06-30", "12:00", 0),
        Seen(10, "north", None, "tablet", "2026-06-02", "04:30", 1, None, "saw A"),
        Seen(11, "north", "ada", None, "2026-06-29", "12:00", 1, None, "referred"),
        Seen(12, "south", None, "phone", "2026-06-02", "04:30", 1, None, "blamed"),
        Seen(13, "south", "bob", None, "2026-06-30", "12:00", 0, None, "praised"),
    ],
    [
        Seen(7, "north", "ada", None, "2026-01-01", "12:00", 1),  # ada's first day moves earlier
        Seen(
            8, "south", "bob", "phone", "2026-06-30", "12:00", 1
        ),  # so does bob's: the phone was his
        Seen(5, "north", "bob", None, "2026-03-31", "12:00", 1),  # and this bob's moves later
        Seen(14, "north", "ada", "tablet", "2026-06-30", "12:00", 1, None, "saw B"),  # who saw both
        Seen(15, "north", "bob", None, "2026-06-02", "12:00", 1, None, "goal"),  # answers a nudge
    ],
    [
        Seen(1, "north", "ada", None, "2025-05-26", "12:00", 1),  # 400 days late
        Seen(
            8, "south", "ada", "phone", "2026-06-30", "12:00", 1, "given"
        ),  # it was somebody else's
        Seen(16, "south", "bob", None, "2025-05-26", "23:50", 3, None, "stuck"),
    ],
]
IN_LOADS = [*[0, 1, 2, 2] * 5][:CHANGES]
_examples = count(1)


@pytest.fixture(scope="module")
def warehouse(fresh_database: Callable[..., Warehouse]) -> House:
    """Everything built once, without an event. Each example has two tenants of each product of its own in it."""
    house = House(fresh_database("first_days", seeded=True))
    house.build(("*",), as_of=AS_OF)
    return house


def told(seen: Seen, example_number: int) -> tuple[str, Line]:
    """The product that hears of it, and the event of tenants, users and ids that no other example has."""
    product, name, properties = DONE[seen.done]
    suffix = f"x{example_number}"
    received = RECEIVED.get(seen.received)
    event_id, occurred = f"{suffix}-{seen.tenant}-{seen.number}", f"{seen.day} {seen.time}:00"
    known: dict[str, Any] = {
        "session": seen.session,
        "anonymous": seen.visitor,
        "received": received,
    }
    if product == "upcoach":
        user = f"{seen.user}-{suffix}" if seen.user else None
        tenant = f"{seen.tenant}-{suffix}"
        return product, upcoach_lines.event(
            event_id, tenant, user, occurred, name=name, **known, **properties
        )
    org = company(seen.tenant, example_number)
    if name == "experiment_exposed":
        properties = {"test_name": f"test of {org}", **properties}
    guard = 10 * org + USERS.index(seen.user) if seen.user else None
    event = rostracore_lines.event(event_id, org, guard, occurred, name, **known, **properties)
    return product, event


def company(tenant: str, example_number: int) -> int:
    return 100 * example_number + sorted(ZONES).index(tenant)


def changes(example_number: int) -> list[tuple[str, Line]]:
    """Zones, an experiment, and what is coached, of both tenants; all of it is long over on the day of `AS_OF`."""
    lines: list[tuple[str, Line]] = []
    suffix = f"x{example_number}"
    for tenant, zone in ZONES.items():
        org, own = company(tenant, example_number), f"{tenant}-{suffix}"
        ada, bob, coach = (f"{name}-{suffix}" for name in (*USERS, "coach"))
        number, registered = 10 * org, ada if tenant == "north" else bob
        created = {"created_at": "2025-06-01T08:00:00Z"}
        goal = {"title": "Run", "status": "active", **created}
        done = {"status": "completed", "completed_at": "2026-03-08T06:30:00Z"}
        person = {"organization_id": uid(own), "coach_id": uid(coach), "role": "client", "plan": "pro",
                  "signup_at": "2025-06-01T08:00:00Z"}  # fmt: skip
        upcoach = [
            organization(own, "c", "2025-05-01 00:00", zone),
            change("users", "c", "2025-06-01 08:00", person, {"id": uid(registered)}),
            owned("goals", "c", "2025-06-01 08:00", number, own, ada, **goal),
            owned("goals", "u", "2026-03-08 06:30", number, own, ada, **{**goal, **done}),
            owned("habits", "c", "2025-06-01 08:00", number, own, bob, name="Read", cadence="daily", **created),
            owned("mood_entries", "c", "2026-06-30 22:00", number, own, bob, score=4,
                  entered_at="2026-06-30T22:00:00Z"),
            owned("ai_nudges", "c", "2026-06-02 03:00", number, own, bob, persona="friend",
                  sent_at="2026-06-02T03:00:00Z"),
            owned("ai_nudges", "c", "2025-05-26 03:00", number + 1, own, ada, persona="friend",
                  sent_at="2025-05-26T03:00:00Z"),
        ]  # fmt: skip
        dates = {
            key: rostracore_lines.day(day)
            for key, day in (("start_date", DAYS[0]), ("end_date", DAYS[-1]))
        }
        tried = {
            "test_name": f"test of {org}",
            "status": "running",
            "planned_users_per_variant": 3,
            **dates,
        }
        rostracore = [
            rostracore_lines.organization(org, "c", "2025-05-01 00:00:00", zone),
            rostracore_lines.row(
                "ab_tests", "c", "2025-05-20 08:00:00", {"test_id": org}, org, **tried
            ),
        ]
        lines += [("upcoach", line) for line in upcoach] + [
            ("rostracore", line) for line in rostracore
        ]
    assert len(lines) == CHANGES
    return lines


def put(house: House, place: str, told_lines: Iterable[tuple[str, Line]]) -> None:
    """A file of each product that has lines; `place` has a hole for it."""
    files: Lines = {}
    for product, line in told_lines:
        files.setdefault(product, []).append(line)
    for product, lines in files.items():
        house.put(place.format(product), lines)


def assert_fed(house: House, example_number: int) -> None:
    """Each tenant of the example has its time zone and, where its changes came, what they are about."""
    zones = house.query("select tenant_id::text, timezone from core.dim_tenant")
    wanted = {uid(f"{tenant}-x{example_number}"): zone for tenant, zone in ZONES.items()}
    assert {tenant: zone for tenant, zone in zones if tenant in wanted} == wanted
    for table in ("experiments.experiment_results", "coaching.metrics_daily_goals",
                  "coaching.metrics_hourly_ai_nudges", "customers.customer_health_scores"):  # fmt: skip
        assert house.rows(table), table


def every_table(house: House) -> dict[str, Rows]:
    names = house.query(
        "select table_schema || '.' || table_name from information_schema.tables where table_type ="
        f" 'BASE TABLE' and table_schema in {SCHEMAS}"
    )
    return {name: house.rows(name) for (name,) in names}


@given(loads=LOADS, comes=COMES, comes_again=COMES)
@example(loads=EARLIER_LATER_AND_LATE_IDENTITY, comes=IN_LOADS, comes_again=IN_LOADS[::-1])
@settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_table_is_what_a_full_refresh_gives(
    warehouse: House, loads: list[list[Seen]], comes: list[int], comes_again: list[int]
) -> None:
    example_number = next(_examples)
    happened = changes(example_number)
    for number, load in enumerate(loads):
        is_last = number == len(loads) - 1
        for turn, places in enumerate((comes, comes_again)):
            due = [
                line
                for line, place in zip(happened, places, strict=True)
                if place == number or (is_last and place > number)
            ]
            put(warehouse, f"cdc/{{}}/x{example_number}-{number}-{turn}.jsonl", due)
        events = [told(seen, example_number) for seen in load]
        put(warehouse, f"events/{{}}/x{example_number}-{number}.jsonl", events)
        warehouse.load()
        warehouse.build(FED, as_of=AS_OF)
    incremental = every_table(warehouse)
    assert_fed(warehouse, example_number)
    warehouse.build(FED, as_of=AS_OF, full_refresh=True)
    assert_equal(incremental, every_table(warehouse), f"loads {loads}, {comes}, {comes_again}")


def new_users(house: House, period: str, column: str) -> dict[str, int]:
    """First day of the period → new users, where there are any."""
    return dict(
        house.query(
            f"select {column}::text, new_users from engagement.metrics_{period}_engagement"
            " where new_users > 0"
        )
    )


def test_a_user_counts_as_new_on_one_day_only(
    shared_data: Path, new_house: Callable[[str], House]
) -> None:
    """A late event moves u1's first day from June to January, a late identity u3's from March."""
    case = shared_data / "cases" / "events" / "newusers"
    house = new_house("newusers")
    for landing in ("landing1", "landing2"):
        source = case / landing / "events" / "newusers"
        folder = house.landing / "events" / "newusers"
        folder.mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())
        house.load([case / "contract"])
        house.build(ENGAGEMENT)
    assert new_users(house, "daily", "metric_date") == {
        "2026-01-01": 1,
        "2026-01-15": 1,
        "2026-01-20": 1,
    }
    assert new_users(house, "weekly", "week_start") == {
        "2025-12-29": 1,
        "2026-01-12": 1,
        "2026-01-19": 1,
    }
    assert new_users(house, "monthly", "month_start") == {"2026-01-01": 3}
