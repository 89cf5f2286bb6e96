"""The nightly clean-up: what is past its time goes, once the night's build has counted it.

Belongs here: the asset, its job and its hour. Does not belong here: what goes (`app.retaining`).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from app import retaining
from ingestion.retention.log import DELETED, DROPPED, EMPTIED, HELD
from orchestration.warehouse import WarehouseResource
from tallyhouse.progress import Reporter

RETENTION_LOG = dg.AssetKey(["ops", "retention_log"])
RETAIN_JOB = "retain"


@dg.definitions
def retention() -> dg.Definitions:
    """Return the clean-up as an asset (the log that it writes) and its hour, two after the night's run begins."""

    @dg.asset(
        key=RETENTION_LOG,
        group_name="ops",
        description="The log of what went by its retention, as `tallyhouse retain` lets it go: raw events, rows of "
        "`core.fact_events`, refused records, notes of runs. What a legal hold keeps is named in it.",
        kinds={"python", "postgres"},
        owners=["team:Data governance"],
    )
    def retain(
        context: dg.AssetExecutionContext, house: WarehouseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        with house.at_work(context) as warehouse:
            cleanup = retaining.retain(house.settings, warehouse, Reporter(quiet=True))
        for sentence in cleanup.sentences():
            context.log.info(sentence)
        counts = {how: cleanup.count(how) for how in (DROPPED, DELETED, EMPTIED, HELD)}
        yield dg.MaterializeResult(metadata=counts)

    job = dg.define_asset_job(
        RETAIN_JOB,
        selection=dg.AssetSelection.assets(RETENTION_LOG),
        description="Let go what is past its time, as `tallyhouse retain`.",
    )
    schedule = dg.ScheduleDefinition(
        name="nightly_retention",
        job=job,
        cron_schedule="0 4 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(
        assets=dg.with_source_code_references([retain]), jobs=[job], schedules=[schedule]
    )
