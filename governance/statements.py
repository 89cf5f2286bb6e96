"""What people and BI tools ask of the marts, taken from the server's own log into the audit log.

The server logs each statement of a login that the role matrix lets in, and each plan that it carried out, those
within functions too; the login cannot switch that off. Where pgaudit is loaded it logs each relation that is read as
well. A statement is an entry when it names a relation with personal or financial columns, a plan or a line of pgaudit
when it reads one that its statement did not name, a refusal always; what cannot be read for names (a block of code,
escaped identifiers) is an entry as well. Belongs here: those settings, reading the log, making entries of it. Does not
belong here: the log they are entered in (`audit_log`).
"""

import contextlib
import csv
import fnmatch
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from governance.audit_log import Act, record
from tallyhouse.database import Warehouse
from tallyhouse.database.configuration import LOG_FOLDER
from tallyhouse.database.roles import is_superuser

COLUMNS = Path("seeds/governance/audited_columns.csv")
KEPT = timedelta(days=7)  # a file of the log after its last word, once it is read
BLOCK = 1 << 23  # bytes of the log taken at once
SHOWN_STATEMENT = 2000  # characters
LOGGED = {  # of each login; only an administrator can set them
    "log_statement": "all",
    "log_parameter_max_length": "0",
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_verbose": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_parameter_max_length": "0",
}
READERS = """
    select distinct logins.rolname, coalesce(logins.rolconfig, '{}') as config
    from pg_roles as logins inner join governance.role_grants as grants
        on pg_has_role(logins.oid, to_regrole(quote_ident(grants.role_name))::oid, 'member')
    where logins.rolcanlogin and not logins.rolsuper and not logins.rolbypassrls
"""
NAMES_NOTHING = re.compile(r"(?i)u&\s*\"")  # identifiers by number of letter
CODE = re.compile(r"(?i)\s*do\b")
SAID = re.compile(r"(?s)(?:statement|execute [^:]*(?:/[^:]*)?): (.*)")
PLANNED = re.compile(r"(?s)duration: [\d.]+ ms +plan:\n(.*)")
# a line of CSV: kind, statement, part of it, class, command, type and name of the relation, text
READ_BY_PGAUDIT = re.compile(
    r"(?s)AUDIT: (?:SESSION|OBJECT),(\d+),\d+,READ,[^,]*,[^,]*,([^,]*),"
    r'(?:"((?:[^"]|"")*+)"|([^,]*))'
)
LEFT_OUT = ("<not logged>", "<previously logged>")  # what pgaudit says in place of a text
DENIED = "42501"
PLAIN = re.compile(r"\w[\w$]*|[^\w\s@]{1,3}")  # a name that needs no quotes, or a sign
COMMANDS = {
    TokenType.COMMAND, TokenType.DECLARE, TokenType.EXECUTE, TokenType.FETCH, TokenType.SHOW,
}  # fmt: skip
LITERALS = {
    TokenType.STRING, TokenType.NUMBER, TokenType.HEREDOC_STRING, TokenType.NATIONAL_STRING,
    TokenType.UNICODE_STRING, TokenType.RAW_STRING, TokenType.BIT_STRING, TokenType.HEX_STRING,
    TokenType.BYTE_STRING,
}  # fmt: skip

DDL = """
create table ops.statement_log_reads (
    file_name text primary key,
    bytes_read bigint not null
)
"""

Connection = psycopg.Connection[Any]


class ByPgaudit(NamedTuple):
    """A read as pgaudit logs it, a line for each relation; the number tells a session's statements apart."""

    statement_number: str
    relations: set[tuple[str, str]]
    text: str


