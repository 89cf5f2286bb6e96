"""`make bench`: measure every budget in one run and write the table.

Belongs here: options and the order of the measurements. Does not belong here: a measurement.
"""

import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks import cdc, loading, marts, report, revenue, runs
from benchmarks.plan import Bench, Plan
from benchmarks.report import Report
from benchmarks.stores import open_site

GROUPS: dict[str, Callable[[Bench, Report], None]] = {
    "loading": loading.measure,
    "cdc": cdc.measure,
    "marts": marts.measure,
    "revenue": revenue.measure,
    "run": runs.measure,
}


@click.command()
@click.option("--only", default=",".join(GROUPS), show_default=True, help="Groups, by comma.")
@click.option("--events", default=Plan.events, show_default=True, help="Events in the history.")
@click.option(
    "--scale", default=1.0, show_default=True, help="Share of all sizes: 0.01 is a trial."
)
@click.option("--samples", default=Plan.samples, show_default=True, help="Samples of each figure.")
@click.option("--skip-10m", is_flag=True, help="Leave out the large stores.")
@click.option("--skip-dlt", is_flag=True, help="Leave out dlt (it is installed when first used).")
@click.option("--huge-file", is_flag=True, help="Also load one file of 5 GB.")
@click.option("--clone", is_flag=True, help="Also `make run` from a fresh clone.")
@click.option(
    "--out",
    default=report.FOLDER,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of results.md and results.json.",
)
def main(
    only: str, events: int, scale: float, samples: int, skip_10m: bool, skip_dlt: bool,
    huge_file: bool, clone: bool, out: Path,
) -> None:  # fmt: skip
    """Measure the budgets. Everything happens in a temporary folder (TMPDIR), gone afterwards."""
    unknown = set(only.split(",")) - set(GROUPS)
    if unknown:
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: not one of {', '.join(GROUPS)}")
    plan = replace(
        Plan(), events=events, large=5 * events, samples=samples, builds=samples,
        days=Plan.days if samples >= Plan.samples else samples, huge_file=huge_file, clone=clone,
        with_large=not skip_10m, with_dlt=not skip_dlt,
    ).scaled(scale)  # fmt: skip
    failed = False
    signal.signal(signal.SIGTERM, _leave)
    with open_site() as site:
        about = {**site.machine(), "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"}
        if scale != 1:
            about["scale"] = f"{scale:g} (a trial: fixed costs weigh more than at full size)"
        results = Report(out, about)
        bench = Bench(site, plan, _say(time.monotonic()))
        for name in only.split(","):
            bench.say(f"== {name}")
            try:
                GROUPS[name](bench, results)
            except Exception as error:  # the other groups are worth having
                failed = True
                traceback.print_exc()
                results.missing.append(f"the rest of {name}: {' '.join(str(error).split())[:300]}")
                results.write()
    click.echo(report.table(results))
    if failed:
        raise SystemExit(1)


def _leave(*_: object) -> None:
    raise SystemExit(143)  # through `finally`, so that server and folder go


def _say(started: float) -> Callable[[str], None]:
    def say(text: str) -> None:
        passed = int(time.monotonic() - started)
        click.echo(f"{passed // 60:3}:{passed % 60:02} {text}", err=True)

    return say


if __name__ == "__main__":
    main()
