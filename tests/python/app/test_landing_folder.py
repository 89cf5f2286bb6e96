"""One warehouse, one landing folder: remembered by the warehouse and its home, any other refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from app import landing_folder, pipeline, run_log
from app.cli import main
from serving.__main__ import open_writer
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tallyhouse.settings import PROJECT_ROOT, Settings

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
    loaded(warehouse, "events/upcoach/a.jsonl")
    landing_folder.claim(reading(warehouse, own), warehouse)
    with pytest.raises(TallyhouseError, match=f"loaded from {own}, not from {other}"):
        landing_folder.claim(reading(warehouse, other), warehouse)
    landing_folder.name(warehouse.settings, warehouse, other)
    landing_folder.claim(reading(warehouse, other), warehouse)
    assert remembered(warehouse) == other
    with pytest.raises(TallyhouseError) as refused:
        landing_folder.claim(reading(warehouse, own), warehouse)
    assert "db landing" not in str(refused.value)  # it was not moved, and files would mix


def test_a_folder_of_which_nothing_was_loaded_holds_nobody(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    wrong, right = folder(tmp_path, "wrong"), folder(tmp_path, "right", "events/upcoach/a.jsonl")
    for place in (wrong, right):
        landing_folder.claim(reading(warehouse, place), warehouse)
        assert remembered(warehouse) == place
    loaded(warehouse, "events/upcoach/a.jsonl")
    with pytest.raises(TallyhouseError, match=f"loaded from {right}, not from {wrong}"):
        landing_folder.claim(reading(warehouse, wrong), warehouse)


def test_of_two_first_loads_at_once_one_is_refused(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second looked before the first had taken its folder, and loads after it."""
    first, second = folder(tmp_path, "first"), folder(tmp_path, "second")
    look, looked = landing_folder.of_warehouse, []

    def look_and_be_overtaken(connection: psycopg.Connection[Any]) -> str | None:
        looked.append(look(connection))
        if len(looked) == 1:
            with warehouse.connect() as other:
                landing_folder._take(other, first)
        return looked[0] if len(looked) == 1 else look(connection)

    monkeypatch.setattr(landing_folder, "of_warehouse", look_and_be_overtaken)
    with pytest.raises(TallyhouseError, match=f"loaded from {first}, not from {second}"):
        landing_folder.claim(reading(warehouse, second), warehouse)
    with warehouse.connect() as connection:
        assert look(connection) == first


