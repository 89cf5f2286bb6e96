"""New incremental models, written from docs/incremental.md alone, and what a wrong one is told.

Belongs here: the page's own examples run, each thing it says is refused, statements per build.
"""

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.building import run_dbt
from tests.python.marts.house import House
from tests.python.marts.upcoach_lines import event, organization

pytestmark = pytest.mark.slow

NAME = "int_engagement__sessions_7_days"
FOLDER = "models/intermediate/engagement"
UPSTREAM = ("+metrics_daily_engagement",)
PAGE = (PROJECT_ROOT / "docs" / "incremental.md").read_text("utf-8")
EVERY_DAY, ROLLING, JOINED = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
OTHERS = """
    select *, metric_date as other_date, {{ add_days('cast(metric_date as date)', 6) }} as seventh_date
    from daily
"""
# of a model whose keys changed: our own statements and those that dbt sends for any incremental model
STATEMENTS_OF_A_BUILD = 9 + 9

FIRST = [
    event(f"f{number}", tenant, user, f"2026-03-{day:02d} {hour}:00:00")
    for number, (tenant, user, day, hour) in enumerate(
        (tenant, user, day, hour)
        for tenant in ("north", "south")
        for user, days in (("ada", range(1, 20)), ("bob", range(1, 20, 4)))
        for day in days
        for hour in ("09", "15")
    )
]
LATE = [
    event("l1", "north", "ada", "2026-03-08 22:00:00", received="2026-03-19 16:00:00"),
    event("l2", "south", "eve", "2026-02-20 12:00:00", received="2026-03-19 16:00:00"),
]


class Project:
    """The project with one model more, on a warehouse of its own."""

    def __init__(self, folder: Path, warehouse: Warehouse) -> None:
        self.root = folder / "project"
        self.root.mkdir()
        for part in PROJECT_ROOT.iterdir():
            if part.name not in (".git", ".venv", "models", "target", "logs", ".tallyhouse"):
                (self.root / part.name).symlink_to(part)
        shutil.copytree(PROJECT_ROOT / "models", self.root / "models")
        settings = replace(warehouse.settings, root=self.root)
        self.house = House(replace(warehouse, settings=settings))

    def write(self, sql: str) -> None:
        (self.root / FOLDER / f"{NAME}.sql").write_text(sql, "utf-8")

    def refusal(self, sql: str) -> str:
        """What a build of the model says, the first time."""
        self.write(sql)
        with self.house.warehouse.connect() as connection:
            connection.execute(f"drop table if exists intermediate.{NAME}")
        outcome = self.run()
        assert not outcome.success
        assert not self.house.query(
            f"select 1 from information_schema.tables where table_name = '{NAME}'"
        )
        return " ".join(outcome.failures)

    def run(self, *args: str) -> dbt.DbtOutcome:
        return run_dbt(self.house.warehouse, "run", "--select", NAME, *args)

    def statements_of_a_run(self, log: Path) -> int:
        """How many statements a run sends for the model; dbt tells them to a log alone."""
        told = Counter[str]()

        def count(event: Any) -> None:
            if event.info.name == "SQLQuery":
                told[event.data.node_info.node_name] += 1

        logged = ("--log-path", str(log), "--log-level-file", "debug")
        warehouse = self.house.warehouse
        assert run_dbt(warehouse, "run", "--select", NAME, *logged, on_event=count).success
        return told[NAME]


