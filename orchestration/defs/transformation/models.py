"""All dbt models as assets: one dbt step for the warehouse, one for what predictions feed."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from app import pipeline
from orchestration.dbt_project import FolderTranslator, manifest
from orchestration.warehouse import WarehouseResource
from tallyhouse import dbt as launcher
from tallyhouse.settings import Settings


@dg.definitions
def models() -> dg.Definitions:
    """Return the two dbt steps; the second reads what training wrote."""
    translator = FolderTranslator()

    @dbt_assets(
        manifest=manifest(),
        name="build_warehouse",
        exclude=pipeline.PREDICTIONS,
        dagster_dbt_translator=translator,
    )
    def build_warehouse(
        context: dg.AssetExecutionContext, house: WarehouseResource, dbt: DbtCliResource
    ) -> Iterator[Any]:
        yield from _build(context, house, dbt)

    @dbt_assets(
        manifest=manifest(),
        name="build_predictions",
        select=pipeline.PREDICTIONS,
        dagster_dbt_translator=translator,
    )
    def build_predictions(
        context: dg.AssetExecutionContext, house: WarehouseResource, dbt: DbtCliResource
    ) -> Iterator[Any]:
        yield from _build(context, house, dbt)

    root = str(Settings.from_env().root)
    resource = DbtCliResource(
        project_dir=root, profiles_dir=root, dbt_executable=launcher.executable()
    )
    return dg.Definitions(assets=[build_warehouse, build_predictions], resources={"dbt": resource})


def _build(
    context: dg.AssetExecutionContext, house: WarehouseResource, dbt: DbtCliResource
) -> Iterator[Any]:
    """Run one `dbt build` of the selected models with their tests."""
    with house.at_work(context):
        yield from dbt.cli(["build"], context=context).stream()
