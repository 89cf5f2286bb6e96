"""Great Expectations on what was landed, as asset checks of the raw tables.

A build asks the same suites before it begins (`app.guard`). Belongs here: which asset a suite's
outcome is shown on. Does not belong here: checking.
"""

from collections.abc import Iterator
from functools import cache

import dagster as dg

from app import guard
from ingestion.quality import LandedCheck
from ingestion.quality.check import load_suites
from orchestration.dbt_project import landed_sources, relation_name
from orchestration.warehouse import WarehouseResource

CHECK = "great_expectations"


@dg.definitions
def landed() -> dg.Definitions:
    """Return one check per asset whose rows a suite looks at."""

    @dg.multi_asset_check(
        name="expectations_on_landed_tables",
        specs=[
            dg.AssetCheckSpec(CHECK, asset=list(key), description=f"The suite of {table} holds.")
            for table, keys in shown().items()
            for key in keys
        ],
    )
    def expectations_on_landed_tables(house: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
        """Validate every landed table and write Data Docs under the home's `data_docs`."""
        for outcome in guard.check(house.settings, house.warehouse):
            yield from results(outcome)

    return dg.Definitions(asset_checks=[expectations_on_landed_tables])


@cache
def shown() -> dict[str, list[tuple[str, str]]]:
    """Landed table → the assets that its suite speaks for; that of a source's changes for all its tables."""
    assets = {(s["schema"], relation_name(s)) for s in landed_sources()} | {
        ("ops", "load_manifest")
    }
    return {
        table: [(s, n) for s, n in sorted(assets) if table in (f"{s}.{n}", f"{s}.changes")]
        for table in load_suites()
    }


def results(outcome: LandedCheck) -> Iterator[dg.AssetCheckResult]:
    """What came of a suite, on each asset that it speaks for."""
    for key in shown().get(outcome.table, []):
        yield dg.AssetCheckResult(
            check_name=CHECK,
            asset_key=list(key),
            passed=outcome.success,
            metadata={
                "expectations": outcome.expectations,
                "does not fit": "\n".join(outcome.failures) or "nothing",
                "data docs": dg.MetadataValue.path(str(outcome.page)),
            },
        )
