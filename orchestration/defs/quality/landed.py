"""Great Expectations on what was landed, as asset checks of the raw tables."""

from collections.abc import Iterator

import dagster as dg

from ingestion.quality import check_new
from ingestion.quality.check import load_suites
from orchestration.dbt_project import landed_sources, relation_name
from orchestration.warehouse import WarehouseResource


@dg.definitions
def landed() -> dg.Definitions:
    """Return one check per landed table that has a suite and is an asset here."""
    assets = {f"{s['schema']}.{relation_name(s)}" for s in landed_sources()}
    tables = tuple(sorted(table for table in load_suites() if table in assets))

    @dg.multi_asset_check(
        name="expectations_on_landed_tables",
        specs=[dg.AssetCheckSpec("great_expectations", asset=t.split(".")) for t in tables],
    )
    def expectations_on_landed_tables(house: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
        """Validate every landed table and write Data Docs under the home's `data_docs`."""
        docs = house.settings.home / "data_docs"
        warehouse = house.warehouse
        for outcome in check_new(warehouse.connect, warehouse.url, docs, tables):
            yield dg.AssetCheckResult(
                check_name="great_expectations",
                asset_key=outcome.table.split("."),
                passed=outcome.success,
                metadata={
                    "expectations": outcome.expectations,
                    "does not fit": "\n".join(outcome.failures) or "nothing",
                    "data docs": dg.MetadataValue.path(str(outcome.page)),
                },
            )

    return dg.Definitions(asset_checks=[expectations_on_landed_tables])
