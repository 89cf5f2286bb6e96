"""How far each landed table has been found good, so that a check looks only at what is new.

A table's mark moves only when all rows up to it passed: a bad batch stays red until it is mended.
Belongs here: the marks. Does not belong here: the checking.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg

from ingestion.quality.check import check_landed, load_suites
from ingestion.quality.outcome import LandedCheck

DDL = """
create table if not exists ops.quality_marks (
    table_name text primary key,
    last_good_load_id bigint not null,
    marked_at timestamptz not null default now()
)
"""


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
        connection.execute(DDL)
        newest = newest_load(connection)
        since = min(last_good(connection, table) for table in wanted)
    outcomes = check_landed(url, docs_dir, since_load_id=since, tables=wanted)
    with connect() as connection:
        for outcome in outcomes:
            if outcome.success:
                mark_good(connection, outcome.table, newest)
    return outcomes


def newest_load(connection: psycopg.Connection) -> int:
    """The newest load of the ledger, 0 when there is none."""
    return _number(connection, "select coalesce(max(load_id), 0) from ops.load_manifest", [])


def last_good(connection: psycopg.Connection, table: str) -> int:
    """Up to which load a table was found good."""
    query = (
        "select coalesce(max(last_good_load_id), 0) from ops.quality_marks where table_name = %s"
    )
    return _number(connection, query, [table])


def mark_good(connection: psycopg.Connection, table: str, load_id: int) -> None:
    """Move a table's mark to a load; never back, whoever else moved it meanwhile."""
    connection.execute(
        "insert into ops.quality_marks as held values (%s, %s) on conflict (table_name) do update"
        " set last_good_load_id = excluded.last_good_load_id, marked_at = now()"
        " where held.last_good_load_id < excluded.last_good_load_id",
        [table, load_id],
    )


def _number(connection: psycopg.Connection, query: str, values: list[str]) -> int:
    row = connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0
