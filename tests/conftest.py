"""Fixtures that every test may use: one real Postgres for the whole session, fresh databases in it.

Belongs here: what more than one folder of tests needs. Does not belong here: data of one test.
"""

import fcntl
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from app.preparation import prepare
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.settings import Settings


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this test session, the same one for all its workers."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def warehouse_server(session_folder: Path) -> Iterator[Warehouse]:
    """The session's embedded server, shared by its workers, stopped by the last one to leave.

    Its home is a pytest folder (0700), so under root each session also proves that the server's
    account gets there. The database `tallyhouse` in it is empty: take a `fresh_database`. Tests that
    kill a server, or fill its disk, start one of their own, which waits for the disk as ever.
    """
    home = session_folder / "warehouse"
    home.mkdir(exist_ok=True)
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(home)})
    with users(home, +1):
        warehouse = open_warehouse(settings)
        _spare_the_disk(warehouse)
    yield warehouse
    with users(home, -1) as left:
        if left == 0:
            warehouse.stop()


@pytest.fixture(scope="session")
def fresh_database(
    warehouse_server: Warehouse, prepared_template: str, session_folder: Path
) -> Callable[..., Warehouse]:
    """A factory of empty databases: `fresh_database("cdc")`, or with `prepared=True` raw tables.

    Each has its own home (lake, key of personal data, landing), all in the session's folder.
    """

    def make(label: str = "test", *, prepared: bool = False) -> Warehouse:
        name = f"{label}_{secrets.token_hex(4)}"
        _create(warehouse_server, name, prepared_template if prepared else "template1")
        home = session_folder / name
        home.mkdir()
        settings = Settings.from_env(
            {
                "TALLYHOUSE_HOME": str(home),
                "TALLYHOUSE_LANDING": str(home / "landing"),
                "TALLYHOUSE_DATABASE_URL": warehouse_server.database(name).url,
            }
        )
        warehouse = replace(warehouse_server.database(name), settings=settings, server=None)
        if prepared:
            prepare(warehouse)  # what belongs to the server, or to a database's name
        return warehouse

    return make


@pytest.fixture(scope="session")
def prepared_template(warehouse_server: Warehouse, session_folder: Path) -> str:
    """The name of a database with raw tables, to be copied: preparing takes ten times as long."""
    name = "prepared_template"

    def make(mark: Path) -> None:
        _create(warehouse_server, name, "template1")
        prepare(warehouse_server.database(name))
        mark.touch()

    made_once(session_folder / name, make)
    return name


def _create(server: Warehouse, name: str, template: str) -> None:
    """A new database; copied through the log, because copying files waits for a checkpoint."""
    with server.database("postgres").connect(autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy = 'wal_log'").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def _spare_the_disk(server: Warehouse) -> None:
    """No test outlives this machine; what was committed still survives the server's own end."""
    with server.database("postgres").connect(autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter system set full_page_writes = off")
        connection.execute("select pg_reload_conf()")


def made_once(place: Path, make: Callable[[Path], object]) -> Path:
    """A folder or file of the session that the first worker to come makes; others wait for it."""
    draft = place.with_name(f".{place.name}")
    with place.with_name(f"{place.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(draft, ignore_errors=True)  # of a worker that failed
            make(draft)
            draft.rename(place)
    return place


class users:
    """How many workers use the server of this home, counted in a file under a lock."""

    def __init__(self, home: Path, change: int) -> None:
        self.change = change
        self.counter = home / "users"
        self.lock = (home / "users.lock").open("a")

    def __enter__(self) -> int:
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        count = int(self.counter.read_text()) if self.counter.exists() else 0
        self.counter.write_text(str(count + self.change))
        return count + self.change

    def __exit__(self, *_: object) -> None:
        self.lock.close()
