"""Landing files → raw tables: one load, one asset per raw table."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
from psycopg.rows import dict_row

from app import build_ledger, landing_folder, pipeline
from orchestration.dbt_project import landed_sources, relation_name
from orchestration.warehouse import WarehouseResource
from tallyhouse.database import Warehouse

COUNTS = ("record_count", "stored_count", "duplicate_count", "rejected_count", "ignored_count")

LEDGER = dg.AssetKey(["ops", "load_manifest"])
NEWEST = "newest load"  # of those that stand in Dagster's history, said beside each materialization
OWNERS = ["team:Data engineering"]
LOADED_HOURLY = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=2), fail_window=timedelta(hours=6)
)


@dg.definitions
def landing() -> dg.Definitions:
    """Return the loading step: it fills every raw table that staging reads."""
    specs = [
        dg.AssetSpec(
            key=[source["schema"], relation_name(source)],
            group_name=source["schema"],
            description=source["description"] or source["source_description"],
            kinds={"python", "postgres"},
            owners=OWNERS,
        )
        for source in landed_sources()
    ]
    ledger = dg.AssetSpec(
        key=LEDGER,
        group_name="ops",
        description="The ledger: one row per file content that was read, and what came of it.",
        kinds={"python", "postgres"},
        owners=OWNERS,
        freshness_policy=LOADED_HOURLY,
    )

    @dg.multi_asset(name="load_landing_files", specs=[*specs, ledger])
    def load_landing_files(
        context: dg.AssetExecutionContext, house: WarehouseResource
    ) -> Iterator[dg.MaterializeResult]:
        """Load what is new in the landing folder; files already in the ledger cost their hash.

        What could be read is loaded, and what reads it is built; what could not be read fails a check
        of the ledger (`defs.quality.read`), and with it the run.
        """
        with house.at_work(context) as warehouse:
            landing_folder.claim(house.settings, warehouse)
            with warehouse.connect() as connection:
                before = newest_told(context.instance, build_ledger.newest_load(connection))
            report = pipeline.load(house.settings, warehouse)
            with warehouse.connect() as connection:
                newest = build_ledger.newest_load(connection)
            counts = counts_since(warehouse, before)
        for sentence in report.notes:
            context.log.info(sentence)
        for sentence in report.passed_over:
            context.log.warning(sentence)
        for sentence in report.failures:
            context.log.error(sentence)
        for spec in specs:
            kind = spec.key.path[0].removeprefix("raw_")
            yield dg.MaterializeResult(asset_key=spec.key, metadata=counts.get(kind, {}))
        yield dg.MaterializeResult(asset_key=ledger.key, metadata={NEWEST: newest})

    assets = dg.with_source_code_references([load_landing_files])
    return dg.Definitions(assets=assets, resources={"house": WarehouseResource()})


def newest_told(instance: dg.DagsterInstance, otherwise: int) -> int:
    """The newest load that stands in Dagster's history: 0 where none does, `otherwise` where it is not said."""
    last = instance.get_latest_materialization_event(LEDGER)
    if last is None or last.asset_materialization is None:
        return 0
    said = last.asset_materialization.metadata.get(NEWEST)
    return int(str(said.value)) if said is not None else otherwise


def counts_since(warehouse: Warehouse, load_id: int) -> dict[str, dict[str, int]]:
    """Return source kind → {files, records by outcome} of the loads after `load_id`."""
    sums = ", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)
    with warehouse.connect(row_factory=dict_row) as connection:
        rows = connection.execute(
            f"select source_kind, count(*) as files, {sums} from ops.load_manifest"
            " where load_id > %s group by source_kind",
            [load_id],
        ).fetchall()
    return {row.pop("source_kind"): row for row in rows}
