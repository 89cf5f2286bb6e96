"""The closing lines of `make test`: what passed, what failed, and what was left out for which reason."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.checks.everything import closing_lines, count_of, longest_files, workers
from app.checks.parts import Count

TESTS = """
import pytest

def test_passes(): pass
def test_fails(): assert False
def test_waits_for_data(): pytest.skip("the data are not there")
@pytest.mark.skipif(True, reason="only root may")
def test_is_left_out(): pass
@pytest.mark.parametrize("n", range(2))
def test_waits_too(n): pytest.skip("the data are not there")
@pytest.fixture
def broken(): raise RuntimeError
def test_cannot_start(broken): pass
"""


@pytest.fixture
def report(tmp_path: Path) -> tuple[Path, int]:
    """What pytest itself says of tests that end in each way, and its exit code."""
    (tmp_path / "test_all_ways.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir=.", "--junit-xml=report.xml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    return tmp_path / "report.xml", done.returncode


def test_every_skip_is_counted_under_its_reason(report: tuple[Path, int]) -> None:
    assert count_of(*report) == Count(1, 2, {"the data are not there": 3, "only root may": 1})


def test_a_run_that_did_not_start_or_broke_off_has_failed(tmp_path: Path) -> None:
    assert count_of(tmp_path / "absent.xml", 0) == Count(failed=1)
    (tmp_path / "report.xml").write_text(
        "<testsuites><testsuite><testcase/></testsuite></testsuites>"
    )
    assert count_of(tmp_path / "report.xml", 3) == Count(1, 1)


def test_the_last_line_counts_all_and_skips_only_where_there_are_any() -> None:
    counts = {"lint": Count(6), "pytest": Count(10, 1, {"no disk": 2, "no data": 1})}
    assert closing_lines(counts, 61.4) == [
        "SKIPPED 1: no data",
        "SKIPPED 2: no disk",
        "lint: 6 passed, 0 failed",
        "pytest: 10 passed, 1 failed, 3 skipped",
        "all of it took 61 s",
        "16 passed, 1 failed, 3 skipped",
    ]
    assert closing_lines({"lint": Count(6)}, 1)[-1] == "6 passed, 0 failed"


def test_the_files_that_took_longest_are_named_with_their_seconds(tmp_path: Path) -> None:
    cases = [("a.test_quick", 1.4), ("a.test_long", 40.0), ("a.test_long", 20.6), ("b.test", 3)]
    text = "".join(f'<testcase classname="{name}" time="{time}"/>' for name, time in cases)
    (tmp_path / "report.xml").write_text(f"<testsuites><testsuite>{text}</testsuite></testsuites>")
    assert longest_files(tmp_path / "report.xml", shown=2) == [
        "pytest's 65 s of work, its longest files:",
        "    61 s  a.test_long",
        "     3 s  b.test",
    ]
    assert longest_files(tmp_path / "absent.xml") == []


def test_workers_are_two_or_as_many_as_asked_for() -> None:
    assert workers({}) == "2"
    assert workers({"WORKERS": "12"}) == "12"


@pytest.mark.parametrize("asked", ["0", "-1", "many", ""])
def test_a_number_of_workers_that_is_none_is_refused(asked: str) -> None:
    with pytest.raises(SystemExit, match="WORKERS"):
        workers({"WORKERS": asked})
