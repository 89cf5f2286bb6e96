"""Building the marts: in full, for one more day, and beside SQL written by hand; asking them.

Belongs here: the budgets of the build and of retention. Does not belong here: the hand-written SQL
(`hand_sql`), loading.
"""

import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from app import building, pipeline
from benchmarks import hand_sql
from benchmarks.inputs import WEEKS, History
from benchmarks.loading import tidy
from benchmarks.measure import clock
from benchmarks.plan import Bench, Plan, WrongResult
from benchmarks.report import Line, Report
from benchmarks.stores import Store
from tallyhouse import dbt

GROUP = "Building the marts"
NO_TESTS = ("--resource-type", "seed", "--resource-type", "snapshot", "--resource-type", "model")
RETENTION = """
    select cohort_start, period_number, sum(retained_users), sum(cohort_size)
    from engagement.metrics_cohort_retention
    where cohort_type = 'week' and mode = 'bounded'
    group by cohort_start, period_number
"""
SLOWEST = 8  # models named in a note


@dataclass(frozen=True)
class Build:
    """One build by dbt: seconds in all, and of each model by its own account."""

    seconds: float
    models: dict[str, float]
    incremental: frozenset[str]

    @property
    def of_models(self) -> float:
        return sum(self.models.values())

    @property
    def of_incremental(self) -> float:
        return sum(time for name, time in self.models.items() if name in self.incremental)


def measure(bench: Bench, report: Report) -> None:
    """Full refreshes, hand-written SQL, days, retention."""
    stores = bench.histories()
    for store in stores:
        tidy(store)
    _full(bench, report, stores)
    _by_hand(bench, report, stores[0])
    _days(bench, report, stores)
    _retention(bench, report, stores[-1])


def build(store: Store, *options: str) -> Build:
    """Seeds, snapshots and models, without tests; raises WrongResult when one fails."""
    store.site.settle()
    everything = ["build", *NO_TESTS, "--exclude", building.PREDICTIONS]
    chosen = ["run"] if "--select" in options else everything
    outcomes = []
    seconds = clock(
        lambda: outcomes.append(
            dbt.run([*chosen, *options, *places(store)], store.settings, warehouse=store.warehouse)
        )
    )
    if not outcomes[0].success:
        raise WrongResult("The build failed: " + "; ".join(outcomes[0].failures[:5]))
    return Build(seconds, *_times(store.site.folder / "target"))


def places(store: Store) -> list[str]:
    """Where dbt writes for a store of the site: nothing of it into the project."""
    folder = store.site.folder
    return ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]


def _times(target: Path) -> tuple[dict[str, float], frozenset[str]]:
    nodes = json.loads((target / "manifest.json").read_text("utf-8"))["nodes"]
    models: dict[str, float] = {}
    incremental = set()
    for result in json.loads((target / "run_results.json").read_text("utf-8"))["results"]:
        node = nodes[result["unique_id"]]
        if node["resource_type"] == "model" and node["config"]["materialized"] != "view":
            models[node["name"]] = result["execution_time"]
            if node["config"]["materialized"] == "incremental":
                incremental.add(node["name"])
    return models, frozenset(incremental)


def _full(bench: Bench, report: Report, stores: list[Store]) -> None:
    histories = [bench.history, bench.large]
    for number, store in enumerate(stores):
        count = bench.plan.samples if number == 0 else 1
        builds = []
        for _ in range(count):
            builds.append(build(store, "--full-refresh"))
            bench.say(f"all marts, {store.settings.home.name}: {builds[-1].seconds:.1f} s")
        report.add(
            Line(
                GROUP,
                f"full refresh of all marts over {histories[number].lines:,} events",
                [one.seconds for one in builds],
                notes=[
                    f"{len(builds[0].models)} tables, seeds and snapshots, without tests and"
                    f" predictions, dbt's start included; slowest: {slowest(builds)}"
                ],
            )
        )


def _by_hand(bench: Bench, report: Report, store: Store) -> None:
    """A few tables alone, each by its model and by hand, in turn."""
    models: dict[str, list[float]] = defaultdict(list)
    hands: dict[str, list[float]] = defaultdict(list)
    for number in range(bench.plan.samples):
        chosen = ["--select", *hand_sql.TABLES]
        for name, seconds in build(
            store, "--full-refresh", "--threads", "1", *chosen
        ).models.items():
            models[name].append(seconds)
        for name in hand_sql.TABLES:
            store.site.settle()
            hands[name].append(clock(lambda: hand_sql.create(store, name)))  # noqa: B023
            if number == 0 and (differing := hand_sql.differing_rows(store, name)):
                raise WrongResult(f"{name}: {differing} rows differ from those made by hand.")
    for name in hand_sql.TABLES:
        report.add(
            Line(
                GROUP,
                f"full refresh of {name} over {bench.plan.events:,} events",
                models[name],
                reference=hands[name],
                reference_name="hand-written SQL for the same table",
                budget=1.5,
                notes=[
                    "the model's own time in dbt (run alone), which ends with row security, grants, comments"
                    " and watermark, beside `create table as`, `create index`, `analyze`; the rows"
                    " of both were compared and are equal"
                ],
            )
        )
    build(store)  # what lies behind them follows before days are measured


