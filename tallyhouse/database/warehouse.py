"""A warehouse that can be connected to, wherever its Postgres runs.

Belongs here: the connection's address in its three forms (URL, psycopg, dbt's environment). Does not
belong here: how the embedded server lives (`embedded`), what a database must hold to be a warehouse.
"""

import contextlib
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo, sql

from tallyhouse.database.configuration import LOG_FOLDER
from tallyhouse.database.embedded import Address, EmbeddedServer
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings

DATABASE = "tallyhouse"
ENCRYPTED = ("require", "verify-ca", "verify-full")
ENVIRONMENT = {
    "TALLYHOUSE_DB_HOST": "host",
    "TALLYHOUSE_DB_PORT": "port",
    "TALLYHOUSE_DB_USER": "user",
    "TALLYHOUSE_DB_PASSWORD": "password",
    "TALLYHOUSE_DB_NAME": "dbname",
}
LIBPQ = {
    "PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname",
    "PGSSLMODE": "sslmode",
}  # fmt: skip


@dataclass(frozen=True)
class Warehouse:
    """An address that was proven to answer; holds no connection of its own."""

    settings: Settings
    parameters: Mapping[str, str]
    server: EmbeddedServer | None = None

    @property
    def url(self) -> str:
        """The address as one `postgresql://` URL, password included: never print it in a log."""
        return make_url(self.parameters)

    @property
    def label(self) -> str:
        """The address without its password, for a person to read."""
        shown = {
            k: v for k, v in self.parameters.items() if k in ("host", "port", "user", "dbname")
        }
        return make_url(shown)

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """A new psycopg connection; options are psycopg's own (autocommit, row_factory …)."""
        try:
            return psycopg.connect(**{**self.parameters, "connect_timeout": "10", **options})
        except psycopg.OperationalError as error:
            raise unreachable(self, error) from error

    def env(self) -> dict[str, str]:
        """What `profiles.yml` reads."""
        given = {name: self.parameters.get(key, "") for name, key in ENVIRONMENT.items()}
        return {**given, "TALLYHOUSE_DB_SSLMODE": self.parameters.get("sslmode", "prefer")}

    def libpq_env(self) -> dict[str, str]:
        """What Postgres' own programs read, and nothing of ours: psql, pg_dump, pg_restore."""
        return {name: self.parameters[key] for name, key in LIBPQ.items() if key in self.parameters}

    def encryption(self, connection: psycopg.Connection[Any]) -> list[str]:
        """Sentences on what is encrypted on the way to the database and where it lies, and what is not."""
        row = connection.execute(
            "select version from pg_stat_ssl where pid = pg_backend_pid() and ssl"
        ).fetchone()
        if row:
            way = f"Connections to the database are encrypted ({row[0]})."
        else:
            way = "Connections to the database are not encrypted; they do not leave this machine."
        place = self.settings.home if self.server else "the server's disk"
        return [
            way,
            f"What lies in {place} is not encrypted by Tallyhouse (names and addresses are keyed tokens there);"
            " encrypt the disk below it.",
        ]

    def database(self, name: str) -> "Warehouse":
        """The same server, another database."""
        return replace(self, parameters={**self.parameters, "dbname": name})

    def stop(self) -> bool:
        """Stop the embedded server; a server that is not ours is left alone."""
        return self.server.stop() if self.server else False


def open_warehouse(settings: Settings) -> Warehouse:
    """Start or find the embedded server, or reach the one that the settings name."""
    if settings.database_url:
        return _named(settings)
    server = EmbeddedServer(settings.home)
    address = server.start()
    warehouse = Warehouse(settings, _parameters(address), server)
    _ensure_database(warehouse)
    return warehouse


def find_warehouse(settings: Settings) -> Warehouse | None:
    """The warehouse if it runs already; starts nothing and creates nothing."""
    if settings.database_url:
        return _named(settings)
    server = EmbeddedServer(settings.home)
    address = server.running()
    return Warehouse(settings, _parameters(address), server) if address else None


def make_url(parameters: Mapping[str, str]) -> str:
    """A libpq URL of connection parameters."""
    given = dict(parameters)
    host, port = given.pop("host", ""), given.pop("port", "")
    user, password = given.pop("user", ""), given.pop("password", "")
    name = given.pop("dbname", "")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    if host.startswith("/"):
        given["host"], host = host, ""
    place = f"[{host}]" if ":" in host else host
    tail = f"?{urlencode(given)}" if given else ""
    at = f"{login}@" if login else ""
    return f"postgresql://{at}{place}{f':{port}' if port else ''}/{quote(name, safe='')}{tail}"


def unreachable(warehouse: Warehouse, error: Exception) -> TallyhouseError:
    """The sentence for a database that does not answer or does not let us in."""
    reason = " ".join(str(error).split())
    way_out = (
        "Check TALLYHOUSE_DATABASE_URL and that the server runs and lets this account in."
        if warehouse.server is None
        else f"`tallyhouse db start` starts it again; its logs are {warehouse.server.log} and "
        f"the folder {warehouse.server.data / LOG_FOLDER}."
    )
    return TallyhouseError(
        f"The database {warehouse.label} cannot be reached ({reason}). {way_out}"
    )


def _parameters(address: Address) -> dict[str, str]:
    return {
        "host": address.host,
        "port": str(address.port),
        "user": address.user,
        "password": address.password,
        "dbname": DATABASE,
    }


def _named(settings: Settings) -> Warehouse:
    try:
        given = conninfo.conninfo_to_dict(settings.database_url or "")
    except psycopg.ProgrammingError as error:
        raise TallyhouseError(
            "TALLYHOUSE_DATABASE_URL cannot be read as a Postgres address "
            f"({' '.join(str(error).split())}). Write "
            "postgresql://user:password@host:5432/database."
        ) from error
    parameters = {key: str(value) for key, value in given.items() if value is not None}
    parameters.setdefault("host", os.environ.get("PGHOST", "localhost"))
    parameters.setdefault("port", os.environ.get("PGPORT", "5432"))
    parameters.setdefault("dbname", os.environ.get("PGDATABASE", DATABASE))
    require_encryption(parameters)
    if "password" not in parameters and "PGPASSWORD" in os.environ:
        parameters["password"] = os.environ["PGPASSWORD"]
    warehouse = Warehouse(settings, parameters)
    with warehouse.connect():
        return warehouse


def require_encryption(parameters: dict[str, str]) -> None:
    """What leaves this machine is encrypted, or the address is refused."""
    hosts = [*parameters["host"].split(","), *parameters.get("hostaddr", "").split(",")]
    if all(_is_local(host) for host in hosts):
        return
    mode = parameters.setdefault("sslmode", os.environ.get("PGSSLMODE", "require"))
    if mode not in ENCRYPTED:
        raise TallyhouseError(
            f"TALLYHOUSE_DATABASE_URL names {', '.join(filter(None, hosts))} with sslmode={mode}, which may send"
            f" everything in clear. Say {' or '.join(ENCRYPTED)} (a tunnel ends on 127.0.0.1 and needs neither)."
        )


def _is_local(host: str) -> bool:
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _ensure_database(warehouse: Warehouse) -> None:
    with warehouse.database("postgres").connect(autocommit=True) as connection:
        found = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
        if found.fetchone() is None:
            with contextlib.suppress(  # another starter was quicker
                psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation
            ):
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
