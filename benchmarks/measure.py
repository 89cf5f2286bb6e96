"""What a piece of work costs: seconds, CPU and memory, of its processes and of Postgres.

Belongs here: clocks, `/proc`, child processes. Does not belong here: what is measured.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PAGE, TICK = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
LOOK_EVERY = 0.05  # seconds between two looks at the memory of the processes known
FIND_EVERY = 20  # looks between two searches for new processes
SHARE_EVERY = 40  # looks between two divisions of shared memory
MIB = 2**20


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock and of the CPU; peaks in MiB, summed over a tree of processes.

    `peak_mib` counts memory that processes share once for each of them, so it is an upper bound;
    `peak_shared_mib` divides it among them (the kernel's Pss), looked at every two seconds where
    that was asked for: the kernel walks all their pages, a tenth of a core.
    """

    seconds: float
    cpu_seconds: float = 0.0
    database_cpu_seconds: float = 0.0
    peak_mib: float = 0.0
    peak_shared_mib: float = 0.0
    database_peak_mib: float = 0.0
    output: str = ""


class ChildFailed(Exception):
    """A measured command ended badly; the text holds its last words."""


def clock(work: Callable[[], object]) -> float:
    """Seconds that the work takes in this process."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run_child(
    command: Sequence[str], environment: Mapping[str, str], postmaster: int, folder: Path,
    with_shares: bool = False,
) -> Cost:  # fmt: skip
    """Run a command to its end and tell what it cost; raises ChildFailed.

    `with_shares` also divides shared memory and looks at that of Postgres; seconds mean less then.
    """
    with tempfile.TemporaryFile(dir=folder) as told, tempfile.TemporaryFile(dir=folder) as said:
        before, started = database_cpu(postmaster), time.perf_counter()
        child = subprocess.Popen(command, env=dict(environment), stdout=told, stderr=said)
        watch = _Watch(child.pid, postmaster if with_shares else None)
        watch.start()
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        finally:
            watch.end()
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output = _read(told)
        if child.returncode != 0:
            words = f"{output}\n{_read(said)}".strip()[-2_000:]
            raise ChildFailed(f"{' '.join(command[:4])} … ended with {child.returncode}:\n{words}")
    return Cost(
        seconds=seconds,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
        database_cpu_seconds=database_cpu(postmaster) - before,
        peak_mib=watch.peak / MIB,
        peak_shared_mib=watch.shared_peak / MIB,
        database_peak_mib=watch.database_peak / MIB,
        output=output,
    )


def database_cpu(postmaster: int) -> float:
    """CPU seconds of Postgres so far: of what runs, and of what it has seen end."""
    ticks = 0
    for pid in tree(postmaster):
        fields = _stat(pid)
        if fields:
            last = 15 if pid == postmaster else 13
            ticks += sum(map(int, fields[11:last]))
    return ticks / TICK


def tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208
        if entry.isdigit() and (fields := _stat(int(entry))):
            children.setdefault(int(fields[1]), []).append(int(entry))
    found, pending = [], [root]
    while pending:
        pid = pending.pop()
        found.append(pid)
        pending += children.get(pid, [])
    return found


class _Watch(threading.Thread):
    """Follows the memory of a tree of processes until told to end."""

    def __init__(self, root: int, postmaster: int | None) -> None:
        super().__init__(daemon=True)
        self._root, self._postmaster = root, postmaster
        self._ended = threading.Event()
        self.peak = self.shared_peak = self.database_peak = 0

    def run(self) -> None:
        known: list[int] = [self._root]
        looks = 0
        while not self._ended.wait(LOOK_EVERY):
            if looks % FIND_EVERY == 0:
                known = tree(self._root)
            if self._postmaster and looks % SHARE_EVERY == FIND_EVERY:
                self.shared_peak = max(self.shared_peak, sum(map(_shared, known)))
                database = sum(map(_shared, tree(self._postmaster)))
                self.database_peak = max(self.database_peak, database)
            self.peak = max(self.peak, sum(map(_resident, known)))
            looks += 1

    def end(self) -> None:
        self._ended.set()
        self.join()


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name: state, parent, …; 11 to 14 are CPU ticks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _shared(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, IndexError):
        pass
    return _resident(pid)


def _read(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return bytes(file.read()).decode("utf-8", "replace").strip()  # type: ignore[attr-defined]
