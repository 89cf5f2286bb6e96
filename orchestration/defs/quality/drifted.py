"""Where sources and contracts differ, as an asset check that warns."""

import dagster as dg

from ingestion.quality import drift, told
from orchestration.defs.ingestion.landing import LEDGER
from orchestration.warehouse import WarehouseResource
from tallyhouse.database import Warehouse

CHECK = "open_drift"


@dg.asset_check(asset=LEDGER, name=CHECK)
def open_drift(house: WarehouseResource) -> dg.AssetCheckResult:
    """What sources sent that their contracts do not say, and that no contract has answered since.

    Nothing is lost by it; each line says since when, in which records, and the way out.
    """
    return result(house.warehouse)


def result(warehouse: Warehouse) -> dg.AssetCheckResult:
    """What is open now."""
    found = drift(warehouse.connect)
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=LEDGER,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(told(found)) or "Sources and contracts agree.",
        metadata={
            "open": len(found),
            "records": sum(item.difference.records for item in found),
        },
    )
