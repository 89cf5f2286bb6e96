"""A backup restores to the same warehouse, or is refused and leaves what is there as it is."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from app import backup
from app.preparation import prepare
from governance import audit_log
from ingestion.erasing import ledger, outside
from ingestion.storing import master_key
from tallyhouse.database import Warehouse, roles
from tallyhouse.errors import TallyhouseError
from tests.hand_made import CORE, HandMade, uuid_of

pytestmark = pytest.mark.slow

PASSWORD = "only-for-this-test"
NORTH, SOUTH = uuid_of("north"), uuid_of("south")
SEEN = "select distinct tenant_id from core.fact_events"


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def source(fresh_database: Callable[..., Warehouse]) -> Iterator[Warehouse]:
    """Core marts of two tenants, a lake, a model's artefact, an audit log, a login of the tenant north."""
    warehouse = fresh_database("source", prepared=True)
    hand_made = HandMade(warehouse)
    hand_made.stand_in()
    hand_made.load(
        {"id": "e1", "tenant": "north", "user": "ada", "at": "2026-01-01T08:00+00:00"},
        {"id": "e2", "tenant": "south", "user": "bob", "at": "2026-01-01T09:00+00:00"},
    )
    hand_made.build(*CORE)
    home, lake = warehouse.settings.home, Path(warehouse.settings.lake)
    for place, text in (
        (lake / "day=2026-01-01/e.parquet", "lake"),
        (home / "models/m.skops", "model"),
    ):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    with warehouse.connect() as connection:
        master_key.remember(connection, warehouse.settings.pii_key())
        roles.bind_login(connection, login_of(warehouse), NORTH, PASSWORD)
    audit_log.record(
        warehouse, [audit_log.Act("a", audit_log.datetime.now(audit_log.UTC), "x", "read", "y")]
    )
    yield warehouse
    with warehouse.connect() as connection:
        connection.execute(
            sql.SQL("drop role if exists {}").format(sql.Identifier(login_of(warehouse)))
        )


@pytest.fixture(scope="module")
def made(source: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backup of it."""
    folder = tmp_path_factory.mktemp("backups") / "one"
    backup.back_up(source, folder, quiet)
    return folder


@pytest.fixture
def target(
    source: Warehouse, fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> Warehouse:
    """An empty database with a home of its own, where a copy of the keys lies."""
    home = tmp_path / "home"
    home.mkdir()
    for key in source.settings.pii_key_file.parent.glob("*.key"):
        shutil.copy2(key, home)
    empty = fresh_database("target")
    settings = replace(
        empty.settings, home=home, lake=str(home / "lake"), pii_key_file=home / "pii.key"
    )
    return replace(empty, settings=settings)


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """A backup of the test's own, to be damaged."""
    return Path(shutil.copytree(made, tmp_path / "copied"))


def login_of(warehouse: Warehouse) -> str:
    return f"login_{warehouse.parameters['dbname']}"


def contents(warehouse: Warehouse) -> dict[str, Any]:
    with warehouse.connect() as connection:
        names = [f"{schema}.{name}" for schema, name in connection.execute(backup.TABLES)]
        return {
            name: sorted(map(str, connection.execute(f"select * from only {name}".encode())))
            for name in names
        }


def databases(warehouse: Warehouse) -> set[str]:
    with warehouse.connect() as connection:
        found = connection.execute("select datname from pg_database").fetchall()
    ours = str(warehouse.parameters["dbname"])
    return {name for (name,) in found if name.startswith(ours) or "proof" in name}


def is_empty(warehouse: Warehouse) -> bool:
    with warehouse.connect() as connection:
        return connection.execute(backup.TABLES).fetchall() == []


def test_everything_comes_back(source: Warehouse, made: Path, target: Warehouse) -> None:
    with source.connect() as connection:  # another server has other numbers of roles
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(login_of(source))))
    backup.restore(target, made, quiet)
    expected, found = contents(source), contents(target)
    for bound in ("governance.tenant_logins", "ops.statement_log_reads"):
        expected.pop(bound), found.pop(bound, None)
    assert found == expected
    assert len(found["core.fact_events"]) == 2
    for name in ("lake/day=2026-01-01/e.parquet", "models/m.skops", "audit.head"):
        place = (
            Path(source.settings.lake).parent if name.startswith("lake") else source.settings.home
        )
        assert (target.settings.home / name).read_bytes() == (place / name).read_bytes()
    prepare(target)
    assert audit_log.verify(target).faults == []
    with target.connect(user=login_of(source), password=PASSWORD) as connection:
        assert connection.execute(SEEN).fetchall() == [(NORTH,)]
    assert databases(target) == {target.parameters["dbname"]}


