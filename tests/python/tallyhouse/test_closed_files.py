"""What sources sent and what is made of it is closed to other accounts, whatever the umask says."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from simulator import write_sample
from tallyhouse.closed_files import make_closed_folder, replace_closed, write_closed
from tallyhouse.settings import Settings, make_folder
from tallyhouse.storage import open_storage
from tallyhouse.storage.sealed import Opening, seal

KEY = bytes(range(32))


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


def test_what_takes_the_place_of_an_open_file_is_closed_and_leaves_no_draft(tmp_path: Path) -> None:
    page = tmp_path / "page"
    page.write_text("former, longer text")
    page.chmod(0o644)
    replace_closed(page, "né")
    assert page.read_text("utf-8") == "né"
    assert page.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [page]


def test_a_file_is_opened_once_sealed_or_not(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"plain\n")
    (tmp_path / "short").write_bytes(b"")
    (tmp_path / "sealed").write_bytes(seal(b"secret\n", KEY))
    storage, asked = open_storage(str(tmp_path)), list[str]()
    opened = storage.open

    def counted(name: str) -> BinaryIO:
        asked.append(name)
        return opened(name)

    storage.open = counted  # type: ignore[method-assign]
    opening = Opening(storage, lambda: [KEY])
    found = {}
    for name in ("plain", "short", "sealed"):
        with opening.open(name) as file:
            found[name] = file.read()
    assert found == {"plain": b"plain\n", "short": b"", "sealed": b"secret\n"}
    assert asked == ["plain", "short", "sealed"]
