"""How far a table was folded: the row of raw_cdc.folded_tables that says so.

Belongs here: reading and advancing it. Does not belong here: the table's contract (`tables`), what the
progress means for a load (`affected`, `positions`, `apply`).
"""

from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from ingestion.cdc.scd.tables import FoldTarget


class Progress(NamedTuple):
    """Everything is null while nothing was folded."""

    max_position: str | None  # hex
    max_stream_file: str | None
    last_unplaced_file: str | None
    newest_instant: datetime | None  # no version begins or ends later


def read_progress(conn: psycopg.Connection[Any], target: FoldTarget) -> Progress:
    """Of a table that was made."""
    row = conn.execute(
        "select encode(max_position, 'hex'), max_stream_file, last_unplaced_file, newest_instant"
        " from raw_cdc.folded_tables where product = %s and table_name = %s",
        [target.product, target.name],
    ).fetchone()
    assert row is not None
    progress = Progress(*row)
    if progress.newest_instant is None and progress.max_stream_file is not None:
        return progress._replace(newest_instant=_newest_of(conn, target))
    return progress


def _newest_of(conn: psycopg.Connection[Any], target: FoldTarget) -> datetime | None:
    """Of a table folded before this was remembered: read from its versions."""
    row = conn.execute(
        sql.SQL(
            "select greatest((select max(_valid_from) from {}), (select max(_valid_to) from {}))"
        ).format(target.current, target.closed)
    ).fetchone()
    return row[0] if row else None


def advance(
    conn: psycopg.Connection[Any], target: FoldTarget, before: Progress, reached: Progress
) -> None:
    """Remember what was folded beside what was folded before."""
    conn.execute(
        """
        update raw_cdc.folded_tables
        set max_position = greatest(max_position, decode(%(max_position)s, 'hex')),
            max_stream_file = greatest(max_stream_file, %(max_stream_file)s collate "C"),
            last_unplaced_file = greatest(last_unplaced_file, %(last_unplaced_file)s collate "C"),
            newest_instant = greatest(%(newest_before)s::timestamptz, %(newest_instant)s)
        where product = %(product)s and table_name = %(table)s
        """,
        {
            **reached._asdict(), "newest_before": before.newest_instant, "product": target.product,
            "table": target.name,
        },
    )  # fmt: skip


def forget(conn: psycopg.Connection[Any], target: FoldTarget) -> None:
    """As though nothing had been folded."""
    conn.execute(
        "update raw_cdc.folded_tables set max_position = null, max_stream_file = null,"
        " last_unplaced_file = null, newest_instant = null"
        " where product = %s and table_name = %s",
        [target.product, target.name],
    )
