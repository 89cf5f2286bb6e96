"""`dbt build --empty`: every model and test is SQL that the database takes, and what it emptied is built anew.

Belongs here: dbt's own flag on a whole project and on a filled warehouse. Does not belong here: what rows there are.
"""

from collections.abc import Callable

import pytest

from tallyhouse.database import Warehouse
from tests.building import run_dbt
from tests.python.marts.house import ENGAGEMENT, House, assert_equal
from tests.python.marts.upcoach_lines import event, organization

pytestmark = pytest.mark.slow

TABLES = (
    "core.fact_events",
    "core.fact_sessions",
    "engagement.metrics_daily_engagement",
    "engagement.metrics_weekly_engagement",
)


def test_everything_is_built_and_tested_without_rows(
    fresh_database: Callable[..., Warehouse],
) -> None:
    warehouse = fresh_database("empty_build", prepared=True)
    outcome = run_dbt(warehouse, "build", "--empty", "--exclude-resource-type", "unit_test")
    assert outcome.success, outcome.failures
    with warehouse.connect() as connection:
        built = connection.execute("select count(*) from engagement.metrics_daily_engagement")
        assert built.fetchone() == (0,)


def test_what_was_emptied_is_whole_after_the_next_build(
    fresh_database: Callable[..., Warehouse],
) -> None:
    house = House(fresh_database("emptied", seeded=True))
    tenants = ("north", "south")
    zones = [organization(name, "c", "2026-01-01 00:00", "America/New_York") for name in tenants]
    house.put("cdc/upcoach/zones.jsonl", zones)
    visits = [event(f"a-{name}", name, "ada", "2026-03-02 09:00:00") for name in tenants]
    house.put("events/upcoach/001.jsonl", visits)
    house.load()
    house.build(ENGAGEMENT)
    before = house.tables(TABLES)
    assert all(before.values())
    outcome = run_dbt(house.warehouse, "run", "--empty", "--select", *ENGAGEMENT)
    assert outcome.success, outcome.failures
    assert not any(house.tables(TABLES).values())
    house.build(ENGAGEMENT)
    assert_equal(house.tables(TABLES), before, "after an empty build")
