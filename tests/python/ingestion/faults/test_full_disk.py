"""A disk that is really full, under the database, the lake and the receiver's landing folder.

Small file systems in memory are mounted for it, which needs root; where that is not possible a limit
on the size of files stands in for the lake's disk.
"""

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.receiver.landing_writer import LandingWriter
from tests.end_to_end.house import House
from tests.python.ingestion.faults.conftest import State, Trial

pytestmark = pytest.mark.slow
SmallDisk = Callable[[int], Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount file systems of so many megabytes; skips the test where that is not allowed."""
    mounted: list[Path] = []

    def mount(megabytes: int) -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        program = shutil.which("mount")
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(place)]
        done = program and subprocess.run([program, *options], capture_output=True, check=False)
        if not done or done.returncode != 0:
            pytest.skip("a file system cannot be mounted here: it needs root and CAP_SYS_ADMIN")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, leave: int) -> Path:
    """Fill a file system but for `leave` bytes."""
    filler = place / "filler"
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - leave)
    return filler


@pytest.mark.parametrize("megabytes_left", [1, 3, 6])
def test_the_disk_of_database_and_lake_is_full(
    small_disk: SmallDisk, sample: Path, key_file: Path, clean: State, megabytes_left: int
) -> None:
    disk = small_disk(400)
    house = House(disk / "home", sample, key_file)
    try:
        house.good("db", "start")
        filler = fill(disk, megabytes_left << 20)
        done = house.run("load")
        told = done.stdout + done.stderr
        assert done.returncode == 1, told
        assert "Traceback" not in told and "Unexpected" not in told
        assert "space" in told or "run again" in told, told
        filler.unlink()
        house.good("db", "start")
        Trial(house.warehouse()).assert_sound()
        house.good("load")
        Trial(house.warehouse()).assert_like(clean)
    finally:
        house.stop()


def test_the_disk_of_the_lake_alone_is_full(
    small_disk: SmallDisk, new_trial: Callable[[], Trial], clean: State
) -> None:
    disk = small_disk(1)
    trial = new_trial().with_lake(disk / "lake")
    filler = fill(disk, 40_000)
    (problem,) = trial.load().unreadable
    assert "lake" in problem and "No space left" in problem
    trial.assert_sound()
    filler.unlink()
    assert trial.load().lake_files > 0
    trial.assert_like(clean)


def test_a_lake_that_may_not_grow(new_trial: Callable[[], Trial], clean: State) -> None:
    """What stands in for a full disk where none can be mounted: EFBIG instead of ENOSPC."""
    trial = new_trial()
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))"
    )
    script = Path(__file__).with_name("hooked_load.py")
    settings = trial.warehouse.settings
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import runpy, sys; sys.argv = sys.argv[1:];"
         " runpy.run_path(sys.argv[0], run_name='__main__')", str(script), trial.warehouse.url,
         settings.landing, settings.lake, str(settings.pii_key_file), os.devnull],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    trial.assert_sound()
    assert len(trial.lake()) < trial.rows("select count(*) from raw_events.events")[0][0]
    assert trial.load().lake_files > 0
    trial.assert_like(clean)


def test_the_disk_of_the_receiver_is_full(small_disk: SmallDisk) -> None:
    disk = small_disk(1)
    filler = fill(disk, 100_000)
    writer = LandingWriter(str(disk), linger_seconds=0)
    acknowledged, refused = [], 0
    for number in range(40):
        line = b"%06d" % number + b"x" * 9_000
        try:
            writer.submit("events/upcoach", [line]).result()
        except OSError as error:
            assert error.errno == errno.ENOSPC
            refused += 1
        else:
            acknowledged.append(line)
    assert acknowledged and refused
    assert held(disk) == sorted(acknowledged)
    assert not list((disk / ".incoming").iterdir())
    filler.unlink()
    writer.submit("events/upcoach", [b"sent again"]).result()
    writer.close()
    assert held(disk) == sorted([*acknowledged, b"sent again"])


def held(disk: Path) -> list[bytes]:
    lines: list[bytes] = []
    for path in (disk / "events").rglob("*.jsonl"):
        with contextlib.suppress(FileNotFoundError):
            lines += path.read_bytes().splitlines()
    return sorted(lines)
