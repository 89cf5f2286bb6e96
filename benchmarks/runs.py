"""Whole runs as commands: nothing new, and from a clone.

Belongs here: budgets of `tallyhouse run` and `make run`. Does not belong here: what a run consists
of (`loading`, `marts`).
"""

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.measure import clock
from benchmarks.plan import Bench, WrongResult
from benchmarks.report import Line, Report
from tallyhouse.settings import PREFIX, PROJECT_ROOT

GROUP = "Whole runs"
BUILDS = "select count(*) from ops.run_log where job_name = 'build'"


def measure(bench: Bench, report: Report) -> None:
    """`tallyhouse run` on the small store until nothing is new, then again."""
    store = bench.loaded(bench.history)
    landing = bench.landing(bench.history)
    bench.say("tallyhouse run, everything")
    first = store.command("run", landing=landing)
    report.add(
        Line(
            GROUP,
            f"run over {bench.plan.events:,} events that are loaded: build, test, train",
            [first.seconds],
            notes=[f"memory at most {first.peak_mib:.0f} MiB"],
        )
    )
    before = store.value(BUILDS)
    idle = []
    for _ in range(bench.plan.samples):
        idle.append(store.command("run", landing=landing).seconds)
        bench.say(f"tallyhouse run, nothing new: {idle[-1]:.1f} s")
    if store.value(BUILDS) != before:
        raise WrongResult("A run with nothing new did build.")
    report.add(
        Line(
            GROUP,
            "run with nothing new",
            idle,
            budget=20,
            notes=[
                f"the landing folder holds all {bench.plan.events:,} events, whose files it reads"
                " to see that they are known"
            ],
        )
    )
    if bench.plan.clone:
        _from_a_clone(bench, report)


def _from_a_clone(bench: Bench, report: Report) -> None:
    """`make run` from a bare clone, its installation apart; packages come from pip's cache."""
    clone = bench.site.folder / "clone"
    subprocess.run(["git", "clone", "-q", str(PROJECT_ROOT), str(clone)], check=True)
    given = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    given.pop("VIRTUAL_ENV", None)
    try:
        bench.say("make install from a clone")
        install = clock(lambda: _make("install", clone, given))
        bench.say("make run from a clone")
        run = clock(lambda: _make("run", clone, given))
    finally:
        program = clone / ".venv" / "bin" / "tallyhouse"
        if program.exists():
            subprocess.run([str(program), "db", "stop"], cwd=clone, env=given, check=False)
        shutil.rmtree(clone, ignore_errors=True)
    report.add(Line(GROUP, "`make run` from a clone", [install + run], budget=240))
    report.add(Line(GROUP, "of which install", [install], budget=60))


def _make(target: str, clone: Path, environment: dict[str, str]) -> None:
    subprocess.run(
        ["make", target], cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL
    )
