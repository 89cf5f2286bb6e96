"""Whether the last load could read every file, as an asset check of the ledger."""

from collections.abc import Iterator, Sequence

import dagster as dg

from app import run_log
from orchestration.defs.ingestion.landing import LEDGER
from orchestration.verdict import fails_the_run
from orchestration.warehouse import WarehouseResource

CHECK = "every_file_is_read"


@dg.multi_asset_check(
    name=CHECK,
    specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=LEDGER,
            description="The last load could read every file, and of each source that sent something "
            "at least a record was stored.",
        )
    ],
)
def every_file_is_read(house: WarehouseResource) -> Iterator[dg.AssetCheckResult]:
    """Say what could not be read; it fails the run and keeps nothing else from being built."""
    with house.warehouse.connect() as connection:
        last = run_log.last(connection, "load")
    unreadable = last["details"].get("unreadable", []) if last else []
    yield from fails_the_run(result(unreadable))


def result(unreadable: Sequence[str]) -> dg.AssetCheckResult:
    """What a load could not read."""
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=LEDGER,
        passed=not unreadable,
        description="\n".join(unreadable) or "Every file was read.",
        metadata={"sentences": len(unreadable)},
    )
