"""The main job, as plain functions: sample, load, build, train. Dagster calls the same ones.

Each step starts from what the database says and can be repeated, so a run that was interrupted
anywhere is simply run again. What has read nothing new since it was last made is left out.
Belongs here: what runs in which order and when it may be skipped. Does not belong here: how
anything is loaded, modelled, learned or shown.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from app import (
    build_ledger,
    building,
    guard,
    landing_folder,
    learning,
    report_page,
    run_log,
    summary,
    told,
)
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter, Step
from tallyhouse.settings import Settings, make_folder

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

    They are written aside and moved in whole, so that an interrupted run leaves no half sample. Empty
    folders in the landing folder stay.
    """
    from simulator import write_sample

    with reporter.step("Writing sample sources"):
        if out is not None:
            write_sample(out, days, seed, scale)
            return
        landing, truth = Path(settings.landing).resolve(), settings.home / "truth"
        draft = landing.with_name(f".{landing.name}.{os.getpid()}")
        try:
            write_sample(draft, days, seed, scale)
            shutil.rmtree(truth, ignore_errors=True)
            make_folder(settings.home)
            shutil.move(draft / "truth", truth)
            folders = _taken_away(landing)
            (draft / "landing").rename(landing)
            for folder in folders:
                make_folder(landing / folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _taken_away(landing: Path) -> list[Path]:
    """Remove a folder that holds nothing but folders; these, to be made again."""
    found = [Path(place) for place, _, _ in os.walk(landing, topdown=False)]
    try:
        for folder in found:
            folder.rmdir()
    except OSError as error:
        raise TallyhouseError(
            f"The sample cannot be moved to {landing}: {error.filename} is in its way"
            f" ({error.strerror}). Empty the landing folder, or name your own with --landing."
        ) from error
    return [folder.relative_to(landing) for folder in found]


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
        report.notes += fill_audit_log(settings, warehouse)
        entry.details["unreadable"] = report.failures
    return report


def rotate_key(
    settings: Settings, warehouse: Warehouse, progress: Step | None = None, *,
    is_lost: bool, leaves_gone: bool, forgets_erased: bool = False,
) -> Any:  # fmt: skip
    """Read everything again under a new key of personal data; see `ingestion.load`."""
    from ingestion.load import rotate_key as rotate

    how = partial(rotate, is_lost=is_lost, leaves_gone=leaves_gone, forgets_erased=forgets_erased)
    return _logged_load("key rotate", how, settings, warehouse, progress)


def reloads_due(settings: Settings, warehouse: Warehouse) -> list[str]:
    """Sentences on what today's contracts would read otherwise than it was read."""
    from ingestion.due import due_sentences

    return due_sentences(warehouse.connect, settings)


def open_drift(warehouse: Warehouse) -> list[str]:
    """Sentences on what sources sent that their contracts do not say, with the way out."""
    from ingestion.quality import drift, told

    return told(drift(warehouse.connect))


def fill_audit_log(settings: Settings, warehouse: Warehouse) -> list[str]:
    """Enter what was refused, asked and granted since the last time; sentences about what cannot be entered."""
    from governance import standing, statements
    from serving.receiver.audit import SPOOL, import_spool

    notes = []
    if (settings.home / SPOOL).is_dir():
        notes = import_spool(settings.home / SPOOL, warehouse).problems
    standing.note(warehouse)
    statements.import_statements(warehouse)
    return notes


def protection(warehouse: Warehouse) -> list[str]:
    """Sentences on what is encrypted and what is audited, and what is not."""
    from governance import statements

    with warehouse.connect() as connection:
        return [*warehouse.encryption(connection), *filter(None, [statements.why_not(connection)])]


def reconcile(warehouse: Warehouse, *, everything: bool = False, count_rows: bool = True) -> Any:
    """Hold the ledger against the files' records and the tables' rows; see `ingestion.quality`."""
    from ingestion.quality import reconcile as count

    return count(warehouse.connect, everything=everything, count_rows=count_rows)


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
    from ingestion.storing.ledger import has_loaded

    started = time.monotonic()
    result = RunResult()
    prepare(warehouse)
    with (
        run_log.only_run(warehouse, reporter.say),
        run_log.logged(warehouse, "run") as entry,
        told.telling(settings) as tell,
    ):
        landing_folder.claim(settings, warehouse)
        with warehouse.connect() as connection:
            may_sample = may_sample and not has_loaded(connection)
        if may_sample and landing_folder.takes_sample(settings):
            sample(settings, reporter)
        with warehouse.connect() as connection:
            tell.loaded_after(build_ledger.newest_load(connection))
        with reporter.step("Loading") as step:
            report = load(settings, warehouse, step)
        for sentence in (*report.notes, *report.passed_over):
            reporter.say(sentence)
        result.problems += report.failures
        counted = reconcile(warehouse)
        tell.counted(report.failures, counted)
        result.problems += counted.differences
        built = _build_and_train(settings, warehouse, reporter, full_refresh, tell)
        result.problems += built.get("warnings", [])
        seconds = round(time.monotonic() - started, 1)
        result.summary = summary.collect(warehouse, tests=built["tests"], seconds=seconds)
        result.summary["learned"] = built.get("learned", [])
        result.summary["left_out"] = built.get("left_out", [])
        result.summary["problems"] = result.problems
        result.summary["warned"] = built.get("warned", [])
        result.summary["data_docs"] = str(guard.pages(settings) / "index.html")
        result.summary["report"] = str(report_page.write(settings, warehouse, result.summary))
        entry.details["summary"] = result.summary
    return result


def _build_and_train(
    settings: Settings,
    warehouse: Warehouse,
    reporter: Reporter,
    full_refresh: bool,
    tell: told.Teller,
) -> dict[str, Any]:
    """Build, train and build what the predictions feed: of all this, what is due."""
    mark = run_log.fingerprint(settings, warehouse)
    with warehouse.connect() as connection:
        before = run_log.last(connection, "build", status=None)
        is_whole = build_ledger.is_whole(connection)
        lost = run_log.lost_relations(connection, settings.root)
    unseen = guard.is_due(warehouse)
    is_same = before and before["status"] == "succeeded" and before["fingerprint"] == mark
    if before and is_same and is_whole and not (unseen or lost or full_refresh):
        reporter.say("Nothing new since the last run: building and training are skipped.")
        return {**before["details"], "left_out": [], "tests": {}}
    with run_log.logged(warehouse, "build", mark) as entry:
        if unseen:
            with reporter.step("Checking what was landed"):
                tell.checked(guard.check(settings, warehouse))
        with reporter.step("Building and testing") as step:
            parsed = building.parse(settings, warehouse)
            built = building.build_due(
                settings, warehouse, step,
                predictions=False, full_refresh=full_refresh, on_event=tell, parsed=parsed,
            )  # fmt: skip
        with reporter.step("Training and predicting") as step:
            entry.details["learned"] = learning.train(
                settings, warehouse, step, only_due=not full_refresh
            )
        tell.learned(entry.details["learned"])
        with reporter.step("Building what the predictions feed") as step:
            built += building.build_due(
                settings, warehouse, step,
                predictions=True, full_refresh=full_refresh, on_event=tell, parsed=parsed,
            )  # fmt: skip
        reporter.say(built.sentence)
        entry.details["left_out"] = sorted(built.left_out)
        entry.details["warnings"] = built.warnings
        entry.details["warned"] = [*built.outcome.warned]
        entry.details["tests"] = {
            "passed": built.outcome.tests_passed,
            "failed": built.outcome.tests_failed,
            "built": len(built.built),
        }
    return entry.details