def test_who_was_erased_since_is_kept_out_and_entered_again(
    source: Warehouse, made: Path, target: Warehouse, tmp_path: Path
) -> None:
    key, home = source.settings.pii_key(), tmp_path / "lost_home"
    gone = ledger.Subject("upcoach", str(NORTH), "user", "ada", {("user", "ada")}, {"u"})
    with source.connect() as connection:
        ledger.enter(connection, key, [gone])
        outside.keep(connection, home)
        ledger.certify(connection, [gone], relations=1, rows=1, files=1)
        outside.keep(connection, home)  # a certified request stays in the file
        connection.rollback()
    assert b"ada" not in (home / outside.NAME).read_bytes()
    _, again = backup.restore(target, made, quiet, home / outside.NAME)
    assert again == 1
    with target.connect() as connection:
        (subject,) = ledger.unfinished(connection, key)
        assert vars(subject) == {**vars(gone), "request_id": gone.request_id}
        assert ledger.people(connection, key).know("upcoach", str(NORTH), "user", "ada")
        assert not ledger.people(connection, key).know("upcoach", str(SOUTH), "user", "bob")
    assert outside.read(target.settings.home / outside.NAME) == outside.read(home / outside.NAME)


def test_no_key_is_in_it(source: Warehouse, made: Path) -> None:
    secrets = [key.read_text().strip() for key in source.settings.pii_key_file.parent.glob("*.key")]
    assert secrets
    for path in made.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0
            assert not any(secret.encode() in path.read_bytes() for secret in secrets)


def damage_a_file(folder: Path) -> str:
    path = folder / "lake/day=2026-01-01/e.parquet"
    path.write_text("lakE")
    return "0 files are missing and 1 are not what"


def drop_a_file(folder: Path) -> str:
    next(iter((folder / "database").glob("*.dat.gz"))).unlink()
    return "1 files are missing and 0 are not what"


def drop_the_manifest(folder: Path) -> str:
    (folder / backup.MANIFEST).unlink()
    return "holds no backup that can be read"


def miscount(folder: Path) -> str:
    """As if the dump had lost a row: the digest in the manifest is of another content."""
    manifest = json.loads((folder / backup.MANIFEST).read_text())
    manifest["relations"]["core.fact_events"] = (
        [3, "1"] if "core.fact_events" in manifest["relations"] else None
    )
    (folder / backup.MANIFEST).write_text(json.dumps(manifest))
    return "does not restore to what was copied: core.fact_events"


def from_the_future(folder: Path) -> str:
    manifest = json.loads((folder / backup.MANIFEST).read_text())
    (folder / backup.MANIFEST).write_text(json.dumps({**manifest, "version": backup.VERSION + 1}))
    return "written by a later version"


@pytest.mark.parametrize(
    "damage", [damage_a_file, drop_a_file, drop_the_manifest, miscount, from_the_future]
)
def test_a_damaged_backup_is_refused_and_changes_nothing(
    copied: Path, target: Warehouse, damage: Callable[[Path], str]
) -> None:
    words = damage(copied)
    with pytest.raises(TallyhouseError, match=words):
        backup.restore(target, copied, quiet)
    assert is_empty(target)
    assert databases(target) == {target.parameters["dbname"]}
    assert not (target.settings.home / "lake").exists()


def test_a_warehouse_that_holds_something_is_left_alone(made: Path, source: Warehouse) -> None:
    before = contents(source)
    with pytest.raises(TallyhouseError, match="is not empty"):
        backup.restore(source, made, quiet)
    assert contents(source) == before


def test_another_key_is_refused(made: Path, target: Warehouse) -> None:
    target.settings.pii_key_file.write_text("ab" * 32)
    with pytest.raises(TallyhouseError, match="Put a copy of that key there first"):
        backup.restore(target, made, quiet)
    target.settings.pii_key_file.unlink()
    with pytest.raises(TallyhouseError, match="holds none"):
        backup.restore(target, made, quiet)
    assert is_empty(target)


def test_a_restore_that_breaks_off_is_begun_anew(
    made: Path, target: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(
            backup, "_take_the_name", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            backup.restore(target, made, quiet)
    assert is_empty(target)
    backup.restore(target, made, quiet)
    assert not is_empty(target)


def test_a_backup_that_fails_leaves_nothing_behind(
    source: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differ(connection: psycopg.Connection[Any]) -> Any:
        found = relations(connection)
        found["core.fact_events"] = (len(calls), "0")
        calls.append(1)
        return found

    relations, calls = backup._relations, []
    monkeypatch.setattr(backup, "_relations", differ)
    with pytest.raises(TallyhouseError, match="does not restore to what was copied"):
        backup.back_up(source, tmp_path / "broken", quiet)
    assert list(tmp_path.iterdir()) == []
    assert not any("proof" in name for name in databases(source))


def test_a_folder_that_is_there_is_not_written_over(source: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(TallyhouseError, match="exists already"):
        backup.back_up(source, tmp_path / "mine", quiet)
