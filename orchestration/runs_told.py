"""Runs of the command line, taken over into Dagster's history.

`tallyhouse run` and `make run` leave what they did in files (`app.told`); here it becomes
materializations and check results, so that the UI shows what is built and when, whoever built it.
There is one way, `take_over`, and two who go it: a sensor while Dagster runs
(`defs.automation.told`), and `tallyhouse dev` before it opens the UI, which starts this module
as a program, because it alone knows Dagster.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from app import build_ledger, told
from ingestion.quality import LandedCheck, Reconciliation
from ml.discovery import find_specs
from orchestration.dbt_events import asset_events, is_known
from orchestration.dbt_project import is_outdated, landed_sources, read_at, relation_name
from orchestration.defs.ingestion.landing import LEDGER, NEWEST, counts_since, newest_told
from orchestration.defs.quality import drifted, landed, read, reconciled
from orchestration.defs.training.models import TABLES
from orchestration.warehouse import WarehouseResource
from tallyhouse.database import Warehouse

LOG = logging.getLogger(__name__)
AWAY = (psycopg.OperationalError, SQLAlchemyError)  # a database is; that is no line's fault
Told = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


@dataclass(frozen=True)
class TakenOver:
    """How many runs stand in Dagster's history now, and how many do not yet."""

    runs: int
    left: int
    is_read_elsewhere: bool = False
    passed_over: tuple[str, ...] = ()  # why, a sentence for each line that cannot be told
    put_off: int = 0  # lines on nodes that are younger than this process

    def __str__(self) -> str:
        """What was done, in a line."""
        later = (
            [
                f"{self.put_off} builds and tests of models that are younger than Dagster's process show "
                "when it starts again."
            ]
            if self.put_off
            else []
        )
        return " ".join([self._done, *self.passed_over[:1], *later])

    @property
    def _done(self) -> str:
        if self.is_read_elsewhere:
            return "Another process is taking over what the command line did."
        if not self.runs and not self.left:
            return "The command line has built nothing since."
        if not self.left:
            return f"{told.runs(self.runs)} of the command line taken over, none left."
        return (
            f"{told.runs(self.runs)} of the command line taken over; {self.left} left to the sensor, "
            "which goes on while Dagster runs."
        )


def take_over(instance: dg.DagsterInstance, house: WarehouseResource, seconds: float) -> TakenOver:
    """Write into Dagster's history what runs of the command line did, the oldest first.

    It begins no other line after that many seconds, and the next call goes on there. Each line is told
    once, or twice where the process was killed while it told it. A line that cannot be told is logged and
    passed over; one on a node that is younger than this process is put off until a process knows it.
    """
    end, has_begun = time.monotonic() + seconds, False
    passed_over: list[str] = []
    put_off = 0
    with told.only_reader(house.settings) as is_alone:
        if is_alone:
            told.resume(house.settings, read_at())
        files = told.waiting(house.settings)
        if not is_alone:
            return TakenOver(0, len(files), is_read_elsewhere=True)
        if not files:
            return TakenOver(0, 0)
        warehouse = house.warehouse  # that it does not open is no line's fault
        for number, file in enumerate(files):
            for line in told.unread(file):
                if has_begun and time.monotonic() > end:
                    left = len(files) - number
                    return TakenOver(number, left, passed_over=tuple(passed_over), put_off=put_off)
                has_begun = True
                try:
                    said = json.loads(line)
                    if "data" in said and not is_known(said) and is_outdated():
                        told.put_off(house.settings, line)
                        put_off += 1
                        continue
                    events = list(_events_of(said, warehouse, instance))
                except AWAY:
                    raise  # the next call tries again
                except Exception as error:
                    passed_over.append(_why_passed_over(line, error))
                    LOG.warning(passed_over[-1])
                    continue
                for event in events:
                    instance.report_runless_asset_event(event)
    return TakenOver(len(files), 0, passed_over=tuple(passed_over), put_off=put_off)


def _why_passed_over(line: str, error: Exception) -> str:
    node = re.search(r'"unique_id": "([^"]+)"', line)
    said = str(error).strip().splitlines()
    return (
        f"What a run of the command line did to {node[1] if node else 'what it loaded or learned'} cannot be "
        f"told to Dagster and is passed over ({type(error).__name__}: {said[0] if said else 'no reason given'})."
    )


def _events_of(
    line: dict[str, Any], warehouse: Warehouse, instance: dg.DagsterInstance
) -> Iterator[Told]:
    """What a line says, as Dagster's events without a run."""
    if told.LOADED in line:
        yield from _landed(warehouse, newest_told(instance, line[told.LOADED]))
        yield _evaluation(drifted.result(warehouse))
    elif told.COUNTED in line:
        found = dict(line[told.COUNTED])
        yield _evaluation(read.result(found.pop("unreadable")))
        yield _evaluation(reconciled.result(Reconciliation(**found)))
    elif told.CHECKED in line:
        for outcome in line[told.CHECKED]:
            said = LandedCheck(**{**outcome, "page": Path(outcome["page"])})
            yield from map(_evaluation, landed.results(said))
    elif told.LEARNED in line:
        yield from _learned(line[told.LEARNED])
    else:
        yield from asset_events(line, warehouse)


def _evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """A check's result as an event without a run."""
    assert result.asset_key is not None
    assert result.check_name is not None
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=result.check_name,
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
    )


def _landed(warehouse: Warehouse, load_id: int) -> Iterator[dg.AssetMaterialization]:
    with warehouse.connect() as connection:
        newest = build_ledger.newest_load(connection)
    counts = counts_since(warehouse, load_id)
    if not counts:
        return
    for source in landed_sources():
        figures = counts.get(source["schema"].removeprefix("raw_"), {})
        key = [source["schema"], relation_name(source)]
        yield dg.AssetMaterialization(asset_key=key, metadata=figures)
    yield dg.AssetMaterialization(asset_key=LEDGER, metadata={NEWEST: newest})


def _learned(sentences: list[str]) -> Iterator[dg.AssetMaterialization]:
    for spec in find_specs():
        said = [text for text in sentences if text.startswith((f"{spec.name} ", f"{spec.name}:"))]
        if any("left out" not in text for text in said):
            metadata = {"report": "\n".join(said)}
            yield dg.AssetMaterialization(asset_key=["ml", spec.name], metadata=metadata)
    for table in TABLES:
        yield dg.AssetMaterialization(asset_key=["ml", table])


if __name__ == "__main__":
    with dg.DagsterInstance.get() as dagster:
        # Else each event opens three connections, which take longer than all that is asked on them.
        dagster.optimize_for_webserver(statement_timeout=60_000, pool_recycle=3600, max_overflow=5)
        print(take_over(dagster, WarehouseResource(), float(sys.argv[1])))
