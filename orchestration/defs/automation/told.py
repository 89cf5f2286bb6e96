"""Runs of the command line, taken over into Dagster's history.

`tallyhouse run` and `make run` leave what they did in files (`app.told`); here it becomes
materializations and check results, so that the UI shows what is built and when, whoever built it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from app import told
from ml.discovery import find_specs
from orchestration.dbt_events import asset_events
from orchestration.dbt_project import landed_sources, relation_name
from orchestration.defs.ingestion.landing import counts_since
from orchestration.defs.training.models import TABLES
from orchestration.warehouse import WarehouseResource
from tallyhouse.settings import Settings

Told = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


@dg.definitions
def command_line() -> dg.Definitions:
    """Return the sensor that reads what runs of the command line left."""
    return dg.Definitions(sensors=[runs_of_the_command_line])


@dg.sensor(
    name="runs_of_the_command_line",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Shows what `tallyhouse run` loaded, built and tested as if Dagster had done it.",
)
def runs_of_the_command_line(
    context: dg.SensorEvaluationContext, house: WarehouseResource
) -> dg.SensorResult | dg.SkipReason:
    """Take over one run at a time. A file goes when the cursor is past it: nothing is told twice."""
    done = context.cursor or ""
    files = told.waiting(Settings.from_env())
    for file in files:
        if file.name <= done:
            file.unlink(missing_ok=True)
    fresh = [file for file in files if file.name > done]
    if not fresh:
        return dg.SkipReason("The command line has built nothing since.")
    return dg.SensorResult(asset_events=list(events_of(fresh[0], house)), cursor=fresh[0].name)


def events_of(file: Path, house: WarehouseResource) -> Iterator[Told]:
    """Yield what a run did, as Dagster's events without a run."""
    with file.open(encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if told.LOADED in line:
                yield from _landed(house, line[told.LOADED])
            elif told.LEARNED in line:
                yield from _learned(line[told.LEARNED])
            else:
                yield from asset_events(line, house.warehouse)


def _landed(house: WarehouseResource, load_id: int) -> Iterator[dg.AssetMaterialization]:
    counts = counts_since(house.warehouse, load_id)
    if not counts:
        return
    for source in landed_sources():
        figures = counts.get(source["schema"].removeprefix("raw_"), {})
        key = [source["schema"], relation_name(source)]
        yield dg.AssetMaterialization(asset_key=key, metadata=figures)
    yield dg.AssetMaterialization(asset_key=["ops", "load_manifest"])


def _learned(sentences: list[str]) -> Iterator[dg.AssetMaterialization]:
    for spec in find_specs():
        said = [text for text in sentences if text.startswith((f"{spec.name} ", f"{spec.name}:"))]
        if any("left out" not in text for text in said):
            metadata = {"report": "\n".join(said)}
            yield dg.AssetMaterialization(asset_key=["ml", spec.name], metadata=metadata)
    for table in TABLES:
        yield dg.AssetMaterialization(asset_key=["ml", table])
