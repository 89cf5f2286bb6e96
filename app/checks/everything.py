"""`make test`: pytest, and beside it a whole run on a fresh database and lint; one line counts all.

Belongs here: the parts and the count. Does not belong here: the tests.
"""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

import click

from app.checks import fresh_database, parts
from app.checks.parts import Count
from tallyhouse.dbt_packages import provide_packages
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import PROJECT_ROOT


def main() -> None:
    """Run everything; exit code 0 only when all of it passed."""
    started = time.monotonic()
    parts.leave_on_termination()
    with contextlib.suppress(TallyhouseError):  # the parts say it where it matters
        provide_packages(PROJECT_ROOT)  # once, before several processes look for them
    with tempfile.TemporaryDirectory(prefix="tallyhouse-checks-") as folder:
        counts = _counts(Path(folder), PROJECT_ROOT)
    click.echo("")
    for name, count in counts.items():
        click.echo(f"{name}: {count.passed} passed, {count.failed} failed")
    click.echo(f"all of it took {time.monotonic() - started:.0f} s")
    passed = sum(count.passed for count in counts.values())
    failed = sum(count.failed for count in counts.values())
    click.echo(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def _counts(folder: Path, root: Path) -> dict[str, Count]:
    """Both halves at the same time: each waits often enough for the other to use the cores."""
    given = parts.environment(folder)
    report = folder / "fresh_database.json"
    command = [sys.executable, "-m", "app.checks.fresh_database", str(report)]
    # tests compile the project in `target/` at the same time
    target = {"DBT_TARGET_PATH": str(folder / "target")}
    with parts.beside(command, root, given | target):
        pytest = _pytest(folder, root, given)
    told = json.loads(report.read_text("utf-8")) if report.exists() else {}
    counts = {
        name: Count(**told[name]) if name in told else Count(failed=1)
        for name in (fresh_database.RUN, fresh_database.LINT)
    }
    return {**counts, "pytest": pytest}


def _pytest(folder: Path, root: Path, given: dict[str, str]) -> Count:
    """All of pytest on three workers, because many tests wait for processes of their own; a run
    that did not even start counts as one failure."""
    report = folder / "pytest.xml"
    # in the order of pyproject's testpaths: files of few but long tests come first, not last
    how = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *how, f"--junit-xml={report}"]
    code = parts.in_front(command, root, given)
    if not report.exists():
        return Count(failed=1)
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total, bad, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites)
        for name in ("tests", "failures", "skipped")
    )
    errors = sum(int(suite.get("errors", "0")) for suite in suites)
    failed = bad + errors
    return Count(total - failed - skipped, max(failed, 1 if code else 0))


if __name__ == "__main__":
    main()
