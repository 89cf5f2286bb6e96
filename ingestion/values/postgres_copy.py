"""COPY into tables.

Belongs here: the statement and feeding it. Does not belong here: the form of rows (`arrow`, `rows`),
which rows go where.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from ingestion.values.arrow import binary_copy


def copy_in(
    conn: psycopg.Connection[Any], table: sql.Composable, columns: Sequence[str], form: str,
    data: Iterable[bytes],
) -> None:  # fmt: skip
    """Copy rows in one of COPY's forms into some columns of a table."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("copy {} ({}) from stdin with (format {})").format(
        table, names, sql.SQL(form)
    )
    with conn.cursor().copy(statement) as copy:
        for piece in data:
            copy.write(piece)


def copy_table(
    conn: psycopg.Connection[Any], table: sql.Composable, rows: pa.Table,
    json: frozenset[str] = frozenset(),
) -> None:  # fmt: skip
    """Copy Arrow columns into those of the same names; columns in `json` go to jsonb."""
    if rows.num_rows:
        data = binary_copy(rows, json & {*rows.column_names})
        copy_in(conn, table, rows.column_names, "binary", data)
