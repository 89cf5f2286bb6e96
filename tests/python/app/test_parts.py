"""`make test` runs its parts at the same time: what they say stays apart, and they end together."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.checks.parts import environment
from tallyhouse.settings import PROJECT_ROOT
from tests.patience import PATIENCE, wait_until

PROGRAM = """
    import os, sys
    from pathlib import Path
    from app.checks.parts import beside, in_front, leave_on_termination

    leave_on_termination()
    here = Path(sys.argv[1])
    quiet, loud = sys.argv[2:4]
    with beside([sys.executable, "-c", quiet], here, os.environ):
        code = in_front([sys.executable, "-c", loud], here, os.environ)
    print("code", code)
"""
CHILD = """
import os, time
open(f"{os.getpid()}.started", "w").close()
time.sleep(60)
"""
WAITS = f"""
import subprocess, sys, time
try:
    subprocess.Popen([sys.executable, "-c", {CHILD!r}], stderr=subprocess.DEVNULL)
    time.sleep(60)
except KeyboardInterrupt:
    print("left in order")
"""


def start(folder: Path, beside: str, in_front: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-u", "-c", textwrap.dedent(PROGRAM), str(folder), beside, in_front]
    return subprocess.Popen(
        command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_what_is_said_beside_comes_whole_when_the_rest_has_ended(tmp_path: Path) -> None:
    first = "print('beside 1', flush=True); open('said', 'w').close(); print('beside 2')"
    then = "import os, time\nwhile not os.path.exists('said'): time.sleep(0.01)\nprint('in front')"
    program = start(tmp_path, first, f"{then}\nraise SystemExit(3)")
    said, _ = program.communicate(timeout=PATIENCE)
    assert said.split("\n") == ["in front", "", "beside 1", "beside 2", "code 3", ""]


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["front", "background"])
def _started_in(request: pytest.FixtureRequest) -> Iterator[None]:
    """A shell lets its background jobs ignore interrupts, and they inherit it."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_started_in")
def test_all_processes_of_all_parts_end_with_the_program(tmp_path: Path) -> None:
    program = start(tmp_path, WAITS, WAITS)
    grandchildren = wait_for_grandchildren(tmp_path)
    program.terminate()
    said, _ = program.communicate(timeout=PATIENCE)
    assert program.returncode == 143
    assert said.split("\n") == ["left in order", "", "left in order", ""]
    for pid in grandchildren:
        assert ended(pid)


def wait_for_grandchildren(folder: Path) -> list[int]:
    wait_until(lambda: len(list(folder.glob("*.started"))) == 2, "the parts did not start")
    return [int(path.stem) for path in folder.glob("*.started")]


def ended(pid: int) -> bool:
    """Whether a process is gone, or dead and not yet collected."""
    ends = time.monotonic() + PATIENCE / 60
    while time.monotonic() < ends:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return False


def test_bytecode_goes_elsewhere_where_none_may_lie_beside_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    assert environment(tmp_path) == dict(os.environ)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "module.py").touch()
    given = environment(tmp_path / "kept")
    subprocess.run([sys.executable, "-c", "import module"], cwd=tmp_path, env=given, check=True)
    assert list((tmp_path / "kept").rglob("module.*.pyc"))
    assert not list(tmp_path.glob("__pycache__"))
