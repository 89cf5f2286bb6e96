"""A run builds only what its load touched, and ends where a build of everything does.

One warehouse is built from most of the sample and copied for each case. Belongs here: what is built
and left out on a real database, and that the rows are right. Does not belong here: the arithmetic
of what is due (tests/python/app/test_build_plan.py).
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from app import build_ledger, building, guard, learning, pipeline
from app.building import Built
from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings
from tests.building import read_untested
from tests.end_to_end.deliveries import sources, write
from tests.end_to_end.house import COMMAND
from tests.end_to_end.marts import contents, places

pytestmark = pytest.mark.slow

LATE = (  # files of the sample that come after the first build
    "stripe/acct_upcoach/2026-10-26-week.jsonl.gz",
    "events/rostracore/2026-10-28.jsonl",
)
TESTS = "test unit_test"


@dataclass(frozen=True)
class Hour:
    """A warehouse, and the files that have not arrived yet."""

    warehouse: Warehouse
    late: Path

    @property
    def settings(self) -> Settings:
        return self.warehouse.settings

    @property
    def landing(self) -> Path:
        return Path(self.settings.landing)

    def arrive(self, *files: str) -> None:
        for name in files:
            (self.landing / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.late / name, self.landing / name)
        pipeline.load(self.settings, self.warehouse)

    def build(self, **options: Any) -> Built:
        """What a run does after loading, without dbt's own tests."""
        built = building.build_due(self.settings, self.warehouse, predictions=False, **options)
        learning.train(self.settings, self.warehouse, only_due=True)
        return built + building.build_due(
            self.settings, self.warehouse, predictions=True, **options
        )

    def at(self, as_of: str) -> "Hour":
        settings = self.settings.with_options(as_of=as_of)
        return replace(self, warehouse=replace(self.warehouse, settings=settings))

    def of_engagement(self) -> dict[str, str]:
        """Where each row of the engagement tables and of the facts they read lies, and who wrote it."""
        return {
            name: place
            for name, place in places(self.warehouse).items()
            if name.startswith(("engagement.", "intermediate.int_engagement"))
            or name in ("core.fact_events", "core.fact_sessions")
        }

    def execute(self, statement: str) -> None:
        with self.warehouse.connect(autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="module", autouse=True)
def _quickly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Rows are what counts here, and the project is the one that the session parsed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_EXCLUDE_RESOURCE_TYPES", TESTS)
        patch.setenv("DBT_TARGET_PATH", str(tmp_path_factory.mktemp("target")))
        patch.setattr(dbt, "read_project", read_untested)
        yield


@pytest.fixture(scope="module")
def first_build(
    sample: Path, fresh_database: Callable[..., Warehouse], tmp_path_factory: pytest.TempPathFactory
) -> Hour:
    """All of the sample but what is late, loaded and built."""
    late = tmp_path_factory.mktemp("late")
    shutil.copytree(sample / "landing", late, dirs_exist_ok=True)
    hour = Hour(fresh_database("first_build", prepared=True), late)
    shutil.copytree(late, hour.landing)
    for name in LATE:
        (hour.landing / name).unlink()
    hour.arrive()
    hour.build()
    return hour


@pytest.fixture
def hour(first_build: Hour, fresh_database: Callable[..., Warehouse]) -> Hour:
    """A copy of that warehouse with folders of its own."""
    made = fresh_database("hour")
    name = made.parameters["dbname"]
    with made.database("postgres").connect(autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("create database {} template {} strategy = 'wal_log'").format(
                sql.Identifier(name),
                sql.Identifier(first_build.warehouse.parameters["dbname"]),
            )
        )
    shutil.copytree(first_build.settings.home, made.settings.home, dirs_exist_ok=True)
    return replace(first_build, warehouse=made)


def assert_as_a_full_build(hour: Hour) -> None:
    """All marts are row for row what building everything in full makes of the same warehouse."""
    found = contents(hour.warehouse)
    hour.build(full_refresh=True)
    assert contents(hour.warehouse) == found


