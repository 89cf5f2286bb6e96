"""Databases made once per session of tests, and copied by whoever needs one like it.

Belongs here: making, copying and dropping, and the home beside each. Does not belong here: what a template
holds.
"""

import contextlib
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from psycopg import sql

from app.preparation import prepare
from tallyhouse.database import Warehouse
from tallyhouse.settings import Settings
from tests.building import run_dbt
from tests.once import made_once

EMPTY = "template1"


@dataclass(frozen=True)
class Templates:
    """The templates of one server; their homes, and those of the copies, lie in the session's folder.

    Nobody works in a template, so that what one test does to its copy no other test sees. Templates stay
    until the session ends, copies until whoever opened these templates drops them.
    """

    server: Warehouse
    folder: Path
    copies: list[str] = field(default_factory=list)

    def prepared(self) -> str:
        """Raw tables, logs and roles: preparing takes ten times as long as copying."""
        return self.made("prepared", EMPTY, prepare)

    def seeded(self) -> str:
        """The same with the reference data."""
        return self.made("seeded", self.prepared(), _seed)

    def made(self, name: str, base: str, fill: Callable[[Warehouse], object]) -> str:
        """The template of that name: a copy of `base`, filled by the first worker that asks for it."""

        def make(home: Path) -> None:
            home.mkdir()
            self._create(name, base)
            fill(self._at_home(name, home))

        made_once(self.home(name), make)
        return name

    def home(self, name: str) -> Path:
        """What lies beside a template or a copy: its key of personal data, landing folder, lake."""
        return self.folder / name

    def copy(self, template: str, label: str) -> Warehouse:
        """A database and a home with a name of their own; prepared, if the template is."""
        name = f"{label}_{secrets.token_hex(4)}"
        self.copies.append(name)
        self._create(name, template)
        self.home(name).mkdir()
        warehouse = self._at_home(name, self.home(name))
        if template != EMPTY:
            prepare(warehouse)  # what belongs to the server, or to a database's name
        return warehouse

    def drop_copies(self) -> None:
        """All copies made here go with their homes: together they would fill a disk.

        One that cannot be dropped keeps no other; its error is raised when they are gone.
        """
        with contextlib.ExitStack() as stack:
            for name in self.copies:
                stack.callback(shutil.rmtree, self.home(name), ignore_errors=True)
                stack.callback(self._drop, name)
            self.copies.clear()

    def _at_home(self, name: str, home: Path) -> Warehouse:
        database = self.server.database(name)
        settings = Settings.from_env(
            {
                "TALLYHOUSE_HOME": str(home),
                "TALLYHOUSE_LANDING": str(home / "landing"),
                "TALLYHOUSE_DATABASE_URL": database.url,
                "TALLYHOUSE_PII_KEY_FILE": str(home / "pii.key"),
            }
        )
        return replace(database, settings=settings, server=None)

    def _create(self, name: str, template: str) -> None:
        """A new database; copied through the log, because copying files waits for a checkpoint.

        One of that name is what a worker left that was killed while making it.
        """
        self._drop(name)
        with self.server.database("postgres").connect(autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy = 'wal_log'").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )

    def _drop(self, name: str) -> None:
        command = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
        with self.server.database("postgres").connect(autocommit=True) as connection:
            connection.execute(command)


def _seed(warehouse: Warehouse) -> None:
    outcome = run_dbt(warehouse, "seed")
    assert outcome.success, outcome.failures
