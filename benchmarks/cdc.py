"""Change records into history and current state, beside COPY of the same lines.

Belongs here: the budget of change data capture. Does not belong here: the records (`changes`).
"""

from benchmarks.changes import PRODUCT, SHAPE, ChangeStream
from benchmarks.copying import copy_lines
from benchmarks.measure import Cost
from benchmarks.plan import Bench, WrongResult
from benchmarks.report import Line, Report
from benchmarks.stores import Store

GROUP = "Change data capture"


def measure(bench: Bench, report: Report) -> None:
    """A million change records into an empty database, several times."""
    stream = ChangeStream(7)
    landing = bench.site.folder / "landing" / "changes"
    bench.say(f"writing {bench.plan.changes:,} change records")
    lines = stream.write(landing, bench.plan.changes)
    files = sorted(landing.rglob("*.jsonl"))
    size = sum(path.stat().st_size for path in files)
    loads: list[Cost] = []
    copies: list[float] = []
    for number in range(bench.plan.samples):
        store = bench.site.store("changes")
        loads.append(store.command("load", landing=landing))
        _check(store, stream, lines)
        copies.append(copy_lines(store, files))
        bench.say(
            f"load {number + 1} of {bench.plan.samples}: {loads[-1].seconds:.1f} s;"
            f" COPY {copies[-1]:.1f} s"
        )
        store.drop()
    for path in files:
        path.unlink()
    middle = sorted(loads, key=lambda cost: cost.seconds)[len(loads) // 2]
    report.add(
        Line(
            GROUP,
            f"{lines:,} change records into history and current state",
            [cost.seconds for cost in loads],
            reference=copies,
            reference_name="COPY of the same lines into one jsonb column",
            budget=4,
            notes=[
                f"`tallyhouse load` from its start to its end, into a fresh database: {SHAPE};"
                f" {len(files)} files, {size / lines:.0f} bytes a line. Rows at the end as the"
                f" source knows them: {stream.living}",
                f"CPU of the median: {middle.cpu_seconds:.1f} s in the loader's processes,"
                f" {middle.database_cpu_seconds:.1f} s in Postgres; memory at most"
                f" {max(cost.peak_mib for cost in loads):.0f} MiB",
            ],
        )
    )


def _check(store: Store, stream: ChangeStream, lines: int) -> None:
    """The current state must hold as many rows as the source does, each with its history."""
    for table, expected in stream.living.items():
        name = f"raw_cdc.{PRODUCT}__{table}"
        found = store.value(f"select count(*) from {name}")
        current = store.value(
            f"select count(*) from {name}_history where is_current and not is_deleted"
        )
        if (found, current) != (expected, expected):
            raise WrongResult(f"{name}: {found} rows, {current} in history, {expected} expected.")
    records = store.value("select sum(record_count) from ops.load_manifest")
    if records != lines:
        raise WrongResult(f"{lines} change records were written, {records} read.")
