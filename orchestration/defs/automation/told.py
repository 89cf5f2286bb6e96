"""Runs of the command line, taken over into Dagster's history.

`tallyhouse run` and `make run` leave what they did in files (`app.told`); here it becomes
materializations and check results, so that the UI shows what is built and when, whoever built it.
"""

import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

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
SECONDS = 15.0  # of a tick, which Dagster gives up after a minute


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
    """Take over one run, or as much of it as fits into a tick; nothing is told twice.

    The cursor is the last file that is done, or a file and the line from which on it is not. A file goes when the
    cursor is past it.
    """
    name, _, begun = (context.cursor or "").partition(" ")
    files = told.waiting(Settings.from_env())
    for file in files:
        if file.name < name or (file.name == name and not begun):
            file.unlink(missing_ok=True)
    fresh = [file for file in files if file.name > name or (file.name == name and begun)]
    if not fresh:
        return dg.SkipReason("The command line has built nothing since.")
    file = fresh[0]
    first = int(begun) if file.name == name else 0
    events, end = events_of(file, house, first)
    return dg.SensorResult(
        asset_events=events, cursor=file.name if end is None else f"{file.name} {end}"
    )


def events_of(file: Path, house: WarehouseResource, first: int) -> tuple[list[Told], int | None]:
    """What a run did from line `first` on, as Dagster's events without a run, and where it was left off."""
    events: list[Told] = []
    started = time.monotonic()
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(islice(lines, first, None), first):
            if number > first and time.monotonic() - started > SECONDS:
                return events, number
            events += _events_of_line(json.loads(line), house)
    return events, None


def _events_of_line(line: dict[str, Any], house: WarehouseResource) -> Iterator[Told]:
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
