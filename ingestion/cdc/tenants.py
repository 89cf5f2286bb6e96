"""Which table of a product's database says the time zones of its tenants.

Belongs here: finding it by the contract's marks. Does not belong here: writing the zones down
(`storing.tenant_statements`).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.names import stored_column
from ingestion.cdc.scd.tables import FoldTarget

ZONE = "timezone"  # what the column is called in staging


class ZoneColumn(NamedTuple):
    """Where a product's database keeps its tenants' time zones."""

    product: str
    table: sql.Identifier
    column: str


def zone_columns(contracts: Iterable[CdcContract]) -> list[ZoneColumn]:
    """The column of each table that is marked `is_tenant_table` which is called `timezone`, or
    `staged_as` that."""
    return [
        ZoneColumn(
            contract.product,
            FoldTarget(contract.product, name, table).current,
            stored_column(column),
        )
        for contract in contracts
        for name, table in contract.tables.items()
        if table.is_tenant_table
        for column, declared in table.columns.items()
        if (declared.staged_as or column) == ZONE
    ]


def is_there(conn: psycopg.Connection[Any], table: sql.Identifier) -> bool:
    """Whether a table was made yet."""
    row = conn.execute("select to_regclass(%s)", (table.as_string(conn),)).fetchone()
    return row is not None and row[0] is not None
