"""Days rebuilt on demand: a partition is a day, a backfill of days one run of dbt.

A run of Dagster either has days or it has none, and the hourly and nightly runs have none: they build
what is due, of any day. So the days are one asset of their own, and the tables that it rebuilds are
reported beside it. Belongs here: that asset. Does not belong here: how tables are rebuilt by days
(`app.building`, docs/incremental.md).
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
from google.protobuf.json_format import MessageToDict

from app import building
from orchestration.dbt_events import asset_events
from orchestration.warehouse import WarehouseResource

# Days are tenants' own: far enough in the east it is tomorrow already. Older days: `tallyhouse build --days`.
DAYS = dg.DailyPartitionsDefinition(start_date="2015-01-01", end_offset=2)
REBUILT_DAYS = dg.AssetKey(["ops", "rebuilt_days"])


class Chosen(dg.Config):
    """What is rebuilt of these days: all, or what dbt's selection syntax names, e.g. `+fulfilment`."""

    select: str | None = None


@dg.definitions
def days() -> dg.Definitions:
    """Return the asset whose materialization rebuilds its days in every table that is kept by days."""

    @dg.asset(
        key=REBUILT_DAYS,
        group_name="ops",
        description="Materialize days to rebuild them in all tables that are kept by days, and what "
        "depends on these, as `tallyhouse build --days A..B` does. The rows come out as they were, "
        "unless somebody had spoilt them. No run needs it.",
        kinds={"dbt", "postgres"},
        owners=["team:Data engineering"],
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def rebuild_days(
        context: dg.AssetExecutionContext, config: Chosen, house: WarehouseResource
    ) -> Iterator[dg.MaterializeResult[Any]]:
        asked = context.partition_key_range
        told: list[Any] = []
        with house.at_work(context) as warehouse:
            try:
                built = building.build(
                    house.settings,
                    warehouse,
                    select=config.select,
                    days=(date.fromisoformat(asked.start), date.fromisoformat(asked.end)),
                    on_event=told.append,
                )
            finally:
                for event in told:
                    raw = MessageToDict(event, preserving_proto_field_name=True)
                    for said in asset_events(raw, warehouse):
                        context.log_event(said)
        yield dg.MaterializeResult(metadata={"tables built": len(built.built)})

    return dg.Definitions(assets=dg.with_source_code_references([rebuild_days]))
