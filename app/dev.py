"""Dagster's UI is opened, and told first what the command line did.

Belongs here: what comes before the UI, and the process that takes our place. Does not belong here:
what Dagster makes of it (`orchestration.runs_told`, a program to us: only orchestration knows Dagster).
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from app import told
from app.dagster_home import prepare_instance
from tallyhouse.database import Warehouse
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings

TELLING_SECONDS = 60  # then the UI opens, and a sensor does the rest
STARTING_SECONDS = 60  # more, in which the program must have begun and ended


def open_ui(
    settings: Settings, warehouse: Warehouse, reporter: Reporter, arguments: Sequence[str]
) -> NoReturn:
    """Become `dagster dev` with these arguments, once it knows of the runs that it has not heard of."""
    environment = {**os.environ, **prepare_instance(settings, warehouse)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    os.chdir(settings.root)
    tell_dagster(settings, environment, reporter)
    program = str(Path(sys.executable).parent / "dagster")
    sys.stdout.flush()
    os.execve(program, [program, "dev", *arguments], environment)


def tell_dagster(settings: Settings, environment: Mapping[str, str], reporter: Reporter) -> None:
    """Have what the command line did taken over into Dagster's history, in two minutes at most.

    What fails here is told and keeps nobody from the UI, whose sensor tries again.
    """
    waiting = len(told.waiting(settings))
    if not waiting:
        return
    program = [sys.executable, "-m", "orchestration.runs_told", str(TELLING_SECONDS)]
    with reporter.step(
        f"Taking over into Dagster's history what {told.runs(waiting)} of the command line did"
    ):
        try:
            done = subprocess.run(
                program,
                cwd=settings.root,
                env=dict(environment),
                timeout=TELLING_SECONDS + STARTING_SECONDS,
                capture_output=True,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            reporter.say(_not_done(f"not done after {TELLING_SECONDS + STARTING_SECONDS} s"))
            return
    said = (done.stderr if done.returncode else done.stdout).strip().splitlines()
    sentence = said[-1] if said else f"exit code {done.returncode}"
    reporter.say(_not_done(sentence) if done.returncode else sentence)


def _not_done(why: str) -> str:
    return (
        f"Not all of it was taken over ({why}); Dagster's sensor runs_of_the_command_line goes on "
        "with it once the UI is open."
    )
