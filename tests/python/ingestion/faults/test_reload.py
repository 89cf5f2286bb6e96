"""A sample of every source loaded under wrong contracts, mended and reloaded: as a clean load left it.

And kill -9 of the reload, in every phase: the old rows or the new ones, never some of each.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.load import load_all
from tallyhouse.settings import PROJECT_ROOT
from tests.patience import PATIENCE
from tests.python.ingestion.conftest import wait_for_nobody
from tests.python.ingestion.faults.conftest import State, Trial

pytestmark = pytest.mark.slow
SOURCES = ("cdc", "events", "revenuecat", "stripe")
OLD_AFTERWARDS = (
    "before withdrawal", "after withdrawal", "reading", "after keys", "in copy", "before fold",
    "after fold", "after ledger", "before commit",
)  # fmt: skip
NEW_AFTERWARDS = ("after commit", "before lake file")


def wrong_contracts(folder: Path) -> Path:
    """Contracts that read every source wrongly: other types, a column and an event that are missing,
    other owners, something dropped that nobody meant."""

    def write(name: str, text: str) -> None:
        (folder / name).write_text(text)

    def changed(path: str, *changes: tuple[str, str]) -> str:
        text = (PROJECT_ROOT / "contracts" / path).read_text()
        for before, after in changes:
            assert before in text
            text = text.replace(before, after, 1)
        return text

    write("upcoach.yml", changed(
        "cdc/upcoach.yml",
        ("      created_at: timestamptz", "      created_at: text"),
    ))  # fmt: skip
    write("rostracore.yml", changed(
        "cdc/rostracore.yml",
        ("      industry: text\n", ""),
        ("      kind: text", "      kind: {type: text, personal: drop}"),
        ("      issued_on: date", "      issued_on: text"),
    ))  # fmt: skip
    write("events.yml", changed(
        "events/upcoach.yml",
        ("  session_started: {domain: engagement, description: A visit began.}\n", ""),
        ("screen: string", "screen: integer"),
        ("  surface: string\n", "  surface: {type: string, personal: drop}\n"),
    ))  # fmt: skip
    write("stripe.yml", "kind: webhooks\nprovider: stripe\ndrop: [metadata]\n"
          "accounts: {acct_upcoach: {product: rentguy}}\n")  # fmt: skip
    write("revenuecat.yml", "kind: webhooks\nprovider: revenuecat\ntoken: [store]\n"
          "projects: {upcoach: {product: rentguy}}\n")  # fmt: skip
    return folder


def test_every_source_reloaded_is_as_a_clean_load_left_it(
    new_trial: Callable[[], Trial], clean: State, tmp_path: Path
) -> None:
    trial = new_trial()
    trial.under(wrong_contracts(tmp_path)).load()
    wrong = trial.state()
    for table in ("raw_events.events", "raw_stripe.events", "raw_revenuecat.events",
                  "raw_cdc.upcoach__organizations", "raw_cdc.rostracore__certifications",
                  "ops.rejected_records"):  # fmt: skip
        assert wrong[table] != clean[table], table
    due = "\n".join(trial.load().notes)
    for source in ("cdc/upcoach", "cdc/rostracore", "events/upcoach", "stripe/acct_upcoach",
                   "revenuecat/upcoach"):  # fmt: skip
        assert f"tallyhouse reload {source}" in due
    report = trial.reload(*SOURCES)
    assert report.withdrawn and not report.notes and not report.unreadable
    trial.assert_like(clean)


def run(trial: Trial, counts: Path, *moment: str) -> int:
    settings = trial.warehouse.settings
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("hooked_load.py")), trial.warehouse.url,
         settings.landing, settings.lake, str(settings.pii_key_file), str(counts), *moment],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "RELOAD": " ".join(SOURCES)},
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.returncode


def test_a_killed_reload_leaves_the_old_rows_or_the_new(
    new_trial: Callable[[], Trial], clean: State, tmp_path: Path
) -> None:
    trial = new_trial()
    wrong = trial.under(wrong_contracts(tmp_path))
    wrong.load()
    old = trial.state()
    counts = tmp_path / "counts"
    assert run(trial, counts) == 0
    trial.assert_like(clean)
    moments = json.loads(counts.read_text())
    wrong.reload(*SOURCES)
    assert trial.state() == old  # the way back is the same
    for phase in (*OLD_AFTERWARDS, *NEW_AFTERWARDS):
        number = random.Random(phase).randint(1, moments[phase])
        assert run(trial, counts, phase, str(number)) == -9, phase
        wait_for_nobody(trial.rows)
        trial.assert_sound()
        state = trial.state()
        assert state == (old if phase in OLD_AFTERWARDS else clean), phase
        if state != old:
            load_all(trial.warehouse.connect, trial.warehouse.settings, processes=1)
            trial.assert_like(clean)
            wrong.reload(*SOURCES)
    assert trial.load().notes
    trial.reload(*SOURCES)
    trial.assert_like(clean)
