"""What the command line did, kept until Dagster takes it over into its own history.

A run that is not Dagster's leaves a file of JSON lines: dbt's own events of finished nodes, and
lines of ours on loading, checking and training. They are read in their order (names are times), and
cleared when they are read. A run writes a draft, which is locked while the run lives: what a killed
run left is found by its lock, which is free. Belongs here: writing, listing and clearing those files,
and how far they were read. Does not belong here: what Dagster makes of a line
(`orchestration.runs_told`).
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from google.protobuf.json_format import MessageToDict

from ingestion.quality import LandedCheck, Reconciliation
from tallyhouse.settings import Settings

FOLDER = "told_to_dagster"  # below the home
LATER, FIRST = "put_off", f"{0:019}.jsonl"  # FIRST is older than any time
KEPT = 100  # runs; where Dagster is never opened, older ones go
LOADED, COUNTED, CHECKED, LEARNED = "loads_after", "counted", "checked", "learned"  # our own lines
BUILT = ("LogSeedResult", "LogModelResult", "LogSnapshotResult")
TESTED = "LogTestResult"


class Teller:
    """Writes the lines of one run, each at once; an instance takes dbt's events."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, threading.Lock()
        self.has_news = False

    def __call__(self, event: Any) -> None:
        """Keep an event that tells how a node of dbt ended."""
        if event.info.name in (*BUILT, TESTED):
            self._keep(MessageToDict(event, preserving_proto_field_name=True))

    def loaded_after(self, load_id: int) -> None:
        """Say that this run loaded what the ledger holds beyond a load.

        What other commands loaded before it is told as well, if Dagster has not heard of it.
        """
        self._keep({LOADED: load_id}, is_news=False)

    def counted(self, unreadable: Sequence[str], found: Reconciliation) -> None:
        """Say what the load could not read, and how the ledger and the tables add up."""
        is_news = bool(unreadable or found.loads or found.differences)
        self._keep({COUNTED: {"unreadable": list(unreadable), **asdict(found)}}, is_news=is_news)

    def checked(self, outcomes: Iterable[LandedCheck]) -> None:
        """Say what came of the suites of landed tables."""
        told = [{**asdict(outcome), "page": str(outcome.page)} for outcome in outcomes]
        self._keep({CHECKED: told})

    def learned(self, sentences: list[str]) -> None:
        """Say what training said."""
        self._keep({LEARNED: sentences})

    def _keep(self, line: dict[str, Any], *, is_news: bool = True) -> None:
        text = json.dumps(line) + "\n"
        with self._lock:  # dbt's threads tell of their nodes
            self._file.write(text)
            self._file.flush()
            self.has_news = self.has_news or is_news


@contextmanager
def telling(settings: Settings) -> Iterator[Teller]:
    """A teller for one run; what a run did before it failed, or was killed, is told too.

    A run that found nothing to do leaves no file.
    """
    waiting(settings)  # a draft of a process that had our number goes first
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{os.getpid()}"
    unlocked = draft.with_suffix(".new")  # whoever looks for drafts does not see it
    with unlocked.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        unlocked.replace(draft)
        teller = Teller(file)
        try:
            yield teller
        finally:
            if teller.has_news:
                _publish(draft, time.time_ns())
            draft.unlink(missing_ok=True)
        for old in waiting(settings)[:-KEPT]:
            _clear(old)


def _publish(draft: Path, ended_at: int) -> None:
    """Make a draft a file that is read, without a last line that was cut off.

    What was built stands before what was tested, so that whoever reads a part of it knows all tables.
    """
    lines = draft.read_text("utf-8", errors="replace").splitlines(keepends=True)
    whole = sorted((line for line in lines if line.endswith("\n")), key=_is_test)
    if whole:
        ordered = draft.with_suffix(".ordered")
        ordered.write_text("".join(whole), encoding="utf-8")
        ordered.replace(draft.parent / f"{ended_at}.jsonl")


def _is_test(line: str) -> bool:
    return f'"name": "{TESTED}"' in line  # inside of a text its quotes would be escaped


def _take_over_drafts(folder: Path) -> None:
    """Publish what runs left that were killed."""
    for draft in folder.glob(".*"):
        if not draft.name[1:].isdigit():
            continue
        with suppress(FileNotFoundError, BlockingIOError), draft.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held: its run lives
            left = os.fstat(file.fileno())
            if left.st_nlink:  # else somebody else took it over meanwhile
                _publish(draft, left.st_mtime_ns)
                draft.unlink()


def runs(number: int) -> str:
    """So many runs, in words."""
    return "1 run" if number == 1 else f"{number} runs"


def waiting(settings: Settings) -> list[Path]:
    """The files that are there, oldest first; those of runs that were killed are among them."""
    folder = settings.home / FOLDER
    _take_over_drafts(folder)
    return sorted(folder.glob("*.jsonl"))


def put_off(settings: Settings, line: str) -> None:
    """Keep a line for a reader that knows more."""
    with (settings.home / FOLDER / LATER).open("a", encoding="utf-8") as file:
        file.write(line)


def resume(settings: Settings, known_since: float) -> None:
    """Let lines that were put off be read, before all others, by a reader whose knowledge is younger."""
    later, first = (settings.home / FOLDER / name for name in (LATER, FIRST))
    if first.exists() or not later.exists():  # the first are not read to the end, or there are none
        return
    if later.stat().st_mtime < known_since:
        later.replace(first)


@contextmanager
def only_reader(settings: Settings) -> Iterator[bool]:
    """Whether nobody else reads the files; as long as the block lasts nobody else will."""
    folder = settings.home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".reading").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def unread(file: Path) -> Iterator[str]:
    """The lines of a file that were not read yet; each counts as read when the next one is asked for.

    The file goes when its last line was read.
    """
    mark = _mark(file)
    read = mark.stat().st_size if mark.exists() else 0
    with file.open(encoding="utf-8") as lines, mark.open("ab", buffering=0) as marks:
        for line in islice(lines, read, None):
            yield line
            marks.write(b".")
    _clear(file)


def _mark(file: Path) -> Path:
    """Beside a file: a byte for each of its lines that was read."""
    return file.with_suffix(".read")


def _clear(file: Path) -> None:
    file.unlink(missing_ok=True)
    _mark(file).unlink(missing_ok=True)
