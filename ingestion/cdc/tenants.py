"""Which table of a product's database says the time zones of its tenants.

Belongs here: finding it by the contract's marks. Does not belong here: writing the zones down
(`storing.tenant_statements`).
"""

from collections.abc import Iterable
from typing import NamedTuple

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.names import stored_column
from ingestion.cdc.scd.tables import FoldTarget, target_of

ZONE = "timezone"  # what the column is called in staging


class ZoneColumn(NamedTuple):
    """Where a product's database keeps its tenants' time zones."""

    target: FoldTarget
    column: str


def zone_columns(contracts: Iterable[CdcContract]) -> list[ZoneColumn]:
    """The column of each table that is marked `is_tenant_table` which is called `timezone`, or
    `staged_as` that."""
    return [
        ZoneColumn(target_of(contract, name), stored_column(column))
        for contract in contracts
        for name, table in contract.tables.items()
        if table.is_tenant_table
        for column, declared in table.columns.items()
        if (declared.staged_as or column) == ZONE
    ]