@pytest.fixture(scope="module")
def project(
    fresh_database: Callable[..., Warehouse], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """With 19 days of two tenants in it, built."""
    project = Project(tmp_path_factory.mktemp("new"), fresh_database("new_model", seeded=True))
    house = project.house
    house.put("events/upcoach/first.jsonl", FIRST)
    house.put(
        "cdc/upcoach/zones.jsonl",
        [
            organization("north", "c", "2026-01-01 00:00", "America/New_York"),
            organization("south", "c", "2026-01-01 00:00", "Africa/Johannesburg"),
        ],
    )
    house.load()
    house.build(UPSTREAM)
    yield project


def sums_of_7_days(house: House) -> dict[tuple[str, date], int]:
    """Tenant and day → sessions of the 7 days that end with it, added up here."""
    daily = {
        (tenant, day): int(sessions)
        for tenant, day, sessions in house.query(
            "select tenant_id::text, metric_date, sessions from engagement.metrics_daily_engagement"
        )
    }
    return {
        (tenant, day): sum(daily.get((tenant, day - timedelta(days=back)), 0) for back in range(7))
        for tenant, day in daily
    }


def found(house: House) -> dict[tuple[str, date], int]:
    return {
        (tenant, day): int(sessions)
        for tenant, day, sessions in house.query(
            f"select tenant_id::text, metric_date, sessions_7_days from intermediate.{NAME}"
        )
    }


@pytest.mark.parametrize("sql", [ROLLING, JOINED], ids=["window", "self-join"])
def test_without_its_reach_a_window_over_days_is_refused(project: Project, sql: str) -> None:
    forgotten = sql.replace(", 'reach': 6", "")
    assert forgotten != sql
    sentence = project.refusal(forgotten)
    assert "looks at other days" in sentence
    assert "`reach: 6`" in sentence


def test_a_window_that_the_text_does_not_show_is_refused_by_its_rows(project: Project) -> None:
    """The day of the join stands in a column of another name and is shifted by a macro."""
    hidden = JOINED.replace(", 'reach': 6", "")
    hidden = hidden.replace("inner join daily as earlier", "inner join others as earlier")
    hidden = hidden.replace("final as (", f"others as ({OTHERS}),\n\nfinal as (")
    hidden = re.sub(
        r"earlier\.metric_date between .*? and daily\.metric_date",
        "earlier.seventh_date >= daily.metric_date and earlier.other_date <= daily.metric_date",
        hidden,
    )
    assert "others as earlier" in hidden and "seventh_date" in hidden
    sentence = project.refusal(hidden)
    assert "as the newest keys, built alone, show" in sentence
    assert "`reach: 6`" in sentence


@pytest.mark.parametrize(
    ("wrong", "right", "sentence"),
    [
        ("'key': ['tenant_id', 'metric_date']", "'key': ['metric_date']", "the tenant among them"),
        (
            "ref('metrics_daily_engagement')",
            "ref('metrics_cohort_retention')",
            "rebuilt as a whole",
        ),
        ("ref('metrics_daily_engagement')", "ref('int_core__user_aliases')", "do not say which"),
        ("'days': 'local'", "'days': 'local', 'through': 'fact_events'", "Add ref('fact_events')"),
        ("where {{ is_affected('tenant_id', 'metric_date') }}", "", "Restrict what it reads"),
        ("partition by product, tenant_id", "partition by product", "Add tenant_id to its part"),
        ("'metric_date'], 'days'", "'made_up_date'], 'days'", "has no column made_up_date"),
    ],
)
def test_what_a_key_requires_is_said_on_the_first_build(
    project: Project, wrong: str, right: str, sentence: str
) -> None:
    assert wrong in ROLLING
    assert sentence in project.refusal(ROLLING.replace(wrong, right))


def test_the_examples_of_the_page_are_right_on_every_build(
    project: Project, tmp_path: Path
) -> None:
    house = project.house
    for sql in (EVERY_DAY, JOINED, ROLLING):
        project.write(sql)
        assert project.run().success
    before = sums_of_7_days(house)
    assert found(house) == before

    house.put("events/upcoach/late.jsonl", LATE)
    house.load()
    house.build(UPSTREAM)
    statements = project.statements_of_a_run(tmp_path)
    expected = sums_of_7_days(house)
    assert found(house) == expected
    changed = {key for key in expected if expected[key] != before.get(key)}
    assert len(changed) > 7
    # written were the days that l1 reaches and those before the tenant's former first day
    rewritten = house.query(
        f"select count(*) from intermediate.{NAME} where xmin::text::bigint ="
        f" (select max(xmin::text::bigint) from intermediate.{NAME})"
    )
    assert rewritten[0][0] < len(expected)
    assert 0 < statements <= STATEMENTS_OF_A_BUILD
    assert project.run("--full-refresh").success
    assert found(house) == expected
