"""Where the measuring happens: one server of its own, fresh databases in it, folders that go again.

Belongs here: making and dropping databases, the environment of a child, loading through the command
line. Does not belong here: what is measured, inputs.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from psycopg import sql

from app.preparation import prepare
from benchmarks.inputs import write_contracts
from benchmarks.measure import Cost, run_child
from tallyhouse.database import Warehouse, open_warehouse
from tallyhouse.settings import PREFIX, PROJECT_ROOT, Settings


@dataclass(frozen=True)
class Store:
    """One database with its home (lake, key of personal data) and the landing folder it reads."""

    site: "Site"
    warehouse: Warehouse

    @property
    def settings(self) -> Settings:
        return self.warehouse.settings

    def reading(self, landing: Path) -> Settings:
        """The settings for another landing folder."""
        return replace(self.settings, landing=str(landing))

    def command(self, *arguments: str, landing: Path | None = None,
                with_shares: bool = False) -> Cost:  # fmt: skip
        """Run `tallyhouse …` on this store as a child process and tell what it cost."""
        program = str(Path(sys.executable).parent / "tallyhouse")
        place = ["--landing", str(landing)] if landing else []
        return self.site.run([program, *arguments, *place], self._environment(), with_shares)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.warehouse.connect(autocommit=True) as connection:
            return connection.execute(query, parameters or None).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def drop(self) -> None:
        """Remove the database and its home."""
        self.site.drop_database(self.warehouse.parameters["dbname"])
        shutil.rmtree(self.settings.home, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        given = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
        given[PREFIX + "HOME"] = str(self.settings.home)
        given[PREFIX + "DATABASE_URL"] = self.warehouse.url
        given[PREFIX + "PII_KEY_FILE"] = str(self.settings.pii_key_file)
        given[PREFIX + "CONTRACTS"] = os.pathsep.join(map(str, self.settings.contracts))
        return given


class Site:
    """The server and the folder of one run of the benchmarks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contracts = folder / "contracts"
        write_contracts(PROJECT_ROOT, self.contracts)
        self.server = open_warehouse(Settings.from_env({PREFIX + "HOME": str(folder / "server")}))

    @cached_property
    def postmaster(self) -> int:
        path = self.folder / "server" / "postgres" / "data" / "postmaster.pid"
        return int(path.read_text().split("\n", 1)[0])

    def store(self, name: str) -> Store:
        """A fresh, prepared database."""
        self.drop_database(name)
        self._admin(sql.SQL("create database {}").format(sql.Identifier(name)))
        home = self.folder / "stores" / name
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        place = self.server.database(name)
        settings = Settings.from_env(
            {
                PREFIX + "HOME": str(home),
                PREFIX + "DATABASE_URL": place.url,
                PREFIX + "PII_KEY_FILE": str(home / "pii.key"),
                PREFIX + "CONTRACTS": str(self.contracts),
            }
        )
        warehouse = replace(place, settings=settings, server=None)
        prepare(warehouse)
        return Store(self, warehouse)

    def run(
        self, command: list[str], environment: dict[str, str], with_shares: bool = False
    ) -> Cost:
        """Run a command after a checkpoint, so that no sample pays for the one before it."""
        self.settle()
        return run_child(command, environment, self.postmaster, self.folder, with_shares)

    def settle(self) -> None:
        self._admin(sql.SQL("checkpoint"))

    def drop_database(self, name: str) -> None:
        self._admin(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def machine(self) -> dict[str, str]:
        """What the figures were measured on."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        with self.server.connect() as connection:
            version = connection.execute("show server_version").fetchone()
            buffers = connection.execute("show shared_buffers").fetchone()
        assert version and buffers
        return {
            "cores": str(os.cpu_count()),
            "memory": f"{memory:.0f} GiB",
            "system": f"{os.uname().sysname} {os.uname().machine}",
            "python": sys.version.split()[0],
            "postgres": f"{version[0]} ({buffers[0]} of shared buffers)",
        }

    def _admin(self, statement: sql.Composed | sql.SQL) -> None:
        with self.server.database("postgres").connect(autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def open_site() -> Iterator[Site]:
    """A site in a temporary folder (`TMPDIR` moves it); server and folder are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tallyhouse-bench-"))
    site: Site | None = None
    try:
        site = Site(folder)
        yield site
    finally:
        if site is not None:
            with contextlib.suppress(Exception):
                site.server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def last_json(text: str) -> dict[str, Any]:
    """The JSON object in the last line that a child printed."""
    return dict(json.loads(text.strip().splitlines()[-1]))
