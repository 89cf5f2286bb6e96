"""The typed tables of the fold, made from the contracts: current state, closed versions, history.

Belongs here: their DDL, and following a contract that changed. Does not belong here: filling them
(`versions_sql`), the table of changes (cdc.sql).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from ingestion.cdc.contract import CdcContract, Column, Table
from ingestion.cdc.names import TENANT_ID, USER_ID, stored_column, stored_table

SYSTEM_COLUMNS = {
    "_key": "uuid not null",
    "_extra": "jsonb",
    "_valid_from": "timestamptz not null",
    "_committed_at": "timestamptz not null",
    "_received_at": "timestamptz not null",
    "_load_id": "bigint not null",
}


@dataclass(frozen=True)
class FoldTarget:
    """A declared table and the names of what is folded from it."""

    product: str
    name: str
    table: Table
    log_restarts: tuple[datetime, ...] = ()  # see `CdcContract`

    @property
    def relation(self) -> str:
        """What the table of its rows is called in raw_cdc."""
        return stored_table(self.product, self.name)

    @property
    def current(self) -> sql.Identifier:
        return sql.Identifier("raw_cdc", self.relation)

    @property
    def closed(self) -> sql.Identifier:
        """Versions that ended; and, as a version of no length, the instant a key was deleted."""
        return sql.Identifier("raw_cdc", f"{self.relation}_closed")

    @property
    def history(self) -> sql.Identifier:
        return sql.Identifier("raw_cdc", f"{self.relation}_history")

    def typed_columns(self) -> dict[str, str]:
        """Column → type, the contract's first, then the ids every table has."""
        declared = {stored_column(n): column.type for n, column in self.table.columns.items()}
        return {**declared, TENANT_ID: "uuid", USER_ID: "uuid"}

    def fingerprint(self) -> str:
        """Changes when the table must be decoded, typed or ordered in another way."""
        own = self.table.fingerprint()
        if not self.log_restarts:
            return own
        restarts = ",".join(moment.isoformat() for moment in self.log_restarts)
        return hashlib.sha256(f"{own} {restarts}".encode()).hexdigest()[:32]


def targets_of(contract: CdcContract) -> list[FoldTarget]:
    """The declared tables of a contract."""
    return [target_of(contract, name) for name in contract.tables]


def target_of(contract: CdcContract, name: str) -> FoldTarget:
    return FoldTarget(contract.product, name, contract.tables[name], contract.log_restarts)


def text(statement: str) -> sql.SQL:
    """A piece of SQL put together here, from checked names and types only."""
    return sql.SQL(cast(LiteralString, statement))


def names(columns: Iterable[str], alias: str = "") -> sql.Composable:
    """`a, b, c` or `x.a, x.b, x.c`, quoted."""
    parts = [sql.Identifier(alias, c) if alias else sql.Identifier(c) for c in columns]
    return sql.SQL(", ").join(parts)


def definitions(columns: dict[str, str]) -> sql.Composable:
    """`a integer, b text`, quoted; the types passed the contract's check."""
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(n), text(t)) for n, t in columns.items()
    )


def outdated(conn: psycopg.Connection[Any], contracts: Iterable[CdcContract]) -> list[FoldTarget]:
    """Declared tables that were never made, or were folded by another contract."""
    known = {
        (product, name): fingerprint
        for product, name, fingerprint in conn.execute(
            "select product, table_name, fingerprint from raw_cdc.folded_tables"
        )
    }
    targets = [target for contract in contracts for target in targets_of(contract)]
    return [t for t in targets if known.get((t.product, t.name)) != t.fingerprint()]


def create_all(conn: psycopg.Connection[Any], contracts: Iterable[CdcContract]) -> None:
    """Make the tables of all contracts, so that models find them before the first record. A table
    that was filled by a contract that changed since is left as it is to the next load (`redecode`):
    its readers see the old columns with their values, then the new ones with theirs."""
    for target in outdated(conn, contracts):
        is_filled = has_changes(conn, target)
        if not (is_filled and is_made(conn, target)):
            create(conn, target)
        if not is_filled:
            remember(conn, target)


