"""Events: whole loads beside COPY and dlt, the same files again, one more day, memory.

Belongs here: the budgets of loading events. Does not belong here: change records (`cdc`).
"""

from dataclasses import dataclass, field
from pathlib import Path

from app import pipeline
from benchmarks import dlt_reference
from benchmarks.copying import copy_rows, write_rows
from benchmarks.inputs import SHAPE, History
from benchmarks.measure import Cost, clock
from benchmarks.plan import Bench
from benchmarks.report import Line, Report
from benchmarks.stores import Store

GROUP = "Loading events"
COPY = "COPY of the same rows"
MEMORY = 1024.0  # MiB
MEMORY_NOTE = (
    "the sum over the loader and its parsing processes, looked at every 50 ms; pages they share are"
    " counted once for each of them, so it is an upper bound"
)
SHARES_NOTE = (
    "divided among the processes that share it: {shared:.0f} MiB. Postgres beside it, its shared"
    " buffers included: {database:.0f} MiB"
)


@dataclass
class _Samples:
    loads: list[Cost] = field(default_factory=list)
    copies: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    again_command: list[float] = field(default_factory=list)


def measure(bench: Bench, report: Report) -> None:
    """All budgets of loading events, cheapest store first."""
    _whole_loads(bench, report)
    _one_file(bench, report, bench.plan.one_file)
    if bench.plan.huge_file:
        _one_file(bench, report, 5 * bench.plan.one_file)
    if bench.plan.with_large:
        _large(bench, report)
        _one_more_day(bench, report)


def _whole_loads(bench: Bench, report: Report) -> None:
    history, plan = bench.history, bench.plan
    landing = bench.landing(history)
    rivals = dlt_reference.Rivals(bench) if plan.with_dlt else None
    rows = bench.site.folder / "rows.csv"
    found = _Samples()
    fate = ""
    for number in range(plan.samples):
        store = bench.site.store(history.name)
        bench.say(f"load {number + 1} of {plan.samples}")
        found.loads.append(store.command("load", landing=landing))
        fate = bench.check(store, history)
        if not rows.exists():
            write_rows(store, rows)
        found.copies.append(copy_rows(store, rows))
        bench.say(f"  {found.loads[-1].seconds:.1f} s; COPY {found.copies[-1]:.1f} s")
        if rivals:
            rivals.sample()
        bench.stores[history.name] = store
    store = bench.stores[history.name]
    for _ in range(plan.samples):
        settings = store.reading(landing)
        found.again.append(clock(lambda: pipeline.load(settings, store.warehouse)))  # noqa: B023
        found.copies.append(copy_rows(store, rows))
        found.again_command.append(store.command("load", landing=landing).seconds)
    rows.unlink()
    _tell_loads(bench, report, found, fate)
    if rivals:
        rivals.tell(report, [history.lines / cost.seconds for cost in found.loads])
        rivals.clear()


def _tell_loads(bench: Bench, report: Report, found: _Samples, fate: str) -> None:
    lines = bench.history.lines
    size = sum(path.stat().st_size for path in bench.landing(bench.history).rglob("*.jsonl"))
    middle = sorted(found.loads, key=lambda cost: cost.seconds)[len(found.loads) // 2]
    report.add(
        Line(
            GROUP,
            f"load {lines:,} events",
            [cost.seconds for cost in found.loads],
            reference=found.copies,
            reference_name=COPY,
            budget=2.5,
            notes=[
                f"`tallyhouse load` from its start to its end, into a fresh database: {SHAPE}."
                f" {size / lines:.0f} bytes a line; {fate}",
                f"CPU of the median: {middle.cpu_seconds:.1f} s in the loader's processes,"
                f" {middle.database_cpu_seconds:.1f} s in Postgres",
                "the reference is a CSV of all columns as stored, into an unlogged table without"
                " an index, through one connection",
            ],
        )
    )
    report.add(_memory(f"memory of loading {lines:,} events", found.loads))
    report.add(
        Line(
            GROUP,
            "the same files again",
            found.again,
            reference=found.copies,
            reference_name=COPY,
            budget=0.25,
            notes=[
                "within a running process; as a command of its own, start included:"
                f" {', '.join(f'{seconds:.1f}' for seconds in found.again_command)} s"
            ],
        )
    )


def _memory(what: str, costs: list[Cost]) -> Line:
    shared = max(cost.peak_shared_mib for cost in costs)
    database = max(cost.database_peak_mib for cost in costs)
    notes = [MEMORY_NOTE]
    if shared:
        notes.append(SHARES_NOTE.format(shared=shared, database=database))
    return Line(
        GROUP, what, [cost.peak_mib for cost in costs], unit="MiB", budget=MEMORY, notes=notes
    )


def _one_file(bench: Bench, report: Report, lines: int) -> None:
    """Memory must not grow with the size of a file."""
    history = History("onefile", lines, files=1, products=("upcoach",))
    landing = bench.landing(history)
    size = sum(path.stat().st_size for path in landing.rglob("*.jsonl"))
    bench.say(f"one file of {size / 1e9:.2f} GB")
    store = bench.site.store(history.name)
    cost = store.command("load", landing=landing, with_shares=True)
    bench.check(store, history)
    store.drop()
    bench.forget(history)
    line = _memory(f"memory of loading one file of {size / 1e9:.2f} GB", [cost])
    line.notes.append(f"{lines:,} events in {cost.seconds:.1f} s")
    report.add(line)


def _large(bench: Bench, report: Report) -> None:
    history = bench.large
    landing = bench.landing(history)
    bench.say(f"loading {history.lines:,} events")
    store = bench.site.store(history.name)
    cost = store.command("load", landing=landing, with_shares=True)
    line = _memory(f"memory of loading {history.lines:,} events", [cost])
    line.notes.append(
        f"{cost.seconds:.1f} s, {history.lines / cost.seconds:,.0f} rows/s;"
        f" {bench.check(store, history)}"
    )
    report.add(line)
    bench.stores[history.name] = store
    bench.forget(history)


def _one_more_day(bench: Bench, report: Report) -> None:
    stores = bench.histories()
    for store in stores:
        tidy(store)
    seconds: list[list[float]] = [[], []]
    for number in range(bench.plan.days):
        day = bench.new_day()
        landing = bench.landing(day)
        turns = list(zip(stores, seconds, strict=True))
        for store, samples in turns if number % 2 else reversed(turns):
            samples.append(_load_day(store, landing))
            bench.check(store, day)
        bench.say(f"one more day: {seconds[0][-1]:.2f} s on small, {seconds[1][-1]:.2f} s on large")
        bench.forget(day)
    report.add(
        Line(
            GROUP,
            f"one more day ({bench.plan.day:,} events) on {bench.plan.large:,} rows",
            seconds[1],
            reference=seconds[0],
            reference_name=f"the same day on {bench.plan.events:,} rows",
            budget=1.2,
            notes=[
                f"{bench.plan.days} days that follow the history, each loaded into both stores"
                " within a running process, in turn; the landing folder holds the day alone; both"
                " stores were vacuumed and analysed before, as autovacuum does over night"
            ],
        )
    )


def tidy(store: Store) -> None:
    """What autovacuum would do in time, done now so that it does not happen while measuring."""
    with store.warehouse.connect(autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


def _load_day(store: Store, landing: Path) -> float:
    store.site.settle()
    return clock(lambda: pipeline.load(store.reading(landing), store.warehouse))
