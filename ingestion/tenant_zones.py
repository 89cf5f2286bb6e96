"""What contracts and databases say of tenants' time zones, written down after a load (rule 68).

Belongs here: putting the two together. Does not belong here: which table says it (`cdc.tenants`), the
statements (`storing.tenant_statements`).
"""

import psycopg

from ingestion.cdc.contract import cdc_contracts
from ingestion.cdc.names import TENANT_ID
from ingestion.cdc.scd.tables import is_made
from ingestion.cdc.tenants import zone_columns
from ingestion.contracts.model import Contracts
from ingestion.storing.tenant_statements import (
    publish_contract_zones,
    publish_database_zones,
    unknown_zones,
)


def publish_zones(conn: psycopg.Connection, contracts: Contracts) -> list[str]:
    """Bring ops.tenant_statements to what is said today; sentences about what cannot be taken."""
    for target, column in zone_columns(cdc_contracts(contracts).values()):
        if is_made(conn, target):
            publish_database_zones(conn, target.product, target.current, TENANT_ID, column)
    return [*publish_contract_zones(conn, contracts.events.values()), *unknown_zones(conn)]