def test_nothing_new_builds_nothing(hour: Hour) -> None:
    before = places(hour.warehouse)
    built = hour.build()
    assert built.built == set()
    assert len(built.left_out) > 130
    assert places(hour.warehouse) == before


def test_each_kind_of_arrival_builds_what_it_touched_and_no_more(hour: Hour) -> None:
    """Webhooks, then events of one product, then one table of change data; the rows at the end are
    those of a full build."""
    before = hour.of_engagement()
    hour.arrive(LATE[0])
    built = hour.build()
    assert hour.of_engagement() == before
    assert {"metrics_daily_mrr", "fact_mrr_movements", "dim_tenant"} <= built.built
    assert {"metrics_daily_engagement", "fact_events", "fact_sessions"} <= built.left_out

    hour.arrive(LATE[1])
    built = hour.build()
    assert {"fact_events", "metrics_daily_engagement"} <= built.built
    of_others = {"int_revenue__stripe_states", "rostracore_shifts_snapshot", "dim_site"}
    assert of_others <= built.left_out

    # the models that hold days of events claim this load too, or the goal would wait for events
    gone = deletion_of_a_completed_goal(hour.late)
    before = hour.of_engagement()
    write(hour.landing / "cdc" / "upcoach" / "zz-gone.jsonl", [gone])
    hour.arrive()
    built = hour.build()
    assert "fact_productivity" in built.built
    assert {"fact_events", "fact_sessions", "dim_user"} <= built.left_out
    assert hour.of_engagement() == before
    assert_as_a_full_build(hour)


def deletion_of_a_completed_goal(landing: Path) -> bytes:
    """The newest completed goal of the sample, deleted in the next transaction."""
    lines = sources(landing)["cdc/upcoach"].lines
    goals = [
        json.loads(line) for line in lines if line.startswith(b'{"topic":"upcoach.public.goals"')
    ]
    last = {goal["key"]["id"]: goal for goal in goals}
    goal = max(
        (g for g in last.values() if (g["value"]["after"] or {}).get("completed_at")),
        key=lambda g: g["value"]["source"]["lsn"],
    )
    newest = max(g["value"]["source"]["lsn"] for g in goals)
    value, source = goal["value"], goal["value"]["source"]
    source |= {"lsn": newest + 16, "sequence": f'["{newest + 8}","{newest + 16}"]'}
    source["txId"] += 100_000
    value |= {"op": "d", "before": value["after"], "after": None}
    return json.dumps(goal).encode()


def test_the_day_turns_over_without_any_event(hour: Hour) -> None:
    running = "select count(*) > 0 from engagement.metrics_hourly_engagement where not is_complete"
    later = hour.at("2026-11-01 12:00")
    with later.warehouse.connect() as connection:
        assert connection.execute(running).fetchone() == (True,), "an hour of the first build"
    built = later.build()
    assert {"int_engagement__tenant_horizons", "metrics_daily_engagement"} <= built.built
    assert "metrics_hourly_engagement" in built.built
    with later.warehouse.connect() as connection:
        assert connection.execute(running).fetchone() == (False,), "which ended"
    assert "fact_events" in built.left_out
    with later.warehouse.connect() as connection:
        day = connection.execute(
            "select max(metric_date)::text from engagement.metrics_daily_engagement"
        ).fetchone()
    assert day == ("2026-11-01",)
    assert_as_a_full_build(later)
    within = hour.at("2026-11-01 13:00")
    assert "metrics_daily_engagement" in within.build().left_out


def test_a_build_that_failed_is_taken_up_by_a_run_with_nothing_new(hour: Hour) -> None:
    hour.arrive(LATE[1])
    hour.execute(
        "create function core.refuse() returns trigger language plpgsql as"
        " $$ begin raise exception 'refused'; end $$;"
        "create trigger refuse before insert on core.fact_sessions"
        " for each row execute function core.refuse()"
    )
    with pytest.raises(TallyhouseError, match="fact_sessions"):
        hour.build()
    hour.execute("drop trigger refuse on core.fact_sessions")
    built = hour.build()
    assert {"fact_sessions", "metrics_daily_engagement"} <= built.built
    assert "fact_events" in built.left_out
    assert_as_a_full_build(hour)


