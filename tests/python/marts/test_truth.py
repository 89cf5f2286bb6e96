"""The sample's truth, worked out by the simulator from its own world, against the marts.

Belongs here: engagement, sessions, retention and productivity. Does not belong here: revenue.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from simulator import write_sample
from tallyhouse.database import Warehouse
from tests.python.marts.house import House

pytestmark = pytest.mark.slow

DAYS, SEED, SCALE = 60, 11, 0.15


@pytest.fixture(scope="module")
def house(fresh_database: Callable[..., Warehouse]) -> House:
    """Two months of a small sample, loaded and built."""
    house = House(fresh_database("truth", prepared=True))
    write_sample(house.landing.parent, days=DAYS, seed=SEED, scale=SCALE)
    house.load()
    house.build()
    return house


@pytest.fixture(scope="module")
def truth(house: House) -> Callable[[str], list[dict[str, str]]]:
    def read(name: str) -> list[dict[str, str]]:
        with (house.landing.parent / "truth" / f"{name}.csv").open() as file:
            return list(csv.DictReader(file))

    return read


def assert_same(found: Counter[Any], expected: Counter[Any]) -> None:
    assert expected, "there is something to compare"
    missing, extra = expected - found, found - expected
    assert not missing and not extra, (
        f"{sum(missing.values())} of {sum(expected.values())} rows are missing, e.g. "
        f"{list(missing)[:3]}; {sum(extra.values())} are too many, e.g. {list(extra)[:3]}"
    )


def test_daily_users(house: House, truth: Callable[[str], list[dict[str, str]]]) -> None:
    expected = Counter(
        (
            row["metric_date"],
            row["product"],
            row["tenant_id"],
            int(row["dau"]),
            int(row["new_users"]),
            row["is_complete"] == "true",
        )
        for row in truth("dau_daily")
    )
    found = Counter(
        house.query(
            "select metric_date::text, product, tenant_id::text, dau, new_users, is_complete "
            "from engagement.metrics_daily_engagement where dau > 0"
        )
    )
    assert_same(found, expected)


def test_sessions(house: House, truth: Callable[[str], list[dict[str, str]]]) -> None:
    keys = ("metric_date", "product", "tenant_id")
    counts = ("sessions", "session_users", "events", "active_minutes")
    expected = {
        tuple(row[key] for key in keys): (
            *(int(row[count]) for count in counts),
            Decimal(row["session_minutes"]),
        )
        for row in truth("sessions_daily")
    }
    found = {
        row[:3]: row[3:]
        for row in house.query(
            "select date_key::text, product, tenant_id::text, count(*), count(distinct user_id), "
            "sum(event_count)::integer, sum(active_minutes)::integer, "
            "round(sum(session_minutes), 6) from core.fact_sessions group by 1, 2, 3"
        )
    }
    assert expected.keys() == found.keys()
    for key, (*numbers, minutes) in expected.items():
        assert list(found[key][:-1]) == numbers, key
        assert abs(found[key][-1] - minutes) <= Decimal("0.000001"), key


def test_retention_in_every_known_cell(
    house: House, truth: Callable[[str], list[dict[str, str]]]
) -> None:
    expected = Counter(
        (
            *(row[key] for key in ("product", "tenant_id", "cohort_type", "cohort_start", "mode")),
            int(row["period_number"]),
            int(row["cohort_size"]),
            int(row["retained_users"]),
        )
        for row in truth("cohort_retention")
    )
    found = Counter(
        house.query(
            "select product, tenant_id::text, cohort_type, cohort_start::text, mode, "
            "period_number, cohort_size, retained_users from engagement.metrics_cohort_retention "
            "where retained_users is not null"
        )
    )
    assert_same(found, expected)


def test_productivity(house: House, truth: Callable[[str], list[dict[str, str]]]) -> None:
    counts = (
        *("goals_completed", "habits_checked", "chat_sessions", "tasks_completed"),
        *("sessions", "active_minutes"),
    )
    rows = truth("fact_productivity")
    expected = {
        (row["date_key"], row["tenant_id"], user_id(row["user_id"])): (
            *(int(row[count]) for count in counts),
            round(Decimal(row["mood_avg"]), 6) if row["mood_avg"] else None,
            Decimal(row["revenue_cents"]),
        )
        for row in rows
    }
    # the truth begins with the window, people paid before
    first_day = min(row["date_key"] for row in rows)
    found = {
        row[:3]: row[3:]
        for row in house.query(
            f"select date_key::text, tenant_id::text, user_id::text, {', '.join(counts)}, "
            "round(mood_avg, 6), revenue_cents from coaching.fact_productivity "
            f"where date_key >= date '{first_day}'"
        )
    }
    assert expected.keys() == found.keys()
    for key, (*numbers, cents) in expected.items():
        assert list(found[key][:-1]) == numbers, key
        assert abs(found[key][-1] - cents) <= Decimal("0.5"), key


def user_id(source_id: str) -> str:
    """The user of the truth's row; visitors stand there under their anonymous id."""
    return identity("anonymous", source_id) if source_id.startswith("anon-") else source_id


def identity(kind: str, source_id: str) -> str:
    """The identity convention, written out once more."""
    text = f"upcoach|{kind}|{source_id}"
    return str(UUID(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()))
