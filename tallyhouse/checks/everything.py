"""`make test`: lint, pytest, and a whole run on a fresh database; one line counts all of it.

Belongs here: the order and the count. Does not belong here: the tests.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import click

from tallyhouse import pipeline
from tallyhouse.checks import lint
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings

DAYS, SEED, SCALE = 120, 11, 0.25


@dataclass(frozen=True)
class Count:
    """How many checks of one kind passed and failed."""

    passed: int = 0
    failed: int = 0


def main() -> None:
    """Run everything; exit code 0 only when all of it passed."""
    started = time.monotonic()
    counts: dict[str, Count] = {}
    with tempfile.TemporaryDirectory(prefix="tallyhouse-test-") as folder:
        settings = Settings.from_env(
            {"TALLYHOUSE_HOME": f"{folder}/home", "TALLYHOUSE_LANDING": f"{folder}/landing"}
        )
        warehouse = open_warehouse(settings)
        try:
            counts["dbt and the whole run"] = _guarded(lambda: _whole_run(settings, warehouse))
            counts["lint"] = _guarded(lambda: _lint(warehouse))
        finally:
            warehouse.stop()
            shutil.rmtree(folder, ignore_errors=True)
    counts["pytest"] = _guarded(lambda: _pytest(settings.root))
    click.echo("")
    for name, count in counts.items():
        click.echo(f"{name}: {count.passed} passed, {count.failed} failed")
    click.echo(f"all of it took {time.monotonic() - started:.0f} s")
    passed = sum(count.passed for count in counts.values())
    failed = sum(count.failed for count in counts.values())
    click.echo(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


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


def _pytest(root: Path) -> Count:
    """All of pytest on three workers, because many tests wait for processes of their own; a run
    that did not even start counts as one failure."""
    with tempfile.TemporaryDirectory(prefix="tallyhouse-pytest-") as folder:
        report = Path(folder) / "report.xml"
        # in the order of pyproject's testpaths: files of few but long tests come first, not last
        how = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
        command = [sys.executable, "-m", "pytest", "-q", *how]
        answer = subprocess.run([*command, f"--junit-xml={report}"], cwd=root, check=False)
        if not report.exists():
            return Count(failed=1)
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, bad, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites)
        for name in ("tests", "failures", "skipped")
    )
    errors = sum(int(suite.get("errors", "0")) for suite in suites)
    failed = bad + errors
    return Count(total - failed - skipped, max(failed, 1 if answer.returncode else 0))


if __name__ == "__main__":
    main()