def test_a_build_that_was_killed_goes_on_with_the_rest(hour: Hour) -> None:
    hour.arrive(*LATE)
    environment = {
        **os.environ,
        "TALLYHOUSE_HOME": str(hour.settings.home),
        "TALLYHOUSE_LANDING": str(hour.landing),
        "TALLYHOUSE_DATABASE_URL": hour.warehouse.url,
    }
    begun = time.time()
    run = subprocess.Popen([COMMAND, "run"], env=environment, stdout=subprocess.DEVNULL)
    built = f"select node_id from ops.node_builds where built_at > to_timestamp({begun})"
    with hour.warehouse.connect(autocommit=True) as connection:
        while run.poll() is None and len(connection.execute(built.encode()).fetchall()) < 10:
            time.sleep(0.05)
        assert run.poll() is None, "the run ended before it could be killed"
        run.kill()
        run.wait()
        done = {node_id.rsplit(".", 1)[-1] for (node_id,) in connection.execute(built.encode())}
        assert not build_ledger.is_whole(connection)
    rest = hour.build()
    assert rest.built
    assert not rest.built & done
    assert_as_a_full_build(hour)


def test_a_model_that_was_built_by_hand_is_built_again(hour: Hour) -> None:
    outcome = dbt.run(
        ["run", "--select", "dim_site"], hour.settings, {"as_of": "2020-01-01"},
        warehouse=hour.warehouse,
    )  # fmt: skip
    assert outcome.success
    assert "dim_site" in hour.build().built
    assert hour.build().built == set()


def test_a_table_that_is_gone_is_built(hour: Hour) -> None:
    hour.execute("drop table workforce.dim_site")
    assert "dim_site" in hour.build().built
    assert hour.build().built == set()


def test_a_broken_landed_table_keeps_what_reads_it_from_being_built_until_it_is_mended(
    hour: Hour,
) -> None:
    hour.arrive(*LATE)
    of_the_last_load = "where load_id = (select max(load_id) from raw_events.events)"
    hour.execute(
        "create table ops.kept as select source_event_id, country_code from raw_events.events"
        f" {of_the_last_load};"
        f"update raw_events.events set country_code = 'Narnia' {of_the_last_load}"
    )
    guard.check(hour.settings, hour.warehouse)
    built = hour.build()
    (sentence, _) = built.warnings
    assert sentence.startswith("raw_events.events does not meet what is expected of it")
    assert "expect_column_values_to_match_regex" in sentence
    assert "country_code" in sentence
    assert "Narnia" not in sentence
    assert {"fact_events", "metrics_daily_engagement"} <= built.barred
    assert not built.barred & (built.built | built.left_out)
    assert {"int_revenue__stripe_states", "int_revenue__subscription_states"} <= built.built
    assert guard.is_due(hour.warehouse)

    hour.execute(
        "update raw_events.events as events set country_code = kept.country_code from ops.kept"
        f" {of_the_last_load.replace('load_id =', 'events.load_id =')}"
        " and kept.source_event_id = events.source_event_id;"
        "drop table ops.kept"
    )
    guard.check(hour.settings, hour.warehouse)
    built = hour.build()
    assert built.warnings == []
    assert {"fact_events", "metrics_daily_engagement"} <= built.built
    assert not guard.is_due(hour.warehouse)


def test_new_predictions_build_what_they_feed(hour: Hour) -> None:
    hour.execute("update ml.predictive_models set verdict = verdict || ' So it is.'")
    built = hour.build()
    assert built.built
    assert {"metrics_daily_engagement", "metrics_daily_mrr"} <= built.left_out
