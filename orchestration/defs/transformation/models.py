"""All dbt models as assets: one dbt step for the warehouse, one for what predictions feed."""

from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster_dbt import DbtCliResource, dbt_assets
from google.protobuf.json_format import MessageToDict

from app import building, guard
from orchestration.dbt_events import asset_events
from orchestration.dbt_project import manifest, translator
from orchestration.warehouse import WarehouseResource
from tallyhouse import dbt as launcher
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings

LAST = "build_predictions"  # no step depends on it


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
        name=LAST,
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
    """Build what is due of the step, as `tallyhouse run` does; assets picked by hand as they are.

    A broken landed table keeps nothing else from being built or learned: it fails the run in its last
    step, which is this one if nothing that predictions feed is built after it.
    """
    with house.at_work(context) as warehouse:
        if context.is_subset:
            picked = dbt.cli(["build"], context=context)
            for event in picked.stream_raw_events():
                yield from asset_events(event.raw_event, warehouse, context, picked.target_path)
            return
        if not predictions and guard.is_due(warehouse):
            guard.check(house.settings, warehouse)
        told: list[Any] = []
        try:
            built = building.build_due(
                house.settings, warehouse, predictions=predictions, on_event=told.append
            )
        except BaseException:
            yield from _said(told, context, warehouse)
            raise
        yield from _beside_what_is_as_it_was(_said(told, context, warehouse), context)
        context.log.info(built.sentence)
        if built.left_out:
            context.log.info("Left out: " + ", ".join(sorted(built.left_out)))
        for sentence in built.warnings:
            context.log.error(sentence)
        is_last = all(node.name != LAST for node in context.job_def.nodes)
        if built.warnings and (predictions or is_last):
            raise TallyhouseError("\n".join(built.warnings))


def _said(
    told: list[Any], context: dg.AssetExecutionContext, warehouse: Warehouse
) -> Iterator[Any]:
    for event in told:
        raw = MessageToDict(event, preserving_proto_field_name=True)
        yield from asset_events(raw, warehouse, context)


def _beside_what_is_as_it_was(
    said: Iterator[Any], context: dg.AssetExecutionContext
) -> Iterator[Any]:
    """All that is said, parents first, with an output for what was not built, which materializes nothing.

    Without it Dagster would skip every step that reads something that was not built. An output is a
    materialization, except where it bears the mark of observed sources.
    """
    outputs, others = {}, []
    for event in said:
        if isinstance(event, dg.Output):
            outputs[event.output_name] = event
        else:
            others.append(event)
    parents = context.assets_def.asset_deps
    for key in TopologicalSorter(parents).static_order():
        name = key.to_python_identifier()
        if name in outputs:
            yield outputs[name]
        elif key in context.selected_asset_keys:
            unchanged = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
            yield dg.Output(None, output_name=name, metadata=unchanged)
    yield from others