@dataclass
class Audited:
    """What is worth an entry: relations by name with the classes of their columns; partitions by their table."""

    classes: dict[tuple[str, str], tuple[str, ...]]
    tables: dict[tuple[str, str], tuple[str, str]]
    logins: frozenset[str]

    def named_in(self, text: str) -> set[tuple[str, str]]:
        """Relations whose name stands in a statement."""
        words = {word.lower() for word in re.findall(r"\w+", text)}
        return {relation for relation in self.classes if relation[1] in words}

    def of(self, schema: str, name: str) -> tuple[str, str] | None:
        relation = self.tables.get((schema, name), (schema, name))
        return relation if relation in self.classes else None


def apply(connection: Connection) -> None:
    """Keep how far the server's log was read; what it held before a warehouse was prepared is not that warehouse's."""
    row = connection.execute("select to_regclass('ops.statement_log_reads')").fetchone()
    if row is not None and row[0] is not None:
        return
    connection.execute(DDL)
    if is_superuser(connection) and not why_not(connection):
        connection.execute(
            "insert into ops.statement_log_reads select name, size from pg_ls_logdir()"
        )


def log_logins(connection: Connection) -> None:
    """Let the server log every login that the matrix lets in; quiet where we may not say so.

    Logins are the whole server's. On a connection that commits by itself no more than one is held at a time, so that
    somebody who removes several at once is never in a deadlock with this.
    """
    if not is_superuser(connection):
        return
    settings = LOGGED | _for_pgaudit(connection)
    wanted = {f"{name}={value}" for name, value in settings.items()}
    for login, config in connection.execute(f"{READERS} order by 1").fetchall():
        if wanted <= set(config):
            continue
        # removed meanwhile, it reads nothing; changed meanwhile, the next preparation has its turn
        gone_or_busy = psycopg.errors.UndefinedObject, psycopg.errors.InternalError_
        with contextlib.suppress(*gone_or_busy), connection.transaction():
            for name, value in settings.items():
                connection.execute(
                    sql.SQL("alter role {} set {} = {}").format(
                        sql.Identifier(login), sql.SQL(name), sql.Literal(value)
                    )
                )


def _for_pgaudit(connection: Connection) -> dict[str, str]:
    """What a login needs so that pgaudit names what it reads; what the server's owner has it log stays logged."""
    row = connection.execute(
        "select current_setting('pgaudit.log', true)"
        " where current_setting('shared_preload_libraries') ~ '\\mpgaudit\\M'"
    ).fetchone()
    if row is None:
        return {}
    classes = [word for word in re.split(r"[\s,]+", (row[0] or "").lower()) if word]
    others = [word for word in classes if word not in ("none", "read", "-read")]
    return {"pgaudit.log": ", ".join([*others, "read"]), "pgaudit.log_relation": "on"}


def import_statements(warehouse: Warehouse) -> int:
    """Enter what was asked since the last time, and say how many entries that made; nothing where `why_not`.

    Safe to interrupt and repeat.
    """
    entered = 0
    with warehouse.connect(autocommit=True) as connection:
        if why_not(connection):
            return 0
        audited = audited_relations(connection, warehouse.settings.root / COLUMNS)
        database = str(warehouse.parameters["dbname"])
        for file_name, size, start in _files(connection):
            bytes_read = start
            while bytes_read < size:
                block = _block(connection, file_name, bytes_read)
                whole = block.rfind(b"\n") + 1
                if not whole:
                    break
                lines = block[:whole].splitlines()
                acts = list(acts_of(lines, audited, database))
                entered += record(warehouse, acts) if acts else 0
                bytes_read += whole
                connection.execute(
                    "insert into ops.statement_log_reads values (%s, %s)"
                    " on conflict (file_name) do update set bytes_read = excluded.bytes_read",
                    [file_name, bytes_read],
                )
        _forget_old_files(connection, warehouse)
    return entered


