"""First days that move earlier and later, and late identification, in any split and order of loads.

Each ends with every table that events feed as a full refresh makes it (rules 40, 44, 48, 63).
"""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tallyhouse.database import Warehouse
from tests.python.marts.house import ENGAGEMENT, House, Rows, assert_equal
from tests.python.marts.upcoach_lines import event, organization

pytestmark = pytest.mark.slow

FED_BY_EVENTS = ("stg_events__events+",)
AS_OF = "2026-07-01 12:00"
# around the ends of weeks, months and of the trailing windows
DAYS = ("01-01", "01-04", "01-05", "01-31", "02-01", "03-01", "03-02", "03-31", "06-29", "06-30")
TIMES = ("00:10", "04:30", "12:00", "23:50")
ZONES = {"north": "America/New_York", "south": "Africa/Johannesburg"}
SCHEMAS = ("core", "engagement", "coaching", "customers", "features", "fulfilment", "intermediate")


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


def known_by_something(seen: Seen) -> bool:
    return seen.user is not None or seen.visitor is not None


BODIES = st.builds(
    Seen,
    number=st.integers(0, 24),
    tenant=st.sampled_from(sorted(ZONES)),
    user=st.sampled_from(["ada", "bob", None]),
    visitor=st.sampled_from(["phone", "tablet", None]),
    day=st.sampled_from(DAYS),
    time=st.sampled_from(TIMES),
    received=st.integers(1, 3),
    session=st.sampled_from([None, None, "given"]),
).filter(known_by_something)
LOADS = st.lists(st.lists(BODIES, min_size=1, max_size=14), min_size=2, max_size=3)

EARLIER_LATER_AND_LATE_IDENTITY = [
    [
        Seen(1, "north", "ada", None, "03-02", "12:00", 2),
        Seen(2, "north", "ada", None, "06-29", "12:00", 1),
        Seen(3, "south", None, "phone", "01-31", "23:50", 1),
        Seen(4, "south", "bob", None, "03-01", "12:00", 1),
        Seen(5, "north", "bob", None, "01-05", "12:00", 2),
        Seen(6, "north", "bob", None, "06-30", "12:00", 1),
    ],
    [
        Seen(7, "north", "ada", None, "01-01", "12:00", 1),  # ada's first day moves earlier
        Seen(8, "south", "bob", "phone", "06-30", "12:00", 1),  # so does bob's: the phone was his
        Seen(5, "north", "bob", None, "03-31", "12:00", 1),  # and this bob's moves later
    ],
    [
        Seen(1, "north", "ada", None, "01-04", "12:00", 1),
        Seen(8, "south", "ada", "phone", "06-30", "12:00", 1, "given"),  # it was somebody else's
    ],
]
_examples = count(1)


@pytest.fixture(scope="module")
def warehouse(fresh_database: Callable[..., Warehouse]) -> House:
    """Everything built once, without an event. Each example has two tenants of its own in it."""
    house = House(fresh_database("first_days", seeded=True))
    house.build(("*",), as_of=AS_OF)
    return house


def lines(loads: list[list[Seen]], suffix: str) -> list[list[dict[str, Any]]]:
    """The bodies as events of tenants, users and ids that no other example has."""
    return [
        [
            event(
                f"{suffix}-{seen.tenant}-{seen.number}",
                f"{seen.tenant}-{suffix}",
                f"{seen.user}-{suffix}" if seen.user else None,
                f"2026-{seen.day} {seen.time}:00",
                anonymous=seen.visitor,
                session=seen.session,
                received=f"2026-06-30 2{seen.received}:59:59",
            )
            for seen in load
        ]
        for load in loads
    ]


def every_table(house: House) -> dict[str, Rows]:
    names = house.query(
        "select table_schema || '.' || table_name from information_schema.tables where table_type ="
        f" 'BASE TABLE' and table_schema in {SCHEMAS}"
    )
    return {name: house.rows(name) for (name,) in names}


@given(loads=LOADS)
@example(loads=EARLIER_LATER_AND_LATE_IDENTITY)
@settings(
    max_examples=1,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_table_is_what_a_full_refresh_gives(
    warehouse: House, loads: list[list[Seen]]
) -> None:
    suffix = f"x{next(_examples)}"
    warehouse.put(
        f"cdc/upcoach/{suffix}.jsonl",
        [
            organization(f"{tenant}-{suffix}", "c", "2026-06-01 00:00", zone)
            for tenant, zone in ZONES.items()
        ],
    )
    for number, load in enumerate(lines(loads, suffix)):
        warehouse.put(f"events/upcoach/{suffix}-{number}.jsonl", load)
        warehouse.load()
        warehouse.build(FED_BY_EVENTS, as_of=AS_OF)
    incremental = every_table(warehouse)
    assert "intermediate.int_engagement__calendar" in incremental
    warehouse.build(FED_BY_EVENTS, as_of=AS_OF, full_refresh=True)
    assert_equal(incremental, every_table(warehouse), f"loads {loads}")


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
