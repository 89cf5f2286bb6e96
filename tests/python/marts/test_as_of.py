"""Rule 67: with --as-of T no mart holds a row or a number from after T, in mid-day and mid-week too."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.load import load_all
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.building import NO_SEEDS, NO_TESTS, run_dbt
from tests.built_sample import BuiltSample
from tests.end_to_end.deliveries import read
from tests.python.marts.house import ENGAGEMENT, House, Rows, assert_equal
from tests.shared_data import shared

pytestmark = pytest.mark.slow
LOGS = {"etl_job_runs", "integration_health"}  # tell of the clock by which files were loaded


def when(kind: str, record: dict[str, Any]) -> list[float]:
    """When a record came and when it happened, in seconds since 1970."""
    if kind == "events":
        names = ("received_at", "receivedAt", "exported_at", "occurred_at")
        told = [record[name] for name in names if record.get(name)]
        first, *others = (datetime.fromisoformat(text).timestamp() for text in told)
        return [first, *(other for other in others if other <= first + 86_400)]  # else absurd
    if kind == "stripe":
        return [record["created"]]
    if kind == "revenuecat":
        return [record["event"]["event_timestamp_ms"] / 1000]
    value = record.get("value")
    return [value["source"]["ts_ms"] / 1000] if value and value.get("source") else []


def is_known(kind: str, line: bytes, header: bytes | None, moment: datetime) -> bool:
    """Whether a line was there to be read at a moment; what nobody can read says nothing."""
    try:
        record = json.loads(line) if header is None else as_record(header, line)
        return all(told <= moment.timestamp() for told in when(kind, record))
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def as_record(header: bytes, line: bytes) -> dict[str, Any]:
    """A line of CSV by the names of its columns."""
    delimiter = ";" if b";" in header else ","
    names, values = csv.reader([header.decode(), line.decode()], delimiter=delimiter)
    return dict(zip(names, values, strict=True))


def build(warehouse: Warehouse, as_of: datetime | None) -> None:
    settings = replace(warehouse.settings, as_of=as_of)
    outcome = run_dbt(replace(warehouse, settings=settings), "build", *NO_TESTS, *NO_SEEDS)
    assert outcome.success, outcome.failures


def marts(warehouse: Warehouse) -> dict[str, Rows]:
    """Every row of every mart and every feature."""
    house, found = House(warehouse), {}
    for layer in ("marts", "features"):
        for path in sorted((PROJECT_ROOT / "models" / layer).rglob("*.sql")):
            if path.stem not in LOGS:
                schema = path.parent.name
                found[f"{schema}.{path.stem}"] = house.rows(f"{schema}.{path.stem}")
    return found


@pytest.fixture(scope="module")
def moment(sample: BuiltSample) -> datetime:
    """A Wednesday at one o'clock, three weeks before the end of the sample."""
    day = sample.as_of.date() - timedelta(days=21)
    day -= timedelta(days=(day.weekday() - 2) % 7)
    return datetime.combine(day, time(13), UTC)


@pytest.fixture(scope="module")
def sample(sample_copy: Callable[[str], BuiltSample]) -> BuiltSample:
    return sample_copy("as_of")


def test_every_mart_as_of_a_moment_is_as_though_nothing_came_after_it(
    sample: BuiltSample, moment: datetime, fresh_database: Callable[..., Warehouse]
) -> None:
    build(sample.warehouse, moment)
    found = marts(sample.warehouse)
    early = fresh_database("as_of", seeded=True)
    early = replace(
        early, settings=replace(early.settings, pii_key_file=sample.warehouse.settings.pii_key_file)
    )
    left_out: Counter[str] = Counter()
    landing = sample.truth.parent / "landing"
    for path in sorted(path for path in landing.rglob("*") if path.is_file()):
        place = path.relative_to(landing)
        lines = read(path)
        header = lines[0] if ".csv" in path.suffixes else None
        known = [line for line in lines if is_known(place.parts[0], line, header, moment)]
        left_out[place.parts[0]] += len(lines) - len(known)
        name = place.name.removesuffix(".gz")
        target = Path(early.settings.landing) / place.with_name(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"".join(line + b"\n" for line in known))
    assert all(left_out[kind] > 30 for kind in ("cdc", "events", "revenuecat", "stripe")), left_out
    load_all(early.connect, early.settings, processes=1)
    build(early, moment)
    assert_equal(found, marts(early), f"as of {moment}")


def test_the_weeks_and_days_that_are_running_count_nothing_after_as_of(
    fresh_database: Callable[..., Warehouse],
) -> None:
    """asofweek: one of three users came before."""
    case = shared("cases/events/asofweek")
    house = House(fresh_database("as_of_week", seeded=True))
    for path in (case / "landing").rglob("*.jsonl"):
        house.put(str(path.relative_to(case / "landing")),
                  map(json.loads, path.read_bytes().splitlines()))  # fmt: skip
    house.load([case / "contract"])
    house.build(ENGAGEMENT, as_of="2026-06-15T13:00:00Z")
    assert house.query(
        "select week_start::text, active_users, new_users, sessions"
        " from engagement.metrics_weekly_engagement"
    ) == [("2026-06-15", 1, 1, 1)]
    assert house.query(
        "select month_start::text, active_users, new_users"
        " from engagement.metrics_monthly_engagement"
    ) == [("2026-06-01", 1, 1)]
    daily = "select metric_date::text, dau, new_users from engagement.metrics_daily_engagement"
    assert house.query(daily) == [("2026-06-15", 1, 1)]
    assert house.query("select count(*) from core.fact_events") == [(1,)]
    house.build(ENGAGEMENT)  # and without --as-of all of them are there again
    assert house.query(f"{daily} order by 1") == [
        ("2026-06-15", 2, 2), ("2026-06-16", 0, 0), ("2026-06-17", 1, 1),
    ]  # fmt: skip


def test_every_source_says_by_what_one_knows_what_was_known() -> None:
    macro = (PROJECT_ROOT / "macros/engine/source.sql").read_text()
    for path in (PROJECT_ROOT / "models").rglob("_*__sources.yml"):
        for source in yaml.safe_load(path.read_text())["sources"]:
            schema = source.get("schema", source["name"])
            names = [f"'{schema}.{t.get('identifier', t['name'])}':" for t in source["tables"]]
            assert f"'{schema}':" in macro or all(name in macro for name in names), source["name"]