def is_made(conn: psycopg.Connection[Any], target: FoldTarget) -> bool:
    """Whether the typed tables are there, by whatever contract."""
    row = conn.execute("select to_regclass(%s)", [target.current.as_string(conn)]).fetchone()
    return row != (None,)


def has_changes(conn: psycopg.Connection[Any], target: FoldTarget) -> bool:
    """Whether changes of the table are stored, perhaps from before it was declared."""
    row = conn.execute(
        "select exists (select from raw_cdc.changes where product = %s and table_name = %s)",
        [target.product, target.name],
    ).fetchone()
    return bool(row and row[0])


def remember(conn: psycopg.Connection[Any], target: FoldTarget) -> None:
    """The tables and the stored changes now have the form of this contract."""
    types = {stored_column(n): form_of(column) for n, column in target.table.columns.items()}
    conn.execute(
        "insert into raw_cdc.folded_tables (product, table_name, fingerprint, column_types)"
        " values (%s, %s, %s, %s) on conflict (product, table_name) do update"
        " set fingerprint = excluded.fingerprint, column_types = excluded.column_types",
        [target.product, target.name, target.fingerprint(), Jsonb(types)],
    )


def form_of(column: Column) -> str:
    """The form that decoded values of a column have been given."""
    return f"{column.type} encoding {column.encoding}" if column.encoding else column.type


def create(conn: psycopg.Connection[Any], target: FoldTarget) -> None:
    """Create what is missing and alter what differs. A column that left the contract stays."""
    columns = {**target.typed_columns(), **SYSTEM_COLUMNS}
    closing = {"_valid_to": "timestamptz not null", "_is_deleted": "boolean not null"}
    for relation, wanted in ((target.current, columns), (target.closed, {**columns, **closing})):
        conn.execute(
            sql.SQL("create table if not exists {} ({})").format(relation, definitions(wanted))
        )
        _alter(conn, relation, target.typed_columns())
    short = target.relation
    conn.execute(
        sql.SQL("create unique index if not exists {} on {} (_key)").format(
            sql.Identifier(f"{short}_key"), target.current
        )
    )
    conn.execute(
        sql.SQL("create index if not exists {} on {} (_key)").format(
            sql.Identifier(f"{short}_closed_key"), target.closed
        )
    )
    conn.execute(sql.SQL("drop view if exists {} cascade").format(target.history))
    listed = names([*target.typed_columns(), *SYSTEM_COLUMNS])
    conn.execute(
        sql.SQL(
            """
            create view {history} as
            select
                {columns},
                _valid_from as valid_from,
                valid_to,
                valid_to is null as is_current,
                is_deleted,
                row_number() over (partition by _key order by _valid_from) as version_number
            from (
                select {columns}, _valid_to as valid_to, _is_deleted as is_deleted from {closed}
                where _valid_to > _valid_from
                union all
                select {columns}, null, false from {current}
            ) as versions
            """
        ).format(
            history=target.history, columns=listed, closed=target.closed, current=target.current
        )
    )


def _alter(conn: psycopg.Connection[Any], relation: sql.Identifier, wanted: dict[str, str]) -> None:
    """Columns the contract gained are added. One whose type changed is made anew, empty until the
    rebuild fills it; models on it are dropped and come back with the next build."""
    with conn.transaction():
        conn.execute(sql.SQL("create temp table wanted_types ({})").format(definitions(wanted)))
        required = _column_types(conn, "wanted_types")
        conn.execute("drop table wanted_types")
    existing = _column_types(conn, relation.as_string(conn))
    for name, kind in wanted.items():
        if existing.get(name) == required[name]:
            continue
        if name in existing:
            conn.execute(
                sql.SQL("alter table {} drop column {} cascade").format(
                    relation, sql.Identifier(name)
                )
            )
        conn.execute(
            sql.SQL("alter table {} add column {}").format(relation, definitions({name: kind}))
        )


def _column_types(conn: psycopg.Connection[Any], relation: str) -> dict[str, str]:
    return dict(
        conn.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            [relation],
        ).fetchall()
    )
