"""Where sources and contracts differ, as an asset check that warns."""

import dagster as dg

from ingestion.quality import drift, told
from orchestration.warehouse import WarehouseResource


@dg.asset_check(asset=["ops", "load_manifest"])
def open_drift(house: WarehouseResource) -> dg.AssetCheckResult:
    """What sources sent that their contracts do not say, and that no contract has answered since.

    Nothing is lost by it; each line says since when, in which records, and the way out.
    """
    found = drift(house.warehouse.connect)
    return dg.AssetCheckResult(
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(told(found)) or "Sources and contracts agree.",
        metadata={
            "open": len(found),
            "records": sum(item.difference.records for item in found),
        },
    )
