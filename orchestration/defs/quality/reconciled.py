"""The ledger of loads held against the files' records and the tables' rows, as an asset check."""

import dagster as dg

from app import pipeline
from orchestration.defs.automation.jobs import NIGHTLY_JOB
from orchestration.warehouse import WarehouseResource


@dg.asset_check(asset=["ops", "load_manifest"])
def source_reconciliation(
    context: dg.AssetCheckExecutionContext, house: WarehouseResource
) -> dg.AssetCheckResult:
    """Per source and day: records in files = stored + duplicates + rejected + ignored, and what
    was stored is there.

    Counts the loads since the last time that all was well; the nightly job counts all of them.
    """
    found = pipeline.reconcile(house.warehouse, everything=context.run.job_name == NIGHTLY_JOB)
    return dg.AssetCheckResult(
        passed=not found.differences,
        description=found.sentence,
        metadata={"loads counted": found.loads, "rows counted": found.rows},
    )
