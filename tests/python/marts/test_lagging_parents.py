"""A part built by hand in a warehouse that holds loads which were not built: what is said of its parents.

Belongs here: who is named, and when nothing is said. Does not belong here: that the rows heal with
the next build (`test_incremental_equals_full_refresh`).
"""

from collections.abc import Callable

import pytest

from app import building
from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tests.building import read_untested, run_dbt
from tests.python.marts.house import House
from tests.python.marts.upcoach_lines import event, organization

pytestmark = pytest.mark.slow

MART = "metrics_daily_engagement"


def said(house: House, *names: str) -> list[str]:
    """What dbt warns of when somebody runs these models by hand."""
    outcome = run_dbt(house.warehouse, "run", "--select", *names)
    assert outcome.success, outcome.failures
    return [warning for warning in outcome.warnings if "newest load" in warning]


def build(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command line builds, and remembers it; without tests, which take longer."""
    monkeypatch.setenv("DBT_WRITE_JSON", "false")
    monkeypatch.setattr(dbt, "read_project", read_untested)
    settings = house.warehouse.settings
    building.build(settings, house.warehouse, select=f"+{MART}")


def test_parents_that_lag_are_named_with_the_selection_that_builds_them(
    fresh_database: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(fresh_database("lagging", seeded=True))
    house.put(
        "cdc/upcoach/zones.jsonl",
        [
            organization("north", "c", "2026-01-01 00:00", "America/New_York"),
            organization("south", "c", "2026-01-01 00:00", "Africa/Johannesburg"),
        ],
    )
    house.put(
        "events/upcoach/001.jsonl",
        [event(f"a-{t}", t, "ada", "2026-03-02 09:00:00") for t in ("north", "south")],
    )
    house.load()
    build(house, monkeypatch)
    assert said(house, MART) == [], "everything holds the newest load"
    build(house, monkeypatch)

    house.put("events/upcoach/002.jsonl", [event("b", "north", "ada", "2026-03-03 09:00:00")])
    house.load()
    (warning,) = said(house, MART, "dim_date")
    assert "int_engagement__daily_actives" in warning
    assert "more, built before" in warning, "those it reads first, of the others their number"
    assert f"--select +{MART}," in warning, "dim_date reads nothing that lags"

    build(house, monkeypatch)
    assert said(house, MART) == []
