"""The main job, as plain functions: sample, load, build, train. Dagster calls the same ones.

Each step starts from what the database says and can be repeated, so a run that was interrupted
anywhere is simply run again. A step whose inputs have not changed since it last succeeded is
skipped. Belongs here: what runs in which order and when it may be skipped. Does not belong here:
how anything is loaded, modelled, learned or shown.
"""

import os
import shutil
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from app import run_log, summary
from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter, Step
from tallyhouse.settings import Settings

PREDICTIONS = "path:models/staging/predictions+"
SAMPLE_DAYS, SAMPLE_SEED, SAMPLE_SCALE = 180, 7, 1.0


@dataclass
class RunResult:
    """What a run came to. `problems` are sentences; any of them makes the exit code non-zero."""

    summary: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def sample(
    settings: Settings,
    reporter: Reporter,
    *,
    out: Path | None = None,
    days: int = SAMPLE_DAYS,
    seed: int = SAMPLE_SEED,
    scale: float = SAMPLE_SCALE,
) -> None:
    """Write sample sources: to `out/landing` and `out/truth`, or into the landing folder.

    They are written aside and moved in whole, so that an interrupted run leaves no half sample.
    """
    from simulator import write_sample

    with reporter.step("Writing sample sources"):
        if out is not None:
            write_sample(out, days, seed, scale)
            return
        landing, truth = Path(settings.landing), settings.home / "truth"
        draft = landing.with_name(f".{landing.name}.{os.getpid()}")
        try:
            write_sample(draft, days, seed, scale)
            shutil.rmtree(truth, ignore_errors=True)
            settings.home.mkdir(parents=True, exist_ok=True)
            shutil.move(draft / "truth", truth)
            if landing.exists():
                landing.rmdir()
            (draft / "landing").rename(landing)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def load(settings: Settings, warehouse: Warehouse, progress: Step | None = None) -> Any:
    """Load every file of the landing folder that the ledger does not know; see `ingestion`."""
    from ingestion.load import load_all

    return _logged_load("load", load_all, settings, warehouse, progress)


def replay(settings: Settings, warehouse: Warehouse, progress: Step | None = None) -> Any:
    """Read files again whose records a changed contract may now accept or read otherwise."""
    from ingestion.load import replay as replay_all

    return _logged_load("replay", replay_all, settings, warehouse, progress)


def reload(
    settings: Settings, warehouse: Warehouse, progress: Step | None = None, *,
    words: Sequence[str], tables: Sequence[str] = (),
) -> Any:  # fmt: skip
    """Read the files again that are named and replace what they brought; see `ingestion.load`."""
    from ingestion.load import reload as reload_named

    how = partial(reload_named, words=words, tables=tables)
    return _logged_load("reload", how, settings, warehouse, progress)


def _logged_load(
    job: str, how: Callable[..., Any], settings: Settings, warehouse: Warehouse,
    progress: Step | None,
) -> Any:  # fmt: skip
    with run_log.logged(warehouse, job) as entry:
        report = how(warehouse.connect, settings, progress=progress)
        report.notes += _import_refused_calls(settings, warehouse)
        entry.details["unreadable"] = [str(problem) for problem in report.unreadable]
    return report


def reloads_due(settings: Settings, warehouse: Warehouse) -> list[str]:
    """Sentences on what today's contracts would read otherwise than it was read."""
    from ingestion.due import due_sentences

    return due_sentences(warehouse.connect, settings)


def open_drift(warehouse: Warehouse) -> list[str]:
    """Sentences on what sources sent that their contracts do not say, with the way out."""
    from ingestion.quality import drift, told

    return told(drift(warehouse.connect))


def _import_refused_calls(settings: Settings, warehouse: Warehouse) -> list[str]:
    """Bring what the receiver refused into the audit log; sentences about what was set aside."""
    from serving.receiver.audit import SPOOL, import_spool

    if not (settings.home / SPOOL).is_dir():
        return []
    with warehouse.connect(autocommit=True) as connection:
        return import_spool(settings.home / SPOOL, connection).problems


def reconcile(warehouse: Warehouse, *, everything: bool = False, count_rows: bool = True) -> Any:
    """Hold the ledger against the files' records and the tables' rows; see `ingestion.quality`."""
    from ingestion.quality import reconcile as count

    return count(warehouse.connect, everything=everything, count_rows=count_rows)


