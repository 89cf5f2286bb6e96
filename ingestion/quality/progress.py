"""How far each landed table has been found good, so that a check looks only at what is new.

A table's mark moves only when all rows up to it passed: a bad batch stays red until it is mended,
and what is wrong with it stands beside the mark. Belongs here: the marks. Does not belong here: the
checking, and what is done about a broken table (`app.building`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg

from ingestion.quality.check import check_landed, load_suites
from ingestion.quality.outcome import LandedCheck

DDL = """
create table if not exists ops.quality_marks (
    table_name text primary key,
    last_good_load_id bigint not null,
    failures text[] not null default '{}',
    marked_at timestamptz not null default now()
)
"""
COLUMNS = "select attname from pg_attribute where attrelid = to_regclass('ops.quality_marks')"


def check_new(
    connect: Callable[[], psycopg.Connection],
    url: str,
    docs_dir: Path,
    tables: tuple[str, ...] = (),
) -> list[LandedCheck]:
    """Check each table's rows since its last good check; rows it was given while at it wait.

    `connect` opens the warehouse that `url` names. Returns one outcome per table.
    """
    wanted = tables or tuple(load_suites())
    with connect() as connection:
        prepare_marks(connection)
        newest = newest_load(connection)
        since = min(last_good(connection, table) for table in wanted)
    outcomes = check_landed(url, docs_dir, since_load_id=since, tables=wanted)
    with connect() as connection:
        for outcome in outcomes:
            mark(connection, outcome.table, newest, outcome.failures)
    return outcomes


def awaits_check(connection: psycopg.Connection) -> bool:
    """Whether a load has come since some table was last found good, or one is broken."""
    prepare_marks(connection)
    newest = newest_load(connection)
    return any(last_good(connection, table) < newest for table in load_suites())


def broken(connection: psycopg.Connection) -> dict[str, list[str]]:
    """Landed table → what of its suite does not hold, a sentence each; no table that is good."""
    prepare_marks(connection)
    rows = connection.execute(
        "select table_name, failures from ops.quality_marks where cardinality(failures) > 0"
    ).fetchall()
    return dict(rows)


def newest_load(connection: psycopg.Connection) -> int:
    """The newest load of the ledger, 0 when there is none."""
    return _number(connection, "select coalesce(max(load_id), 0) from ops.load_manifest", [])


def last_good(connection: psycopg.Connection, table: str) -> int:
    """Up to which load a table was found good."""
    query = (
        "select coalesce(max(last_good_load_id), 0) from ops.quality_marks where table_name = %s"
    )
    return _number(connection, query, [table])


def mark(
    connection: psycopg.Connection, table: str, load_id: int, failures: Sequence[str] = ()
) -> None:
    """Note what came of a check up to a load. A mark never moves back, whoever else moved it."""
    connection.execute(
        "insert into ops.quality_marks as held (table_name, last_good_load_id, failures)"
        " values (%s, %s, %s) on conflict (table_name) do update"
        " set last_good_load_id = greatest(held.last_good_load_id, excluded.last_good_load_id),"
        " failures = excluded.failures, marked_at = now()",
        [table, 0 if failures else load_id, list(failures)],
    )


def prepare_marks(connection: psycopg.Connection) -> None:
    """Make the table of marks, or bring that of an earlier version up to date."""
    columns = {str(name) for (name,) in connection.execute(COLUMNS).fetchall()}
    if not columns:
        connection.execute(DDL)
    elif "failures" not in columns:  # of a version that noted good tables alone
        connection.execute(
            "alter table ops.quality_marks add column failures text[] not null default '{}'"
        )


def _number(connection: psycopg.Connection, query: str, values: list[str]) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
