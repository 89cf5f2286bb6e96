"""What the command line did, kept until Dagster takes it over into its own history.

A run that is not Dagster's leaves a file of JSON lines: dbt's own events of finished nodes, and
lines of ours on loading and training. A sensor reads the files in their order (names are times) and
clears what it has read. Belongs here: writing, listing and clearing those files. Does not belong
here: what Dagster makes of a line (`orchestration.defs.automation.told`).
"""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from google.protobuf.json_format import MessageToDict

from tallyhouse.settings import Settings

FOLDER = "told_to_dagster"  # below the home
KEPT = 100  # runs; where Dagster is never opened, older ones go
LOADED, LEARNED = "loads_after", "learned"  # the keys of our own lines
RESULTS = ("LogSeedResult", "LogModelResult", "LogSnapshotResult", "LogTestResult")


class Teller:
    """Writes the lines of one run; an instance takes dbt's events."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, threading.Lock()
        self.lines = 0

    def __call__(self, event: Any) -> None:
        """Keep an event that tells how a node of dbt ended."""
        if event.info.name in RESULTS:
            self._write(MessageToDict(event, preserving_proto_field_name=True))

    def loaded_after(self, load_id: int) -> None:
        """Say that this run loaded what the ledger holds beyond a load."""
        self._write({LOADED: load_id})

    def learned(self, sentences: list[str]) -> None:
        """Say what training said."""
        self._write({LEARNED: sentences})

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock:  # dbt's threads tell of their nodes
            self._file.write(json.dumps(line) + "\n")
            self.lines += 1


@contextmanager
def telling(settings: Settings) -> Iterator[Teller]:
    """A teller for one run; what a run did before it failed is told too.

    A run that found nothing to do leaves no file.
    """
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        teller = Teller(file)
        try:
            yield teller
        finally:
            file.close()
            if teller.lines > 1:
                draft.replace(folder / f"{time.time_ns()}.jsonl")
            draft.unlink(missing_ok=True)
        for old in waiting(settings)[:-KEPT]:
            old.unlink(missing_ok=True)


def waiting(settings: Settings) -> list[Path]:
    """The files that are there, oldest first."""
    return sorted((settings.home / FOLDER).glob("*.jsonl"))
