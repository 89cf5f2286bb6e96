"""Questions about processes and ports, without believing a file that only claims an answer.

Belongs here: is this pid alive and ours, is this port free. Does not belong here: Postgres.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def is_alive(pid: int) -> bool:
    """True for a process that runs; a zombie is dead, and so is a pid that nobody has."""
    if pid <= 0:
        return False
    status = Path(f"/proc/{pid}/stat")
    if sys.platform == "linux":
        try:
            return status.read_text("utf-8", "replace").rpartition(")")[2].split()[0] not in "ZX"
        except (OSError, IndexError):
            return False
    answer = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return answer.returncode == 0 and not answer.stdout.strip().startswith("Z")


def is_alive_since(pid: int, instant: float) -> bool:
    """Whether the process that had this pid at an instant (seconds since 1970) still runs.

    A pid is reused; a process that began later is another one. Where the system does not say when
    one began, it is taken for the same.
    """
    if not is_alive(pid):
        return False
    try:
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        ticks = int(
            Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[19]
        )
    except FileNotFoundError:
        return sys.platform != "linux"
    began = time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
    return began <= instant + 2  # both clocks are read apart


def is_postgres_in(pid: int, data: Path) -> bool:
    """Whether this living process is a Postgres that works in the folder `data`.

    A pid is reused: the number in a left-over `postmaster.pid` may belong to anything by now,
    another Postgres included. Where the system does not say in which folder the process works,
    the name alone decides, on the safe side.
    """
    if not is_alive(pid):
        return False
    if sys.platform != "linux":
        answer = subprocess.run(
            ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return "postgres" in answer.stdout
    process = Path(f"/proc/{pid}")
    try:
        return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").samefile(
            data
        )
    except OSError as error:
        return isinstance(error, PermissionError)


def is_free(port: int) -> bool:
    """Proven by taking the port for an instant, on the address the server will use."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(first: int) -> int:
    """The first free port from `first` on; `first` itself when 500 in a row are taken."""
    return next((port for port in range(first, first + 500) if is_free(port)), first)


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll until the condition holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
