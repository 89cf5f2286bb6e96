"""Revenue at scale: the whole ledger over 50 k, 100 k and 1 M Stripe events, beside SQL by hand; one more day.

Belongs here: the budgets of the revenue models. Does not belong here: the webhooks (`billing`), the
SQL by hand (`revenue_sql`).
"""

import statistics
from dataclasses import dataclass, field

from app import pipeline
from benchmarks import billing, revenue_sql
from benchmarks.billing import Billing
from benchmarks.loading import tidy
from benchmarks.marts import Build, build, places, slowest
from benchmarks.measure import clock
from benchmarks.plan import Bench, WrongResult
from benchmarks.report import Line, Report
from benchmarks.stores import Store
from tallyhouse import dbt

GROUP = "Revenue at scale"
MODELS = ("--select", "+path:models/marts/revenue")
ALL_MODELS_BUDGET = 360.0  # seconds of a full build over the largest history


@dataclass
class Stage:
    """A store with so many webhooks in it."""

    store: Store
    events: int
    full: list[Build] = field(default_factory=list)
    days: list[Build] = field(default_factory=list)


def measure(bench: Bench, report: Report) -> None:
    """Full builds of three sizes, SQL by hand on the largest, days on the two larger ones in turn."""
    plan = bench.plan
    sizes = [plan.billing // 20, plan.billing // 10, plan.billing]
    stages = [
        _stage(bench, billing.of_events(f"billing{number}", events))
        for number, events in enumerate(sizes if plan.with_large else sizes[:-1])
    ]
    for stage in stages:
        for _ in range(plan.samples):
            stage.full.append(build(stage.store, "--full-refresh", *MODELS))
            bench.say(f"revenue over {stage.events:,} webhooks: {stage.full[-1].seconds:.1f} s")
    _tell_full(bench, report, stages)
    if plan.with_large:
        _days(bench, report, stages[1:])
    else:
        report.missing.append("revenue on the large store (left out by --skip-10m)")
        report.write()
    for stage in stages:
        stage.store.drop()


def _stage(bench: Bench, history: Billing) -> Stage:
    store = bench.site.store(history.name)
    events = _load(bench, store, history)
    with_seeds = dbt.run(["seed", *places(store)], store.settings, warehouse=store.warehouse)
    if not with_seeds.success:
        raise WrongResult("The seeds did not load: " + "; ".join(with_seeds.failures[:5]))
    tidy(store)
    return Stage(store, events)


def _load(bench: Bench, store: Store, history: Billing) -> int:
    """Write and load; every event must be stored. Returns how many."""
    landing = bench.site.folder / "landing" / f"{store.settings.home.name}-{history.name}"
    before = int(store.value("select count(*) from raw_stripe.events"))
    events = billing.write(landing, history)
    pipeline.load(store.reading(landing), store.warehouse)
    kept = int(store.value("select count(*) from raw_stripe.events")) - before
    bench.say(f"{kept:,} webhooks of {history.subscribers:,} subscribers loaded")
    if kept != events:
        raise WrongResult(f"{history.name}: of {events:,} webhooks {kept:,} are stored.")
    return events


def _tell_full(bench: Bench, report: Report, stages: list[Stage]) -> None:
    large = stages[-1]
    hand = []
    for _ in range(bench.plan.samples):
        large.store.site.settle()
        hand.append(clock(lambda: revenue_sql.create(large.store)))
        if differing := revenue_sql.differing_rows(large.store):
            raise WrongResult(
                f"metrics_daily_tenant_mrr: {differing} rows differ from those by hand."
            )
    for stage in stages:
        seconds = [one.seconds for one in stage.full]
        whole = stage is large
        report.add(
            Line(
                GROUP,
                f"full build of all revenue models over {stage.events:,} Stripe events",
                seconds,
                budget=ALL_MODELS_BUDGET if whole else None,
                notes=[
                    f"{len(stage.full[0].models)} tables with what they stand on, dbt's start included, without"
                    f" tests; {statistics.median(seconds) / stage.events * 1e6:.0f} s a million; slowest:"
                    f" {slowest(stage.full)}",
                    *([billing.SHAPE] if whole else []),
                ],
            )
        )
    report.add(
        Line(
            GROUP,
            f"all revenue models over {large.events:,} Stripe events beside SQL by hand",
            [one.seconds for one in large.full],
            reference=hand,
            reference_name="one statement from the webhooks to MRR by tenant and day, one policy",
            budget=1.5,
            notes=[
                "the statement knows one policy, one currency and one item a subscription, and makes one"
                " table; its rows and the mart's were compared and are equal"
            ],
        )
    )


def _days(bench: Bench, report: Report, stages: list[Stage]) -> None:
    """The same day, of as many subscribers, on both stores in turn."""
    subscribers = billing.of_events("", bench.plan.billing // 10).subscribers
    for stage in stages:
        build(stage.store, *MODELS)
    for number in range(min(bench.plan.builds, billing.NEW_DAYS)):
        day = Billing(f"day{number}", subscribers, day=number)
        for stage in stages if number % 2 else reversed(stages):
            _load(bench, stage.store, day)
            stage.days.append(build(stage.store, "--threads", "1", *MODELS))
            bench.say(
                f"a day on {stage.events:,}: {stage.days[-1].seconds:.1f} s,"
                f" models {stage.days[-1].of_models:.1f} s"
            )
    small, large = stages
    for what, part in (("all models", "of_models"), ("the whole command", "seconds")):
        report.add(
            Line(
                GROUP,
                f"build of one more day on {large.events:,} Stripe events, {what}",
                [getattr(one, part) for one in large.days],
                reference=[getattr(one, part) for one in small.days],
                reference_name=f"the same day on {small.events:,} events",
                budget=1.3 if part == "of_models" else None,
                notes=[
                    f"slowest on {large.events:,}: {slowest(large.days)}",
                    f"slowest on {small.events:,}: {slowest(small.days)}",
                ],
            )
        )
