"""A warehouse that tests fill through the ordinary loader and build with dbt, and read row for row.

Belongs here: landing, loading, building, reading. Does not belong here: what the numbers should be.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from app.building import days_to_rebuild
from ingestion.load import load_all
from tallyhouse.database import Warehouse
from tallyhouse.settings import parse_instant
from tests.building import NO_SEEDS, NO_TESTS, run_dbt

ENGAGEMENT = ("+path:models/marts/engagement", "+fact_sessions")
PRODUCTIVITY = (*ENGAGEMENT, "+fact_productivity")
TABLES = (
    "core.fact_events",
    "core.fact_sessions",
    "intermediate.int_engagement__user_days",
    "intermediate.int_engagement__user_weeks",
    "intermediate.int_engagement__user_months",
    "intermediate.int_engagement__users",
    "intermediate.int_engagement__cohort_actives",
    "intermediate.int_engagement__daily_actives",
    "intermediate.int_engagement__daily_messages",
    "intermediate.int_engagement__user_action_days",
    "intermediate.int_engagement__first_actions",
    "engagement.metrics_daily_engagement",
    "engagement.metrics_weekly_engagement",
    "engagement.metrics_monthly_engagement",
    "engagement.metrics_cohort_retention",
    "engagement.metrics_user_retention",
    "engagement.metrics_hourly_engagement",
    "engagement.metrics_daily_feature_usage",
    "engagement.feature_usage_stats",
    "engagement.feature_adoption",
    "engagement.user_engagement_bands",
    "engagement.onboarding_funnel",
    "engagement.metrics_daily_activation",
    "coaching.fact_productivity",
)
Rows = Counter[str]


class House:
    """One database with its landing folder."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.landing = Path(warehouse.settings.landing)

    def put(self, path: str, lines: Iterable[dict[str, Any]]) -> None:
        """Write a file of JSON lines below the landing folder."""
        file = self.landing / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    def load(self, contracts: Iterable[Path] = ()) -> None:
        settings = replace(self.warehouse.settings, contracts=tuple(contracts))
        load_all(self.warehouse.connect, settings, processes=1)

    def build(
        self,
        select: Iterable[str] = PRODUCTIVITY,
        *,
        as_of: str | None = None,
        full_refresh: bool = False,
        days: tuple[date, date] | None = None,
    ) -> None:
        """Models, without dbt's own tests and without seeds, which the database came with."""
        settings = replace(
            self.warehouse.settings, as_of=parse_instant(as_of, "as_of") if as_of else None
        )
        refresh = ["--full-refresh"] if full_refresh else []
        refresh += days_to_rebuild(*days) if days else []
        warehouse = replace(self.warehouse, settings=settings)
        outcome = run_dbt(warehouse, "build", "--select", *select, *NO_TESTS, *NO_SEEDS, *refresh)
        assert outcome.success, outcome.failures

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(text.encode()).fetchall()

    def rows(self, table: str) -> Rows:
        """All rows of a table, JSON as text; equal tables give equal answers."""
        return Counter(row for (row,) in self.query(f"select to_jsonb(t)::text from {table} as t"))

    def is_partly_written_anew(self, table: str) -> bool:
        """Whether the newest build that wrote to a table wrote some of its rows and left others."""
        [(written, rows)] = self.query(
            "select count(*) filter (where xmin::text::bigint = newest), count(*)"
            f" from (select xmin, max(xmin::text::bigint) over () as newest from {table}) as held"
        )
        return 0 < written < rows

    def tables(self, tables: Iterable[str] = TABLES) -> dict[str, Rows]:
        return {table: self.rows(table) for table in tables}


def assert_full_refresh_changes_nothing(
    house: House, select: Iterable[str], tables: Iterable[str], what: str
) -> dict[str, Rows]:
    """The tables, each with rows, are row for row those of a full refresh; returns them."""
    incremental = house.tables(tables)
    house.build(select, full_refresh=True)
    assert_equal(incremental, house.tables(tables), what)
    assert {name for name, rows in incremental.items() if rows} == set(tables)
    return incremental


def assert_equal(found: dict[str, Rows], expected: dict[str, Rows], what: str) -> None:
    """Row for row, with the first differences of every table in the message."""
    differences = []
    for table, rows in expected.items():
        missing, extra = rows - found[table], found[table] - rows
        if missing or extra:
            differences.append(
                f"{table} misses {sum(missing.values())} rows, e.g. {sorted(missing)[:3]}, "
                f"and has {sum(extra.values())} too many, e.g. {sorted(extra)[:3]}"
            )
    assert not differences, f"{what}: " + "\n".join(differences)
