"""One warehouse, one landing folder: remembered by the warehouse and its home, any other refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from app import landing_folder
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def warehouse(fresh_database: Callable[..., Warehouse]) -> Warehouse:
    return fresh_database("landing_folder", prepared=True)


def folder(tmp_path: Path, name: str, *files: str) -> str:
    """A landing folder with these files, each of 3 bytes."""
    for file in files:
        path = tmp_path / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n")
    (tmp_path / name).mkdir(exist_ok=True)
    return str(tmp_path / name)


def reading(warehouse: Warehouse, place: str) -> Settings:
    return replace(warehouse.settings, landing=place)


def remembered(warehouse: Warehouse) -> str:
    """What a later command reads that names no folder."""
    return Settings.from_env({"TALLYHOUSE_HOME": str(warehouse.settings.home)}).landing


def loaded(warehouse: Warehouse, file_path: str, size: int = 3) -> None:
    with warehouse.connect() as connection:
        connection.execute(
            "insert into ops.load_manifest (source_kind, source_name, file_path, content_hash,"
            " size_bytes) values ('events', 'upcoach', %s, 'x', %s)",
            [file_path, size],
        )


def test_the_first_folder_is_remembered_and_any_other_is_refused(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    own, other = folder(tmp_path, "own", "events/upcoach/a.jsonl"), folder(tmp_path, "other")
    landing_folder.claim(reading(warehouse, own), warehouse)
    assert remembered(warehouse) == own
    landing_folder.claim(reading(warehouse, own), warehouse)
    with pytest.raises(TallyhouseError, match=f"loaded from {own}, not from {other}"):
        landing_folder.claim(reading(warehouse, other), warehouse)
    landing_folder.name(warehouse.settings, warehouse, other)
    landing_folder.claim(reading(warehouse, other), warehouse)
    assert remembered(warehouse) == other
    with pytest.raises(TallyhouseError, match="tallyhouse db landing"):
        landing_folder.claim(reading(warehouse, own), warehouse)


def test_a_warehouse_of_an_earlier_version_does_not_take_an_empty_folder(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    loaded(warehouse, "events/upcoach/a.jsonl")
    landing_folder.claim(reading(warehouse, folder(tmp_path, "empty")), warehouse)
    own = folder(tmp_path, "own", "events/upcoach/a.jsonl")
    landing_folder.claim(reading(warehouse, own), warehouse)
    with warehouse.connect() as connection:
        assert landing_folder.of_warehouse(connection) == own


@pytest.mark.parametrize(("size", "is_known"), [(3, True), (4, False)])
def test_a_folder_that_was_moved_is_known_by_its_newest_file(
    warehouse: Warehouse, tmp_path: Path, size: int, is_known: bool
) -> None:
    own = folder(tmp_path, "own", "events/upcoach/a.jsonl")
    landing_folder.claim(reading(warehouse, own), warehouse)
    loaded(warehouse, "events/upcoach/a.jsonl", size)
    copy = folder(tmp_path, "copy", "events/upcoach/a.jsonl")
    with pytest.raises(TallyhouseError, match="do not mix"):  # the old one is still there
        landing_folder.claim(reading(warehouse, copy), warehouse)
    moved = str(Path(own).rename(tmp_path / "moved"))
    if is_known:
        landing_folder.claim(reading(warehouse, moved), warehouse)
        assert remembered(warehouse) == moved
    else:
        with pytest.raises(TallyhouseError, match="do not mix"):
            landing_folder.claim(reading(warehouse, moved), warehouse)


def test_the_projects_own_folder_needs_no_note(warehouse: Warehouse, tmp_path: Path) -> None:
    home = warehouse.settings.home
    settings = replace(reading(warehouse, str(tmp_path / "landing")), root=tmp_path)
    landing_folder.claim(settings, warehouse)
    assert not (home / "landing_folder").exists()


def test_a_bucket_is_a_folder_too(warehouse: Warehouse) -> None:
    landing_folder.claim(reading(warehouse, "s3://bucket/landing/"), warehouse)
    landing_folder.claim(reading(warehouse, "s3://bucket/landing"), warehouse)
    assert remembered(warehouse) == "s3://bucket/landing"
