"""The half of `make test` that pytest does not run: a whole run on a fresh database, then lint.

A process of its own, so that it works beside pytest; `everything` starts it and reads its counts.
Belongs here: these two parts. Does not belong here: the tests, the order of the parts.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from app import pipeline
from app.checks import lint
from app.checks.parts import Count, leave_on_termination
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings

DAYS, SEED, SCALE = 120, 11, 0.25
RUN, LINT = "dbt and the whole run", "lint"


def main(report: Path) -> None:
    """Do both and write their counts to the file."""
    leave_on_termination()
    counts: dict[str, Count] = {}
    with tempfile.TemporaryDirectory(prefix="tallyhouse-test-") as folder:
        settings = Settings.from_env(
            {"TALLYHOUSE_HOME": f"{folder}/home", "TALLYHOUSE_LANDING": f"{folder}/landing"}
        )
        warehouse = open_warehouse(settings)
        try:
            counts[RUN] = _guarded(lambda: _whole_run(settings, warehouse))
            counts[LINT] = _guarded(lambda: _lint(warehouse))
        finally:
            warehouse.stop()
            shutil.rmtree(folder, ignore_errors=True)
    report.write_text(json.dumps({name: vars(count) for name, count in counts.items()}), "utf-8")


def _guarded(part: Callable[[], Count]) -> Count:
    try:
        return part()
    except TallyhouseError as error:
        click.echo(str(error), err=True)
        return Count(failed=1)


def _whole_run(settings: Settings, warehouse: Warehouse) -> Count:
    """Sample, load, build with all tests and unit tests, train, build what predictions feed."""
    reporter = Reporter()
    draft = settings.home / "sample"
    pipeline.sample(settings, reporter, out=draft, days=DAYS, seed=SEED, scale=SCALE)
    (draft / "landing").rename(settings.landing)
    result = pipeline.run(settings, warehouse, reporter, may_sample=False)
    for problem in result.problems:
        click.echo(problem, err=True)
    tests = result.summary["tests"]
    return Count(tests["passed"] + 1, tests["failed"] + len(result.problems))


def _lint(warehouse: Warehouse) -> Count:
    results = lint.run(warehouse, click.echo)
    passed = sum(check.passed for check in results)
    return Count(passed, len(results) - passed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