def _days(bench: Bench, report: Report, stores: list[Store]) -> None:
    """Load a day, build it; on small and large in turn. Then the same day by hand."""
    for store in stores:
        hand_sql.create_all(store)
        tidy(store)
    builds: list[list[Build]] = [[] for _ in stores]
    hands: list[dict[str, list[float]]] = [defaultdict(list) for _ in stores]
    for number in range(bench.plan.builds):
        day = bench.new_day()
        landing = bench.landing(day)
        turns = list(enumerate(stores))
        for place, store in turns if number % 2 else reversed(turns):
            pipeline.load(store.reading(landing), store.warehouse)
            builds[place].append(build(store, "--threads", "1"))
            for name, seconds in _day_by_hand(store, day).items():
                hands[place][name].append(seconds)
            bench.say(
                f"a day's build, {store.settings.home.name}: {builds[place][-1].seconds:.1f} s,"
                f" models {builds[place][-1].of_models:.2f} s"
            )
        bench.forget(day)
    tell_days(bench.plan, report, builds, hands)


def _day_by_hand(store: Store, day: History) -> dict[str, float]:
    found = {}
    for name in hand_sql.DAILY:
        store.site.settle()
        found[name] = clock(lambda: hand_sql.replace_day(store, name, day.last_date))  # noqa: B023
        if differing := hand_sql.differing_rows(store, name, day.last_date):
            raise WrongResult(f"{name}: {differing} rows of a day differ from those by hand.")
    return found


def tell_days(
    plan: Plan, report: Report, builds: list[list[Build]], hands: list[dict[str, list[float]]]
) -> None:
    """The lines of the days: beside SQL by hand on the first store, then store beside store."""
    small = builds[0]
    for name in hand_sql.DAILY:
        report.add(
            Line(
                GROUP,
                f"{name} for one more day on {plan.events:,} events",
                [one.models[name] for one in small],
                reference=hands[0][name],
                reference_name="hand-written SQL for the same day",
                budget=2,
                allowance=0.1,
                notes=[
                    "the model's own time within the whole build, where one model runs at a time,"
                    " beside delete and insert of the day; the rows of the day are equal"
                ],
            )
        )
    if len(builds) == 1:
        report.missing.append("a day's build on the large store (left out by --skip-10m)")
        report.write()
        return
    for what, part in (
        ("all models", "of_models"),
        ("incremental models", "of_incremental"),
        ("the whole command", "seconds"),
    ):
        line = Line(
            GROUP,
            f"build of one more day on {plan.large:,} events, {what}",
            [getattr(one, part) for one in builds[1]],
            reference=[getattr(one, part) for one in small],
            reference_name=f"the same day on {plan.events:,} events",
            budget=None if part == "seconds" else 1.2,
        )
        if part == "of_models":
            line.notes = [
                f"the sum of the times of {len(small[0].models)} models, of which"
                f" {len(small[0].incremental)} are incremental; one runs at a time",
                f"slowest on {plan.events:,}: {slowest(small)}",
                f"slowest on {plan.large:,}: {slowest(builds[1])}",
            ]
        report.add(line)


def _retention(bench: Bench, report: Report, store: Store) -> None:
    cohorts = len({row[0] for row in store.rows(RETENTION)})
    if cohorts < WEEKS:
        raise WrongResult(f"Only {cohorts} weekly cohorts are in the retention mart.")
    seconds = [clock(lambda: store.rows(RETENTION)) for _ in range(max(3, bench.plan.days))]
    events = bench.plan.large if bench.plan.with_large else bench.plan.events
    report.add(
        Line(
            GROUP,
            f"retention of {cohorts} weekly cohorts over {events:,} events",
            seconds,
            budget=1,
            notes=["asked of `engagement.metrics_cohort_retention`, connecting included"],
        )
    )


def slowest(builds: list[Build]) -> str:
    """The models that took longest in the median, as words."""
    times = {
        name: statistics.median(one.models[name] for one in builds) for name in builds[0].models
    }
    first = sorted(times.items(), key=lambda item: -item[1])[:SLOWEST]
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in first)
