"""Measure the budgets that this version can be held to, and write `benchmarks/results.md`.

Every ratio is taken in one run on one machine, the reference measured beside it, median of three.
Belongs here: the measurements in their order. Does not belong here: a judgement.
"""

import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click

from benchmarks.inputs import write_events
from tallyhouse import dbt, pipeline
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.settings import Settings

RESULTS = Path(__file__).parent / "results.md"
COPY_TABLE = """
    drop table if exists copied;
    create unlogged table copied (
        event_date date, product text, event_id text, event_name text, occurred_at timestamptz,
        received_at timestamptz, tenant_id uuid, user_id uuid, properties jsonb
    )
"""
COPY_OUT = (
    "copy (select event_date, product, event_id, event_name, occurred_at, received_at, tenant_id,"
    " user_id, properties from raw_events.events) to stdout"
)
RETENTION = """
    select cohort_start, period_number, sum(retained_users) from engagement.metrics_cohort_retention
    where cohort_type = 'week' and mode = 'bounded' group by 1, 2
"""


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    what: str
    measured: str
    reference: str
    ratio: str
    budget: str


@click.command()
@click.option("--events", default=2_000_000, show_default=True, help="Events in the history.")
@click.option("--day", default=20_000, show_default=True, help="Events of one more day.")
def main(events: int, day: int) -> None:
    """Measure loading, building and asking on EVENTS events, and print the table."""
    folder = Path(tempfile.mkdtemp(prefix="tallyhouse-bench-"))
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(folder / "home")})
    warehouse = open_warehouse(settings)
    try:
        warehouse.prepare()
        lines = _measure(replace(settings, landing=str(folder / "landing")), warehouse, events, day)
    finally:
        warehouse.stop()
        shutil.rmtree(folder, ignore_errors=True)
    text = _table(lines, events)
    RESULTS.write_text(text, encoding="utf-8")
    click.echo(text)


def _measure(settings: Settings, warehouse: Warehouse, events: int, day: int) -> list[Line]:
    landing = Path(settings.landing)
    size = write_events(landing / "events" / "upcoach", events, 26, 0, 365)
    click.echo(f"{events:,} events written, {size / 1e6:.0f} MB")
    load = _seconds(lambda: pipeline.load(settings, warehouse))
    copy = _copy_seconds(warehouse)
    replay = statistics.median(
        _seconds(lambda: pipeline.load(settings, warehouse)) for _ in range(3)
    )
    lines = [
        _ratio("load", load, "COPY of the same rows", copy, "≤ 2.5"),
        _ratio("the same files again", replay, "COPY of the same rows", copy, "≤ 0.25"),
    ]
    build = _seconds(lambda: _build(settings, warehouse))
    lines.append(Line("full build of all marts, with tests", f"{build:.1f} s", "", "", ""))
    more = []
    for number in range(3):
        write_events(landing / "events" / "upcoach", day, 1, 400 + number, 1)
        more.append(_seconds(lambda: pipeline.load(settings, warehouse)))
    lines.append(
        _ratio("load one more day", statistics.median(more), "whole load", load, "see growth")
    )
    again = _seconds(lambda: _build(settings, warehouse))
    lines.append(_ratio("build after one more day", again, "full build", build, ""))
    asked = statistics.median(_seconds(lambda: _ask(warehouse, RETENTION)) for _ in range(3))
    lines.append(Line("retention of all weekly cohorts", f"{asked:.3f} s", "", "", "≤ 1 s"))
    environment = {**os.environ, "TALLYHOUSE_HOME": str(settings.home)}
    command = [str(Path(sys.executable).parent / "tallyhouse"), "load", "--landing", str(landing)]
    idle = _seconds(
        lambda: subprocess.run(command, env=environment, capture_output=True, check=True)
    )
    lines.append(Line("command with nothing new to load", f"{idle:.1f} s", "", "", "≤ 20 s"))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    lines.append(Line("peak memory of a process started", f"{peak:.2f} GiB", "", "", "≤ 1 GiB"))
    return lines


def _build(settings: Settings, warehouse: Warehouse) -> None:
    outcome = dbt.run(["build", "--exclude", pipeline.PREDICTIONS], settings, warehouse=warehouse)
    if not outcome.success:
        click.echo("\n".join(outcome.failures), err=True)


def _copy_seconds(warehouse: Warehouse) -> float:
    """COPY of ready-made lines into an unlogged table without an index, median of three."""
    taken = []
    with tempfile.TemporaryFile() as file, warehouse.connect(autocommit=True) as connection:
        with connection.cursor() as cursor, cursor.copy(COPY_OUT) as out:
            for block in out:
                file.write(block)
        for _ in range(3):
            connection.execute(COPY_TABLE)
            file.seek(0)
            started = time.perf_counter()
            with connection.cursor() as cursor, cursor.copy("copy copied from stdin") as into:
                while block := file.read(1 << 20):
                    into.write(block)
            taken.append(time.perf_counter() - started)
        connection.execute("drop table copied")
    return statistics.median(taken)


def _ask(warehouse: Warehouse, query: str) -> None:
    with warehouse.connect() as connection:
        connection.execute(query).fetchall()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ratio(what: str, seconds: float, reference: str, base: float, budget: str) -> Line:
    return Line(
        what, f"{seconds:.2f} s", f"{reference}: {base:.2f} s", f"{seconds / base:.2f}", budget
    )


def _table(lines: list[Line], events: int) -> str:
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    head = f"# Budgets, measured\n\n{events:,} events; {machine}.\n\n"
    rows = ["| what | measured | reference | ratio | budget |", "|---|---|---|---|---|"]
    rows += [f"| {x.what} | {x.measured} | {x.reference} | {x.ratio} | {x.budget} |" for x in lines]
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
