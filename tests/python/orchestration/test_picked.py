"""An asset picked by hand in Dagster is built as it is, and its materialization says what any other's does."""

import dagster as dg
import pytest

from orchestration.defs.transformation.models import models
from orchestration.warehouse import WarehouseResource
from tallyhouse.database import Warehouse

pytestmark = pytest.mark.slow


def test_an_asset_picked_by_hand_has_its_rows_and_the_origin_of_its_columns(
    warehouse: Warehouse,
) -> None:
    defs = models()
    days, holidays = (
        dg.AssetKey(["core", "dim_date"]),
        dg.AssetKey(["reference", "public_holidays"]),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            list(defs.assets or ()),
            resources={**(defs.resources or {}), "house": WarehouseResource()},
            selection=[days, holidays],
            instance=instance,
        )
    said = {
        event.asset_key: event.materialization.metadata
        for event in done.get_asset_materialization_events()
    }
    assert set(said) == {days, holidays}
    with warehouse.connect() as connection:
        for key, metadata in said.items():
            held = connection.execute(f"select count(*) from {'.'.join(key.path)}").fetchone()
            assert held is not None
            assert held[0] > 10
            assert metadata["dagster/row_count"].value == held[0]
            assert metadata["Execution Duration"].value > 0
    columns = said[days]["dagster/column_lineage"].value.deps_by_column
    assert {dep.asset_key for dep in columns["holiday_name_za"]} == {holidays}
