"""A copy of a warehouse to which one can return: its database, logins, lake and models, proven by restoring it.

What a backup holds is counted and digested table by table in the snapshot that was copied; a restored database is
let in only when it has the same counts and digests. The keys are never in it: who holds a backup reads no address.
Belongs here: making, proving and bringing back. Does not belong here: landing files, which are their owners'.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from governance import statements
from ingestion.erasing import outside
from ingestion.storing.master_key import known_fingerprint
from tallyhouse import key_file
from tallyhouse.closed_files import make_closed_folder, open_closed, replace_closed
from tallyhouse.database import Warehouse, roles
from tallyhouse.database.embedded import EmbeddedServer
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings
from tallyhouse.storage import open_storage

MANIFEST = "backup.json"
DATABASE, LAKE, HOME, LOGINS = "database", "lake", "home", "logins.json"
FROM_HOME = ("models", "audit.head")  # beside the database; no key among them
KEYS = ("pii.key", "landing.key", "audit.key")
VERSION = 1
BLOCK = 1 << 20
TABLES = """
    select n.nspname, c.relname
    from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid
    where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^(pg_|information_schema$)'
    order by 1, 2
"""

Connection = psycopg.Connection[Any]
Relations = dict[str, tuple[int, str]]


@dataclass
class Manifest:
    """What is in a backup. `relations` are rows and digest by table, `files` SHA-256 by path."""

    made_at: str
    server: str
    key_fingerprint: str | None
    roles: list[str]
    version: int = VERSION
    relations: Relations = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.relations.values())


def back_up(warehouse: Warehouse, folder: Path, say: Callable[[str], None]) -> Manifest:
    """Write a backup into a new folder and prove it by restoring it beside the warehouse.

    The folder has its name only when all of it is there and proven. Nothing may run on the warehouse meanwhile.
    """
    if folder.exists():
        raise TallyhouseError(f"{folder} exists already; name a folder that does not.")
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        make_closed_folder(draft)
        manifest = _write(warehouse, draft, say)
        say("restoring it, to compare")
        with _restored(warehouse, draft, manifest, f"tallyhouse_proof_{os.getpid()}"):
            pass
        draft.rename(folder)
    except OSError as error:
        raise TallyhouseError(
            f"The backup cannot be written to {folder} ({error.strerror or error}). Make room, or name another place."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def read(folder: Path) -> Manifest:
    """The manifest of a backup whose files are all as they were written."""
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        relations = {
            name: (int(rows), str(digest)) for name, (rows, digest) in said["relations"].items()
        }
        manifest = Manifest(**{**said, "relations": relations})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TallyhouseError(
            f"{folder} holds no backup that can be read ({MANIFEST}: {error})."
        ) from error
    if manifest.version != VERSION:
        raise TallyhouseError(
            f"{folder} was written by a later version of Tallyhouse; restore it with that one."
        )
    present = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    missing = sorted(manifest.files.keys() - present)
    changed = sorted(
        n for n in manifest.files.keys() & present if _digest(folder / n) != manifest.files[n]
    )
    if missing or changed:
        which = ", ".join([*missing, *changed][:3])
        raise TallyhouseError(
            f"The backup in {folder} is damaged: {len(missing)} files are missing and {len(changed)} are not what"
            f" was written ({which}). Use another backup."
        )
    return manifest


def restore(
    warehouse: Warehouse, folder: Path, say: Callable[[str], None], erasures: Path | None = None
) -> tuple[Manifest, int]:
    """Bring a backup back into an empty warehouse: all of it, or nothing.

    The database is restored beside and compared before it takes the warehouse's name. Who was erased after the backup,
    by the home's ledger or the one in the file `erasures`, is entered again: how many, stands beside the manifest.
    The door keeps them out from then on; what the backup holds of them, `erasing.erase` has to take.
    """
    settings = warehouse.settings
    say("reading the backup")
    manifest = read(folder)
    _refuse_unless_empty(warehouse)
    _refuse_another_key(settings, manifest)
    erased = outside.read(settings.home / outside.NAME)
    if erasures is not None:
        erased |= _erasures_in(erasures)
    say("restoring the database")
    name = f"{warehouse.parameters['dbname']}_restoring"
    with _restored(warehouse, folder, manifest, name) as restored:
        with restored.connect(autocommit=True) as connection:
            _rebind(connection)
            again = outside.enter_missing(connection, erased)
            outside.keep(connection, settings.home)
        say("restoring lake and models")
        _copy_into_lake(folder / LAKE, settings.lake)
        for part in FROM_HOME:
            _copy(folder / HOME / part, settings.home / part)
        _take_the_name(warehouse, name)
    return manifest, again


def _erasures_in(path: Path) -> outside.Lines:
    try:
        found = outside.read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TallyhouseError(
            f"{path} is no ledger of erasures ({outside.NAME} of a home)."
        ) from error
    if not found:
        raise TallyhouseError(f"{path} names no erasure, or is not there.")
    return found


def _write(warehouse: Warehouse, draft: Path, say: Callable[[str], None]) -> Manifest:
    settings = warehouse.settings
    with warehouse.connect() as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        connection.execute("set local timezone = 'UTC'")
        server = connection.info.parameter_status("server_version") or ""
        snapshot, matrix = _one(
            connection,
            "select pg_export_snapshot(),"
            " array(select distinct role_name::text from governance.role_grants order by 1)",
        )
        manifest = Manifest(
            datetime.now(UTC).isoformat(timespec="seconds"),
            server,
            known_fingerprint(connection),
            matrix,
        )
        say("copying the database")
        _run(
            warehouse, "pg_dump", "--format=directory", "--compress=gzip:1", "--jobs=2", "--no-owner",
            f"--snapshot={snapshot}", f"--file={draft / DATABASE}", str(warehouse.parameters["dbname"]),
        )  # fmt: skip
        say("counting and digesting its tables")
        manifest.relations = _relations(connection)
        replace_closed(draft / LOGINS, json.dumps(_logins(connection)) + "\n")
    say("copying lake and models")
    _copy_lake(settings.lake, draft / LAKE)
    for part in FROM_HOME:
        _copy(settings.home / part, draft / HOME / part)
    for path in sorted(p for p in draft.rglob("*") if p.is_file()):
        path.chmod(0o600)  # it may be moved to a folder that is open
        manifest.files[str(path.relative_to(draft))] = _digest(path)
    replace_closed(draft / MANIFEST, json.dumps(vars(manifest), indent=1) + "\n")
    return manifest


# the database ------------------------------------------------------------------------------


def _relations(connection: Connection) -> Relations:
    found: Relations = {}
    for schema, name in connection.execute(TABLES).fetchall():
        count, digest = _one(
            connection,
            sql.SQL(
                "select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text from only {} as t"
            ).format(sql.Identifier(schema, name)),
        )
        found[f"{schema}.{name}"] = (count, digest)
    return found


@contextmanager
def _restored(
    warehouse: Warehouse, folder: Path, manifest: Manifest, name: str
) -> Iterator[Warehouse]:
    """A database of that name, restored and compared; gone at the end unless it got another name."""
    made = warehouse.database(name)
    with warehouse.database("postgres").connect(autocommit=True) as server:
        _drop(server, name)
        for role in manifest.roles:
            roles.create_role(server, role, MANIFEST)
        server.execute(
            sql.SQL("create database {} template template0").format(sql.Identifier(name))
        )
        try:
            _log_in_again(server, json.loads((folder / LOGINS).read_text("utf-8")), manifest.roles)
            _run(
                warehouse, "pg_restore", "--jobs=2", "--no-owner", "--exit-on-error", f"--dbname={name}",
                str(folder / DATABASE),
            )  # fmt: skip
            with made.connect() as connection:
                connection.execute("set local timezone = 'UTC'")
                differing = _differing(manifest.relations, _relations(connection))
            if differing:
                raise TallyhouseError(
                    f"The backup does not restore to what was copied: {', '.join(differing[:5])}"
                    f" ({len(differing)} tables differ). Use another backup."
                )
            yield made
        finally:
            _drop(server, name)


def _differing(one: Relations, other: Relations) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _drop(server: Connection, name: str) -> None:
    server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _logins(connection: Connection) -> list[dict[str, Any]]:
    """Logins that read through the role matrix, with what they were given; passwords as the server keeps them."""
    cursor = connection.cursor(row_factory=dict_row)
    return cursor.execute(
        "select a.rolname as name, a.rolpassword as password, a.rolconnlimit as limit, readers.config,"
        " array(select g.rolname::text from pg_auth_members as m inner join pg_roles as g on m.roleid = g.oid"
        " where m.member = a.oid) as member_of"
        f" from ({statements.READERS}) as readers inner join pg_authid as a on readers.rolname = a.rolname"
        " order by a.rolname"
    ).fetchall()


def _log_in_again(server: Connection, logins: list[dict[str, Any]], matrix: list[str]) -> None:
    """Logins that the server does not have yet; one that it has keeps its password."""
    for login in logins:
        name = sql.Identifier(login["name"])
        if _one(server, "select exists (select from pg_roles where rolname = %s)", login["name"])[
            0
        ]:
            continue
        server.execute(
            sql.SQL("create role {} login password {} connection limit {}").format(
                name, sql.Literal(login["password"]), sql.Literal(login["limit"])
            )
        )
        for setting in login["config"]:
            key, _, value = setting.partition("=")
            server.execute(
                sql.SQL("alter role {} set {} = {}").format(name, sql.SQL(key), sql.Literal(value))
            )
        for role in set(login["member_of"]) & set(matrix):
            server.execute(sql.SQL("grant {} to {}").format(sql.Identifier(role), name))


def _rebind(connection: Connection) -> None:
    """Bindings of logins hold by number of role, which differs from server to server."""
    for table in ("tenant_logins", "reader_logins"):
        connection.execute(
            sql.SQL(
                "update governance.{} as bound set login_oid = r.oid"
                " from pg_roles as r where r.rolname = bound.login_name"
            ).format(sql.Identifier(table))
        )
    connection.execute("drop table if exists ops.statement_log_reads")  # another server's log


def _take_the_name(warehouse: Warehouse, name: str) -> None:
    """The restored database takes the place of the empty one. Killed in between, the next start makes an empty
    one again, and the restore is begun anew."""
    ours = str(warehouse.parameters["dbname"])
    with warehouse.database("postgres").connect(autocommit=True) as server:
        _drop(server, ours)
        server.execute(
            sql.SQL("alter database {} rename to {}").format(
                sql.Identifier(name), sql.Identifier(ours)
            )
        )


def _refuse_unless_empty(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        is_prepared = _one(connection, "select to_regclass('ops.load_manifest') is not null")[0]
        if is_prepared and _one(connection, "select exists (select from ops.load_manifest)")[0]:
            raise TallyhouseError(
                f"The warehouse at {warehouse.label} is not empty, and a backup is restored into an empty one alone."
                " Set TALLYHOUSE_HOME to a new folder, or move the old one away after `tallyhouse db stop`."
            )


def _refuse_another_key(settings: Settings, manifest: Manifest) -> None:
    """Records that follow must meet those of the backup, which takes the key they were stored with."""
    if manifest.key_fingerprint is None:
        return
    try:
        held = key_file.fingerprint(key_file.read(settings.pii_key_file))
    except FileNotFoundError:
        held = "none"
    if held != manifest.key_fingerprint:
        raise TallyhouseError(
            f"The backup was made with the key of personal data {manifest.key_fingerprint}, and"
            f" {settings.pii_key_file} holds {held}. Put a copy of that key there first (with {' and '.join(KEYS[1:])}"
            " beside it, where there are any)."
        )


def _run(warehouse: Warehouse, program: str, *arguments: str) -> None:
    """One of Postgres' own programs, told where the server is."""
    path = EmbeddedServer(warehouse.settings.home).program(program)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    answer = subprocess.run(
        [str(path), *arguments], env={**kept, **warehouse.libpq_env()}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if answer.returncode != 0:
        said = [line for line in answer.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise TallyhouseError(f"{program} did not end well: {said[0]}")


def _one(connection: Connection, query: Any, *parameters: Any) -> tuple[Any, ...]:
    row = connection.execute(query, parameters).fetchone()
    if row is None:
        raise TallyhouseError("The database gave no answer; try again.")
    return tuple(row)


# files -------------------------------------------------------------------------------------


def _copy_lake(place: str, into: Path) -> None:
    storage = open_storage(place)
    if storage.is_local and not Path(place).exists():
        return  # nothing was loaded yet
    for found in storage.files():
        make_closed_folder((into / found.name).parent)
        with storage.open(found.name) as source, open_closed(into / found.name) as target:
            shutil.copyfileobj(source, target, BLOCK)


def _copy_into_lake(folder: Path, place: str) -> None:
    if folder.is_dir():
        with open_storage(place).writing() as writing:
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                writing.put(str(path.relative_to(folder)), path.read_bytes())


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.is_file():
        make_closed_folder(target.parent)
        shutil.copy2(source, target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
