"""`make test`: pytest, and beside it a whole run on a fresh database and lint; one line counts all.

Belongs here: the parts and the count. Does not belong here: the tests.
"""

import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
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
        report = Path(folder, "pytest.xml")
        counts = _counts(report, PROJECT_ROOT, workers(os.environ))
        slowest = longest_files(report)
    click.echo("")
    for line in slowest:
        click.echo(line)
    for line in closing_lines(counts, time.monotonic() - started):
        click.echo(line)
    sys.exit(1 if any(count.failed for count in counts.values()) else 0)


def closing_lines(counts: Mapping[str, Count], seconds: float) -> list[str]:
    """What was left out and why, each part's count, and last the count of all."""
    reasons = sum((Counter(count.skipped) for count in counts.values()), Counter[str]())
    whole = Count(
        sum(count.passed for count in counts.values()),
        sum(count.failed for count in counts.values()),
        reasons,
    )
    return [
        *(f"SKIPPED {number}: {reason}" for reason, number in sorted(reasons.items())),
        *(f"{name}: {count}" for name, count in counts.items()),
        f"all of it took {seconds:.0f} s",
        str(whole),
    ]


def _counts(report: Path, root: Path, at_once: str) -> dict[str, Count]:
    """Both halves at the same time: each waits often enough for the other to use the cores.

    What pytest did is left in `report`.
    """
    folder = report.parent
    given = parts.environment(folder)
    fresh = folder / "fresh_database.json"
    command = [sys.executable, "-m", "app.checks.fresh_database", str(fresh)]
    # tests compile the project in `target/` at the same time
    target = {"DBT_TARGET_PATH": str(folder / "target")}
    with parts.beside(command, root, given | target):
        pytest = _pytest(report, root, given, at_once)
    told = json.loads(fresh.read_text("utf-8")) if fresh.exists() else {}
    counts = {
        name: Count(**told[name]) if name in told else Count(failed=1)
        for name in (fresh_database.RUN, fresh_database.LINT)
    }
    return {**counts, "pytest": pytest}


def _pytest(report: Path, root: Path, given: dict[str, str], at_once: str) -> Count:
    """All of pytest, a file of tests at a time on each worker: a single one would wait with its database."""
    # in the order of collection, which tests/conftest.py sets: long files come first
    how = ["-n", at_once, "--dist", "loadfile", "--no-loadscope-reorder"]
    command = [sys.executable, "-m", "pytest", "-q", *how, f"--junit-xml={report}"]
    code = parts.in_front(command, root, given)
    return count_of(report, code)


def workers(given: Mapping[str, str]) -> str:
    """How many files of tests run at once: `make test WORKERS=8`, else two."""
    asked = given.get("WORKERS", "2")
    if not asked.isdecimal() or int(asked) < 1:
        raise SystemExit(f"WORKERS={asked}: say how many files of tests run at once, 1 or more.")
    return asked


def count_of(report: Path, code: int) -> Count:
    """The count in pytest's report; a run that did not even start is one failure."""
    if not report.exists():
        return Count(failed=1)
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = sum(
        case.find("failure") is not None or case.find("error") is not None for case in cases
    )
    found = [case.find("skipped") for case in cases]
    skipped = Counter(skip.get("message", "") for skip in found if skip is not None)
    passed = len(cases) - failed - skipped.total()
    return Count(passed, max(failed, 1 if code else 0), dict(skipped))


def longest_files(report: Path, shown: int = 15) -> list[str]:
    """Where pytest's time went: the files of tests that took longest, setting up counted in."""
    if not report.exists():
        return []
    seconds: defaultdict[str, float] = defaultdict(float)
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        seconds[case.get("classname", "")] += float(case.get("time", 0))
    longest = sorted(seconds.items(), key=lambda found: -found[1])[:shown]
    lines = [f"{spent:6.0f} s  {name}" for name, spent in longest]
    return [f"pytest's {sum(seconds.values()):.0f} s of work, its longest files:", *lines]


if __name__ == "__main__":
    main()