@pytest.mark.parametrize("command", [["load"], ["key", "rotate"]])
def test_a_folder_is_taken_under_the_run_lock(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    own = folder(tmp_path, "own")
    for name, value in {
        "HOME": str(warehouse.settings.home), "DATABASE_URL": warehouse.url, "LANDING": own,
        "PII_KEY_FILE": str(warehouse.settings.pii_key_file),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"TALLYHOUSE_{name}", value)

    def is_locked(*_: object) -> None:
        with warehouse.connect() as other:
            row = other.execute("select pg_try_advisory_lock(%s)", [run_log.LOCK_KEY]).fetchone()
        assert row == (False,)
        raise TallyhouseError("It was asked under the lock.")

    monkeypatch.setattr(landing_folder, "claim", is_locked)
    done = CliRunner().invoke(main, command)
    assert "It was asked under the lock." in done.output, done.output


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
        with pytest.raises(TallyhouseError, match=f"once: tallyhouse db landing {moved}"):
            landing_folder.claim(reading(warehouse, moved), warehouse)


@pytest.mark.parametrize(("home", "is_noted"), [(".tallyhouse", False), ("other", True)])
def test_the_projects_own_folder_needs_no_note_in_its_own_home(
    warehouse: Warehouse, tmp_path: Path, home: str, is_noted: bool
) -> None:
    settings = project(warehouse, tmp_path, home=home)
    landing_folder.claim(settings, warehouse)
    assert (settings.home / "landing_folder").exists() is is_noted


def project(warehouse: Warehouse, root: Path, *, home: str = ".tallyhouse") -> Settings:
    """The settings of a project at `root` that reads its own landing folder."""
    place = str(root / "landing")
    return replace(warehouse.settings, root=root, home=root / home, landing=place)


def test_the_sample_goes_into_the_projects_own_empty_folder_for_its_own_home_alone(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    settings = project(warehouse, tmp_path)
    assert landing_folder.takes_sample(settings)
    (tmp_path / "landing" / "stripe" / "acct_shop").mkdir(parents=True)
    assert landing_folder.takes_sample(settings)
    assert not landing_folder.takes_sample(project(warehouse, tmp_path, home="other"))
    assert not landing_folder.takes_sample(replace(settings, landing=folder(tmp_path, "own")))
    assert not landing_folder.takes_sample(replace(settings, landing="s3://bucket/landing"))
    folder(tmp_path, "landing", "readme.txt")
    assert not landing_folder.takes_sample(settings)


def test_a_run_fills_no_folder_of_somebodys_own(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a remembered one nor one of the environment, though nothing was loaded yet."""

    def load(*_: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(pipeline, "load", load)
    monkeypatch.setattr(pipeline, "sample", lambda *_: pytest.fail("a sample was written"))
    own = folder(tmp_path, "own")
    (tmp_path / "own" / "stripe" / "acct_shop").mkdir(parents=True)
    with pytest.raises(InterruptedError):
        pipeline.run(reading(warehouse, own), warehouse, Reporter(quiet=True))
    assert landing_folder.is_empty(own)


def test_empty_folders_are_in_no_samples_way(warehouse: Warehouse, tmp_path: Path) -> None:
    settings = project(warehouse, tmp_path)
    for name in ("stripe/acct_shop", "cdc"):
        (tmp_path / "landing" / name).mkdir(parents=True)
    pipeline.sample(settings, Reporter(quiet=True), days=7, scale=0.02)
    assert not landing_folder.is_empty(settings.landing)
    assert (tmp_path / "landing" / "stripe" / "acct_shop").is_dir()
    assert (settings.home / "truth").is_dir()
    assert not list(tmp_path.glob(".landing*"))


def test_a_home_of_its_own_needs_a_folder_that_somebody_named(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    home = str(tmp_path / "home")
    unnamed = Settings.from_env({"TALLYHOUSE_HOME": home})
    for refuse in (lambda: landing_folder.claim(unnamed, warehouse), lambda: open_writer(unnamed)):
        with pytest.raises(TallyhouseError, match="--landing DIR or TALLYHOUSE_LANDING"):
            refuse()
    own = folder(tmp_path, "own", "events/upcoach/a.jsonl")
    landing_folder.claim(unnamed.with_options(landing=own), warehouse)
    remembering = Settings.from_env({"TALLYHOUSE_HOME": home})
    assert (remembering.landing, remembering.why_no_landing) == (own, None)
    (tmp_path / "home" / "landing_folder").unlink()
    with pytest.raises(TallyhouseError, match=f"It was loaded from {own}"):
        landing_folder.claim(Settings.from_env({"TALLYHOUSE_HOME": home}), warehouse)


def test_a_home_of_its_own_may_read_the_projects_folder_where_somebody_says_so(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    home, landing = str(tmp_path / "home"), str(PROJECT_ROOT / "landing")
    named = Settings.from_env({"TALLYHOUSE_HOME": home, "TALLYHOUSE_LANDING": landing})
    landing_folder.claim(named, warehouse)
    assert Settings.from_env({"TALLYHOUSE_HOME": home}).why_no_landing is None
    assert Settings.from_env({}).why_no_landing is None


def test_a_bucket_is_a_folder_too(warehouse: Warehouse) -> None:
    landing_folder.claim(reading(warehouse, "s3://bucket/landing/"), warehouse)
    landing_folder.claim(reading(warehouse, "s3://bucket/landing"), warehouse)
    assert remembered(warehouse) == "s3://bucket/landing"
