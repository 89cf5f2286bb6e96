"""Writes `truth/`: CSV files, the list of plants, a summary and a page that says what each means."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from simulator import catalogue
from simulator.files import FolderReport
from simulator.fx import Rates
from simulator.sources.events import Event
from simulator.timeline import LocalDays, iso, local_days
from simulator.truth import engagement, tables
from simulator.truth.readme import README
from simulator.truth.tables import entity_uuid, write_csv

_TENANTS = {"upcoach": catalogue.UPCOACH, "rostracore": catalogue.ROSTRACORE}


def write_truth(root: Path, world: Any, reports: list[FolderReport], as_of: int) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "README.md").write_text(README, encoding="utf-8")
    rates = Rates.read()
    tables.money(root, world, rates, as_of)
    calendars: dict[str, dict[str, LocalDays]] = {}
    visits: dict[str, list[engagement.Session]] = {}
    daily, retained, seats = [], [], []
    for product, events in sorted(world.events.items()):
        calendars[product] = {
            t.source_id: local_days(t.timezone, world.window) for t in _TENANTS[product]
        }
        use = _use(product, events, calendars[product], as_of)
        daily += use[0]
        retained += use[1]
        visits[product] = engagement.sessions(events, calendars[product])
        seats += [
            (row[0], product, entity_uuid(product, "tenant", row[1]), *row[2:])
            for row in engagement.daily_sessions(visits[product])
        ]
    write_csv(
        root / "dau_daily.csv",
        ("metric_date", "product", "tenant_id", "dau", "new_users", "is_complete"),
        daily,
    )
    write_csv(
        root / "cohort_retention.csv",
        (
            "product",
            "tenant_id",
            "cohort_type",
            "cohort_start",
            "period_number",
            "mode",
            "cohort_size",
            "retained_users",
        ),
        retained,
    )
    write_csv(
        root / "sessions_daily.csv",
        (
            "metric_date",
            "product",
            "tenant_id",
            "sessions",
            "session_users",
            "events",
            "session_minutes",
            "active_minutes",
        ),
        seats,
    )
    tables.productivity(root, world, visits["upcoach"], rates)
    tables.churn(root, world)
    tables.shifts(root, world)
    tables.state(root, world)
    _summary(root, world, reports, as_of)


def _use(
    product: str, events: list[Event], calendars: dict[str, LocalDays], as_of: int
) -> tuple[list[tuple], list[tuple]]:
    table = engagement.active_days(events, calendars)
    horizons = {t: calendars[t].day(as_of) - timedelta(days=1) for t in table}
    daily = [
        (
            day,
            product,
            entity_uuid(product, "tenant", tenant),
            users,
            new,
            str(day <= horizons[tenant]).lower(),
        )
        for day, tenant, users, new in engagement.daily_users(table)
    ]
    retained = [
        (product, entity_uuid(product, "tenant", tenant), *rest)
        for tenant, *rest in engagement.retention(table, horizons)
    ]
    return daily, retained


def _summary(root: Path, world: Any, reports: list[FolderReport], as_of: int) -> None:
    planted = [
        {
            "plant": plant.name,
            "source_kind": report.source_kind,
            "source_name": report.source_name,
            "file": path.as_posix(),
            "line": line,
            "record_id": plant.record_id,
            "expected": plant.expected,
            "detail": plant.detail,
        }
        for report in reports
        for path, line, plant in report.planted
    ]
    with (root / "planted.jsonl").open("wb") as stream:
        for row in planted:
            stream.write(orjson.dumps(row) + b"\n")
    summary = {
        "as_of": iso(as_of),
        "window": {
            "start": iso(world.window.start),
            "end": iso(world.window.end),
            "days": world.window.days,
        },
        "sources": [
            {
                "source_kind": r.source_kind,
                "source_name": r.source_name,
                "files": r.files,
                "lines": r.lines,
                "size_bytes": r.size_bytes,
            }
            for r in reports
        ],
        "distinct_events": {p: len(events) for p, events in sorted(world.events.items())},
        "subscriptions_ended": len(world.ledger.ends),
        "paying_customers_ever": len(world.ledger.entries),
        "shifts": len(world.shifts),
        "planted": dict(
            sorted(Counter(f"{row['source_kind']}.{row['plant']}" for row in planted).items())
        ),
    }
    (root / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")
