"""The content of every published table, to compare two warehouses row for row.

Belongs here: what counts as equal. Does not belong here: how a warehouse comes about.
"""

from typing import Any

import psycopg
from psycopg import sql

from tallyhouse.database import Warehouse

LOGS = {"etl_job_runs", "integration_health"}  # tell of the clock
# Which load brought a row, and when it was written, depend on how the files were split.
VOLATILE = {"load_id", "trained_at", "prediction_at", "loaded_at"}
TABLES = """
    select table_schema, table_name, array_agg(column_name::text order by ordinal_position)
    from information_schema.columns
    join information_schema.tables using (table_schema, table_name)
    where table_type = 'BASE TABLE' and (table_name = any(%s) or table_schema = 'ml')
        and table_schema not in ('staging', 'intermediate')
    group by table_schema, table_name order by 1, 2
"""


def contents(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    """(row count, fingerprint of the rows as a set) of each mart, feature and prediction table."""
    models = warehouse.settings.root / "models"
    names = {
        path.stem for layer in ("marts", "features") for path in (models / layer).rglob("*.sql")
    }
    with warehouse.connect() as connection:
        tables = connection.execute(TABLES, [sorted(names - LOGS)]).fetchall()
        return {f"{s}.{t}": _fingerprint(connection, s, t, columns) for s, t, columns in tables}


def places(warehouse: Warehouse) -> dict[str, str]:
    """A fingerprint of where each row of the whole warehouse lies and who wrote it.

    A row that was written anew has another place even if it says the same. What runs log about
    themselves (`ops`) and Dagster's own tables are left out.
    """
    with warehouse.connect() as connection:
        tables = connection.execute(
            "select schemaname, relname from pg_stat_user_tables"
            " where schemaname not in ('ops', 'dagster') order by 1, 2"
        ).fetchall()
        query = (
            "select coalesce(md5(string_agg(place, ' ' order by place)), '') from"
            " (select tableoid || ':' || ctid || ':' || xmin as place from {table}) as places"
        )
        found = {}
        for schema, table in tables:
            statement = sql.SQL(query).format(table=sql.Identifier(schema, table))
            row = connection.execute(statement).fetchone()
            found[f"{schema}.{table}"] = str(row[0]) if row else ""
    return found


def _fingerprint(
    connection: psycopg.Connection[Any], schema: str, table: str, columns: list[str]
) -> tuple[int, str]:
    kept = [sql.Identifier(name) for name in columns if name not in VOLATILE]
    query = sql.SQL(
        "select count(*), coalesce(md5(string_agg(line, chr(10) order by line)), '')"
        " from (select row({columns})::text as line from {table}) as lines"
    ).format(columns=sql.SQL(", ").join(kept), table=sql.Identifier(schema, table))
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])
