"""kill -9 of the loader, in every phase of a load: nothing lost, nothing doubled."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.load import load_all
from ingestion.parsing import workers
from tallyhouse.errors import TallyhouseError
from tests.patience import PATIENCE
from tests.python.ingestion.conftest import wait_for_nobody
from tests.python.ingestion.faults.conftest import State, Trial, children

pytestmark = pytest.mark.slow
PHASES = (
    "reading", "after keys", "in copy", "before fold", "after fold", "after ledger",
    "before commit", "after commit", "before lake file",
)  # fmt: skip


def run(trial: Trial, counts: Path, *moment: str) -> int:
    settings = trial.warehouse.settings
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("hooked_load.py")), trial.warehouse.url,
         settings.landing, settings.lake, str(settings.pii_key_file), str(counts), *moment],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=PATIENCE, check=False,
    )  # fmt: skip
    return done.returncode


@pytest.fixture(scope="module")
def moments(
    new_trial: Callable[[], Trial], clean: State, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, int]:
    """How many moments of each phase an undisturbed load of a process of its own has."""
    trial, counts = new_trial(), tmp_path_factory.mktemp("counts") / "moments.json"
    assert run(trial, counts) == 0
    trial.assert_like(clean)
    found: dict[str, int] = json.loads(counts.read_text())
    return found


@pytest.mark.parametrize("phase", PHASES)
def test_killed_in_each_phase(
    new_trial: Callable[[], Trial], clean: State, moments: dict[str, int], tmp_path: Path,
    phase: str,
) -> None:  # fmt: skip
    trial = new_trial()
    number = random.Random(phase).randint(1, moments[phase])
    assert run(trial, tmp_path / "counts", phase, str(number)) == -9
    wait_for_nobody(trial.rows)
    trial.assert_sound()
    trial.load()
    trial.assert_like(clean)


def test_killed_again_and_again_on_one_warehouse(
    new_trial: Callable[[], Trial], clean: State, tmp_path: Path
) -> None:
    """Each run begins with what the one before left, and gets a little further."""
    trial, chance = new_trial(), random.Random(48)
    kills = 0
    for phase in PHASES:
        kills += run(trial, tmp_path / "counts", phase, str(chance.randint(1, 3))) == -9
        wait_for_nobody(trial.rows)
    assert kills >= len(PHASES) - 2
    trial.assert_sound()
    trial.load()
    trial.assert_like(clean)


def test_a_parsing_process_killed(
    new_trial: Callable[[], Trial], clean: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SMALL", 0)  # processes also for little
    trial = new_trial()
    killer = threading.Thread(target=kill_a_parser, daemon=True)
    killer.start()
    with pytest.raises(TallyhouseError, match="run the load again"):
        load_all(trial.warehouse.connect, trial.warehouse.settings, processes=2)
    killer.join(PATIENCE)
    trial.assert_sound()
    load_all(trial.warehouse.connect, trial.warehouse.settings, processes=2)
    trial.assert_like(clean)


def kill_a_parser() -> None:
    """kill -9 of the first child of this process that parses."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        for pid in children(os.getpid()):
            with contextlib.suppress(OSError):
                if b"ingestion.parsing.workers" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGKILL)
                    return
        time.sleep(0.002)