def audited_relations(connection: Connection, columns: Path) -> Audited:
    """Marts with columns of the classes that the seed names, as they stand in the database now."""
    with columns.open(newline="", encoding="utf-8") as file:
        patterns = [
            (row["column_pattern"].replace("%", "*"), row["data_class"])
            for row in csv.DictReader(file)
        ]
    classes: dict[tuple[str, str], set[str]] = {}
    for schema, relation, column in connection.execute(
        "select s.schema_name::text, s.relation_name::text, a.attname::text"
        " from governance.secured_relations as s inner join pg_attribute as a"
        " on a.attrelid = to_regclass(format('%I.%I', s.schema_name, s.relation_name))"
        " where a.attnum > 0 and not a.attisdropped"
    ):
        for pattern, data_class in patterns:
            if fnmatch.fnmatchcase(column, pattern):
                classes.setdefault((schema, relation), set()).add(data_class)
    tables = {
        (part[0], part[1]): (part[2], part[3])
        for part in connection.execute(
            "select n.nspname::text, c.relname::text, pn.nspname::text, p.relname::text"
            " from pg_class as c inner join pg_namespace as n on c.relnamespace = n.oid"
            " inner join pg_class as p on pg_partition_root(c.oid) = p.oid"
            " inner join pg_namespace as pn on p.relnamespace = pn.oid where c.relispartition"
        )
    }
    logins = frozenset(row[0] for row in connection.execute(READERS))
    return Audited({key: tuple(sorted(found)) for key, found in classes.items()}, tables, logins)


def acts_of(lines: list[bytes], audited: Audited, database: str) -> Iterator[Act]:
    """The entries that whole lines of the log come to."""
    named: dict[str, set[tuple[str, str]]] = {}  # by session: what its present statement names
    numbers: dict[str, str] = {}  # by session: that statement's number in pgaudit's lines
    ours = json.dumps(database).encode()
    for line in lines:
        if ours not in line:
            continue
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if said.get("dbname") != database or said.get("user") not in audited.logins:
            continue
        session, message = said["session_id"], said.get("message", "")
        if said.get("state_code") == DENIED:
            text = said.get("statement", "")
            yield _act(said, "refused", audited.named_in(text), audited, text)
        elif asked := SAID.match(message):
            text = f"{asked[1]} {said.get('detail', '')}"
            named[session] = relations = audited.named_in(text)
            numbers.pop(session, None)
            if relations:
                yield _act(said, "done", relations, audited, text)
            elif CODE.match(asked[1]) or NAMES_NOTHING.search(text):
                yield _act(said, "unknown", set(), audited, text)
        elif read := _read_by_pgaudit(message, audited):
            if numbers.setdefault(session, read.statement_number) != read.statement_number:
                named.pop(session, None)  # another statement, which was not logged by itself
                numbers[session] = read.statement_number
            relations = read.relations - named.get(session, set())
            if relations:
                named[session] = named.get(session, set()) | relations
                yield _act(said, "done", relations, audited, read.text)
        elif planned := PLANNED.match(message):
            relations = set(_read_by(planned[1], audited)) - named.get(session, set())
            if relations:
                yield _act(said, "done", relations, audited, "")


def without_literals(text: str) -> str:
    """A statement as its author wrote it, a ? in place of each literal and without comments; empty where it
    cannot be taken apart."""
    try:
        return " ".join(_shown(text))[:SHOWN_STATEMENT]
    except SqlglotError:
        return ""


def _shown(text: str) -> Iterator[str]:
    is_command = False
    for part in Postgres().tokenize(text):
        if (
            is_command and part.token_type is TokenType.STRING
        ):  # the rest of the command, as it stands
            yield from _shown(part.text)
        else:
            is_plain = part.token_type not in LITERALS and PLAIN.fullmatch(part.text)
            yield part.text if is_plain else "?"
        is_command = part.token_type in COMMANDS


def _act(
    said: dict[str, Any], outcome: str, relations: set[tuple[str, str]], audited: Audited, text: str
) -> Act:
    classes = sorted({c for relation in relations for c in audited.classes[relation]})
    details = {
        "client": said.get("remote_host", "local socket"),
        "data_classes": classes,
        "statement": without_literals(text) if text else "",
    }
    return Act(
        audit_id=f"{said['session_id']}:{said['line_num']}",
        happened_at=_instant(said["timestamp"]),
        actor=said["user"],
        action="read",
        resource=", ".join(sorted(".".join(relation) for relation in relations)) or "unknown",
        outcome=outcome,
        details=details,
    )


