"""Fixtures that every test may use: one real Postgres for the whole session, fresh databases in it.

Belongs here: what more than one folder of tests needs. Does not belong here: data of one test.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from app.preparation import prepare
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.settings import Settings
from tests import built_sample
from tests.built_sample import BuiltSample, build_sample, copy_of_sample
from tests.once import made_once, users

EMPTY = "template1"


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
        template = prepared_template if prepared else EMPTY
        return _copy(warehouse_server, template, session_folder, label)

    return make


@pytest.fixture(scope="session")
def sample_copy(
    warehouse_server: Warehouse, built_template: Path, session_folder: Path
) -> Callable[[str], BuiltSample]:
    """A factory of copies of the built sample: `sample_copy("truth")`; each belongs to who asked."""

    def make(label: str) -> BuiltSample:
        copy = _copy(warehouse_server, built_sample.NAME, session_folder, label)
        return copy_of_sample(copy, built_template)

    return make


@pytest.fixture(scope="session")
def prepared_template(warehouse_server: Warehouse, session_folder: Path) -> str:
    """The name of a database with raw tables, to be copied: preparing takes ten times as long."""
    name = "prepared_template"

    def make(mark: Path) -> None:
        _create(warehouse_server, name, EMPTY)
        prepare(warehouse_server.database(name))
        mark.touch()

    made_once(session_folder / name, make)
    return name


@pytest.fixture(scope="session")
def built_template(
    warehouse_server: Warehouse, prepared_template: str, session_folder: Path
) -> Path:
    """The home of the built sample, whose database is only ever copied: building takes a minute."""

    def build(home: Path) -> None:
        home.mkdir()
        _create(warehouse_server, built_sample.NAME, prepared_template)
        build_sample(_at_home(warehouse_server.database(built_sample.NAME), home))

    return made_once(session_folder / built_sample.NAME, build)


def _copy(server: Warehouse, template: str, folder: Path, label: str) -> Warehouse:
    """A database and a home with a name of their own; prepared, if what it copies is."""
    name = f"{label}_{secrets.token_hex(4)}"
    _create(server, name, template)
    (folder / name).mkdir()
    warehouse = _at_home(server.database(name), folder / name)
    if template != EMPTY:
        prepare(warehouse)  # what belongs to the server, or to a database's name
    return warehouse


def _at_home(database: Warehouse, home: Path) -> Warehouse:
    """The database with settings that keep everything else in this home."""
    settings = Settings.from_env(
        {
            "TALLYHOUSE_HOME": str(home),
            "TALLYHOUSE_LANDING": str(home / "landing"),
            "TALLYHOUSE_DATABASE_URL": database.url,
        }
    )
    return replace(database, settings=settings, server=None)


def _create(server: Warehouse, name: str, template: str) -> None:
    """A new database; copied through the log, because copying files waits for a checkpoint.

    One of that name is what a worker left that was killed while making it.
    """
    with server.database("postgres").connect(autocommit=True) as connection:
        place = sql.Identifier(name)
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(place))
        connection.execute(
            sql.SQL("create database {} template {} strategy = 'wal_log'").format(
                place, sql.Identifier(template)
            )
        )


def _spare_the_disk(server: Warehouse) -> None:
    """No test outlives this machine; what was committed still survives the server's own end."""
    with server.database("postgres").connect(autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter system set full_page_writes = off")
        connection.execute("select pg_reload_conf()")
