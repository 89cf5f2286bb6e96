"""Equal arguments, equal bytes; other arguments, another sample."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator import write_sample


def fingerprint(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_same_arguments_same_bytes(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", days=12, seed=3, scale=0.05)
    time.sleep(1.1)  # a clock in a gzip header or a file name would show
    write_sample(tmp_path / "b", days=12, seed=3, scale=0.05)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")


def test_same_bytes_in_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    write_sample(tmp_path / "here", days=9, seed=5, scale=0.05)
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "TZ": "Pacific/Auckland"}
    command = [sys.executable, "-m", "simulator", "--out", str(tmp_path / "there")]
    command += ["--days", "9", "--seed", "5", "--scale", "0.05"]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    assert fingerprint(tmp_path / "here") == fingerprint(tmp_path / "there")


def test_another_seed_is_another_sample(tmp_path: Path) -> None:
    write_sample(tmp_path / "a", days=9, seed=1, scale=0.05)
    write_sample(tmp_path / "b", days=9, seed=2, scale=0.05)
    assert fingerprint(tmp_path / "a") != fingerprint(tmp_path / "b")


def test_scale_and_days_make_it_larger(tmp_path: Path) -> None:
    small = write_sample(tmp_path / "a", days=14, seed=1, scale=0.05)
    wider = write_sample(tmp_path / "b", days=14, seed=1, scale=0.2)
    longer = write_sample(tmp_path / "c", days=42, seed=1, scale=0.05)
    assert small.lines < wider.lines
    assert small.lines < longer.lines


@pytest.mark.parametrize(("days", "scale"), [(3, 1.0), (30, 0.0), (30, 51.0)])
def test_a_senseless_size_is_refused_with_the_way_out(
    tmp_path: Path, days: int, scale: float
) -> None:
    with pytest.raises(ValueError, match=r"ask for --(days|scale)"):
        write_sample(tmp_path, days=days, scale=scale)


def test_the_newest_arrival_is_the_as_of(tmp_path: Path) -> None:
    report = write_sample(tmp_path, days=9, seed=5, scale=0.05)
    assert report.as_of.isoformat() == "2026-10-28T23:59:30+00:00"
    newest = max(
        path.read_bytes().count(b'"received_at":"2026-10-28T23:59:30.000Z"')
        for path in report.landing.glob("events/upcoach/*.jsonl")
    )
    assert newest >= 1