def _read_by(plan: str, audited: Audited) -> Iterator[tuple[str, str]]:
    try:
        waiting = [json.loads(plan)["Plan"]]
    except (ValueError, KeyError):
        return
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        relation = audited.of(node.get("Schema", ""), node.get("Relation Name", ""))
        if relation:
            yield relation


def _read_by_pgaudit(message: str, audited: Audited) -> ByPgaudit | None:
    """What a line of pgaudit says was read; without `pgaudit.log_relation` that is what its text names."""
    if not (found := READ_BY_PGAUDIT.match(message)):
        return None
    number, name, quoted, plain = found.groups()
    text = plain if quoted is None else quoted.replace('""', '"')
    text = "" if text in LEFT_OUT else text
    schema, _, table = name.partition(".")
    relation = audited.of(schema, table)
    relations = {relation} if relation else set() if name else audited.named_in(text)
    return ByPgaudit(number, relations, text)


def _instant(text: str) -> datetime:
    """`2026-11-29 11:27:14.090 UTC`; another zone than UTC is the server's choice and told as an offset or name."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f UTC").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromisoformat(text[:23]).replace(tzinfo=UTC)


def _files(connection: Connection) -> list[tuple[str, int, int]]:
    return [
        (name, size, read)
        for name, size, read in connection.execute(
            "select log.name, log.size, coalesce(known.bytes_read, 0)"
            " from pg_ls_logdir() as log left join ops.statement_log_reads as known"
            " on log.name = known.file_name where log.name like '%.json'"
            " order by log.modification, log.name"
        )
    ]


def _block(connection: Connection, file_name: str, start: int) -> bytes:
    """From there on, as many bytes as hold at least one whole line, or what there is."""
    length = BLOCK
    while True:
        row = connection.execute(
            "select pg_read_binary_file(current_setting('log_directory') || '/' || %s, %s, %s, true)",
            [file_name, start, length],
        ).fetchone()
        block = bytes(row[0]) if row and row[0] is not None else b""
        if len(block) < length or b"\n" in block:
            return block
        length *= 2


def _forget_old_files(connection: Connection, warehouse: Warehouse) -> None:
    """Remove files of the embedded server that were read to their end a week ago."""
    if warehouse.server is None:
        return
    folder = warehouse.server.data / LOG_FOLDER
    gone = connection.execute(
        "select log.name from pg_ls_logdir() as log inner join ops.statement_log_reads as known"
        " on log.name = known.file_name and log.size = known.bytes_read"
        " where log.modification < now() - %s"
        " and log.name <> split_part(pg_current_logfile('jsonlog'), '/', -1)",
        [KEPT],
    ).fetchall()
    for (name,) in gone:
        (folder / name).unlink(missing_ok=True)
        (folder / name).with_suffix(".log").unlink(missing_ok=True)
    connection.execute(
        "delete from ops.statement_log_reads where file_name = any (%s)",
        [[name for (name,) in gone]],
    )


def why_not(connection: Connection) -> str:
    """Why this server's statements cannot be audited, with the way out; empty where they can."""
    if not is_superuser(connection):
        return (
            "What people read is not audited: this login may neither let the server log it nor read the log. Let"
            " an administrator's login run `tallyhouse load`, or audit with the server's own means (pgaudit)."
        )
    row = connection.execute(
        "select current_setting('logging_collector') = 'on'"
        " and current_setting('log_destination') like '%%jsonlog%%'"
    ).fetchone()
    if row and row[0]:
        return ""
    return (
        "What people read is not audited: the server keeps no log that can be read. Stop the embedded server with"
        " `tallyhouse db stop` (it starts by itself), or set logging_collector = on and"
        " log_destination = 'jsonlog' on a server of your own."
    )