def build(
    settings: Settings,
    warehouse: Warehouse,
    progress: Step | None = None,
    *,
    full_refresh: bool = False,
    select: str | None = None,
    exclude: str | None = None,
) -> dbt.DbtOutcome:
    """One dbt build: seeds, snapshots, models and all their tests. A failing test fails it."""
    args = ["build"]
    args += ["--full-refresh"] if full_refresh else []
    args += ["--select", select] if select else []
    args += ["--exclude", exclude] if exclude else []
    outcome = dbt.run(
        args, settings, warehouse=warehouse, on_event=_NodeCounter(progress) if progress else None
    )
    if not outcome.success:
        shown = "\n".join(f"  - {text}" for text in outcome.failures[:20])
        raise TallyhouseError(
            f"The build failed; what was built before stays.\n{shown}\nThe whole log is in "
            "logs/dbt.log; mend the cause and run again."
        )
    return outcome


def train(
    settings: Settings,
    warehouse: Warehouse,
    progress: Step | None = None,
    only: Collection[str] | None = None,
) -> Any:
    """Train what has something new to learn from, predict, and log the predictions; see `ml`.

    `only` names the models whose turn it is; all by default.
    """
    from ml.run import train_and_predict

    return train_and_predict(settings, warehouse.connect, settings.as_of, progress, only)


def run(
    settings: Settings,
    warehouse: Warehouse,
    reporter: Reporter,
    *,
    full_refresh: bool = False,
    may_sample: bool = True,
) -> RunResult:
    """Everything, in order, skipping what has nothing new; the result holds the summary."""
    from app.preparation import prepare  # imports every package's schema

    started = time.monotonic()
    result = RunResult()
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say), run_log.logged(warehouse, "run") as entry:
        if may_sample and _is_empty(settings.landing):
            sample(settings, reporter)
        with reporter.step("Loading") as step:
            report = load(settings, warehouse, step)
        for note in report.notes:
            reporter.say(note)
        result.problems += [str(problem) for problem in report.unreadable]
        result.problems += reconcile(warehouse).differences
        built = _build_and_train(settings, warehouse, reporter, full_refresh)
        seconds = round(time.monotonic() - started, 1)
        result.summary = summary.collect(warehouse, tests=built["tests"], seconds=seconds)
        result.summary["learned"] = built.get("learned", [])
        result.summary["problems"] = result.problems
        entry.details["summary"] = result.summary
    return result


def _build_and_train(
    settings: Settings, warehouse: Warehouse, reporter: Reporter, full_refresh: bool
) -> dict[str, Any]:
    """Build, train and build what the predictions feed, unless all of it is up to date.

    Code or reference data that changed since the last success changes history: all is rebuilt.
    """
    mark, shape = run_log.fingerprint(settings, warehouse), run_log.shape(settings)
    with warehouse.connect() as connection:
        before = run_log.last(connection, "build")
        renewed = run_log.shape_changed(connection, shape)
    if before and before["fingerprint"] == mark and not (full_refresh or renewed):
        reporter.say("Nothing new since the last run: building and training are skipped.")
        return dict(before["details"])
    if renewed and not full_refresh:
        reporter.say("Code or reference data changed: every table is rebuilt in full.")
    refresh = full_refresh or renewed
    with run_log.logged(warehouse, "build", mark, {"shape": shape}) as entry:
        with reporter.step("Building and testing") as step:
            first = build(settings, warehouse, step, full_refresh=refresh, exclude=PREDICTIONS)
        with reporter.step("Training and predicting") as step:
            entry.details["learned"] = list(train(settings, warehouse, step).sentences)
        with reporter.step("Building what the predictions feed") as step:
            second = build(settings, warehouse, step, full_refresh=refresh, select=PREDICTIONS)
        entry.details["tests"] = {
            "passed": first.tests_passed + second.tests_passed,
            "failed": first.tests_failed + second.tests_failed,
            "built": first.built + second.built,
        }
    return entry.details


def _is_empty(landing: str) -> bool:
    """True when the landing folder is local and holds no file (or is not there yet)."""
    if "://" in landing:
        return False
    try:
        return not any(files for _, _, files in os.walk(landing, onerror=_complain))
    except FileNotFoundError:
        return True


def _complain(error: OSError) -> None:
    if isinstance(error, FileNotFoundError):
        raise error
    raise TallyhouseError(
        f"The landing folder {error.filename} cannot be read ({error.strerror}). Give this "
        "account read permission, or name another folder with --landing."
    ) from error


class _NodeCounter:
    """Turns dbt's events into progress: nodes finished of nodes in all."""

    def __init__(self, step: Step) -> None:
        self.step, self.done, self.total = step, 0, 0

    def __call__(self, event: Any) -> None:
        if event.info.name == "LogStartLine":
            self.total = max(self.total, int(event.data.total))
        elif event.info.name == "NodeFinished":
            self.done += 1
            name = event.data.node_info.node_name
            self.step.update(self.done, max(self.total, self.done), f"{self.done} {name[:50]}")
