"""All dbt models as assets: one dbt step for the warehouse, one for what predictions feed."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets
from google.protobuf.json_format import MessageToDict

from app import building, guard
from orchestration.dbt_events import asset_events
from orchestration.dbt_project import manifest, translator
from orchestration.warehouse import WarehouseResource
from tallyhouse import dbt as launcher
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


@dg.definitions
def models() -> dg.Definitions:
    """Return the two dbt steps; the second reads what training wrote."""

    @dbt_assets(
        manifest=manifest(),
        name="build_warehouse",
        exclude=building.PREDICTIONS,
        dagster_dbt_translator=translator(),
    )
    def build_warehouse(
        context: dg.AssetExecutionContext, house: WarehouseResource, dbt: DbtCliResource
    ) -> Iterator[Any]:
        yield from _build(context, house, dbt, predictions=False)

    @dbt_assets(
        manifest=manifest(),
        name="build_predictions",
        select=building.PREDICTIONS,
        dagster_dbt_translator=translator(),
    )
    def build_predictions(
        context: dg.AssetExecutionContext, house: WarehouseResource, dbt: DbtCliResource
    ) -> Iterator[Any]:
        yield from _build(context, house, dbt, predictions=True)

    root = str(Settings.from_env().root)
    resource = DbtCliResource(
        project_dir=root, profiles_dir=root, dbt_executable=launcher.executable()
    )
    return dg.Definitions(assets=[build_warehouse, build_predictions], resources={"dbt": resource})


def _build(
    context: dg.AssetExecutionContext,
    house: WarehouseResource,
    dbt: DbtCliResource,
    *,
    predictions: bool,
) -> Iterator[Any]:
    """Build what is due of the step, as `tallyhouse run` does; assets picked by hand as they are."""
    with house.at_work(context) as warehouse:
        if context.is_subset:
            yield from dbt.cli(["build"], context=context).stream()
            return
        if not predictions and guard.is_due(warehouse):
            guard.check(house.settings, warehouse)
        told: list[Any] = []
        try:
            built = building.build_due(
                house.settings, warehouse, predictions=predictions, on_event=told.append
            )
        finally:
            for event in told:
                raw = MessageToDict(event, preserving_proto_field_name=True)
                yield from asset_events(raw, warehouse, context)
        context.log.info(built.sentence)
        if built.left_out:
            context.log.info("Left out: " + ", ".join(sorted(built.left_out)))
        if built.warnings:
            raise TallyhouseError("\n".join(built.warnings))
