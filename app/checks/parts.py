"""Parts of `make test` as processes that work at the same time and end together.

Belongs here: starting a part, showing what it said, ending it. Does not belong here: what it does.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

ROOM_TO_LEAVE = 60.0  # seconds in which an interrupted part may stop its servers


@dataclass(frozen=True)
class Count:
    """How many checks of one kind passed and failed, and how many did not run for which reason."""

    passed: int = 0
    failed: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        left_out = sum(self.skipped.values())
        tail = f", {left_out} skipped" if left_out else ""
        return f"{self.passed} passed, {self.failed} failed{tail}"


def environment(folder: Path) -> dict[str, str]:
    """What every part inherits, and a place for bytecode where none may lie beside the code.

    Several hundred processes are started: without bytecode each compiles dbt and Dagster anew.
    """
    given = dict(os.environ)
    if given.pop("PYTHONDONTWRITEBYTECODE", ""):
        given.setdefault("PYTHONPYCACHEPREFIX", str(folder / "bytecode"))
    return given


@contextlib.contextmanager
def beside(command: list[str], root: Path, given: Mapping[str, str]) -> Iterator[None]:
    """A part whose output is kept, and shown whole when the block ends and the part has ended."""
    with tempfile.TemporaryFile() as output, _started(command, root, given, output) as part:
        try:
            yield
            part.wait()
        finally:
            _end(part)
            output.seek(0)
            sys.stdout.flush()
            sys.stdout.buffer.write(b"\n" + output.read())
            sys.stdout.flush()


def in_front(command: list[str], root: Path, given: Mapping[str, str]) -> int:
    """Run a part to its end with its output as it comes; returns its exit code."""
    with _started(command, root, given) as part:
        try:
            return part.wait()
        finally:
            _end(part)


def leave_on_termination() -> None:
    """SIGTERM becomes an ordinary exit, so that servers are stopped on the way out.

    Parts are ended by an interrupt, which a shell lets its background jobs ignore: not here.
    """

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(143)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _started(
    command: list[str], root: Path, given: Mapping[str, str], output: IO[bytes] | None = None
) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=root,
        env=given,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,  # an interrupt reaches a part once, through `_end`
    )


def _end(part: "subprocess.Popen[bytes]") -> None:
    """Interrupt a part that still works, and all its processes; kill them when that is no use."""
    if part.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            part.wait(ROOM_TO_LEAVE)
            return
        os.killpg(part.pid, signal.SIGKILL)
    part.wait()
