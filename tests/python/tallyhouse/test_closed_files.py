"""What sources sent and what is made of it is closed to other accounts, whatever the umask says."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import write_sample
from tallyhouse.closed_files import make_closed_folder, write_closed
from tallyhouse.settings import Settings, make_folder
from tallyhouse.storage import open_storage


@pytest.fixture(autouse=True)
def _an_open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_ones(root: Path) -> list[str]:
    """What below a folder others may read, and the folder itself."""
    return [str(path) for path in (root, *root.rglob("*")) if path.stat().st_mode & 0o077]


def test_a_file_that_was_open_is_closed_when_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch(mode=0o666)
    write_closed(path, b"x")
    assert path.stat().st_mode & 0o777 == 0o600 and path.read_bytes() == b"x"


def test_folders_that_are_there_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o750)
    make_closed_folder(tmp_path / "theirs" / "ours" / "within")
    modes = [p.stat().st_mode & 0o777 for p in (tmp_path / "theirs", tmp_path / "theirs" / "ours")]
    assert modes == [0o750, 0o700]


def test_the_lake_and_its_files(tmp_path: Path) -> None:
    storage = open_storage(str(tmp_path / "lake"))
    made = storage.staged_files()
    assert made is not None
    staged = made.put(b"parquet")
    with storage.writing() as files:
        files.put("date=2026-03-01/tenant=a/1.parquet", b"parquet")
        files.move(staged, "date=2026-03-01/tenant=b/1.parquet")
    made.close()
    assert len(list(storage.files())) == 2
    assert open_ones(tmp_path / "lake") == []


def test_the_home(tmp_path: Path) -> None:
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path / "home")})
    make_folder(settings.home)
    settings.pii_key()
    assert open_ones(settings.home) == []


@pytest.mark.slow
def test_the_landing_folder_of_the_sample(tmp_path: Path) -> None:
    write_sample(tmp_path / "sample", 7, 3, 0.05)
    landing = tmp_path / "sample" / "landing"
    assert len(list(landing.rglob("*.jsonl*"))) > 5
    assert open_ones(landing) == []
    assert (tmp_path / "sample").stat().st_mode & 0o077 == 0
