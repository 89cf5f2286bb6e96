"""The ledger of loads held against the files' records and the tables' rows, as an asset check."""

from collections.abc import Iterator

import dagster as dg

from app import pipeline
from ingestion.quality import Reconciliation
from orchestration.defs.automation.jobs import NIGHTLY_JOB
from orchestration.defs.ingestion.landing import LEDGER
from orchestration.verdict import fails_the_run
from orchestration.warehouse import WarehouseResource

CHECK = "source_reconciliation"


@dg.multi_asset_check(
    name=CHECK,
    specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=LEDGER,
            description="Per source and day: records in files = stored + duplicates + rejected + ignored, "
            "and what was stored is there. Counts the loads since the last time that all was well; the "
            "nightly job counts all of them.",
        )
    ],
)
def source_reconciliation(
    context: dg.AssetCheckExecutionContext, house: WarehouseResource
) -> Iterator[dg.AssetCheckResult]:
    """Count; what does not add up fails the run, as it does on the command line."""
    found = pipeline.reconcile(house.warehouse, everything=context.run.job_name == NIGHTLY_JOB)
    yield from fails_the_run(result(found))


def result(found: Reconciliation) -> dg.AssetCheckResult:
    """What was counted."""
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=LEDGER,
        passed=not found.differences,
        description=found.sentence,
        metadata={"loads counted": found.loads, "rows counted": found.rows},
    )
