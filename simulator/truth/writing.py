"""Writes `truth/`: CSV files, the list of plants, a summary and a page that says what each means."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from simulator import catalogue
from simulator.files import FolderReport
from simulator.fx import Rates
from simulator.sources.events import Event
from simulator.timeline import LocalDays, iso, local_days
from simulator.truth import engagement, revenue
from simulator.truth.readme import README

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TENANTS = {"upcoach": catalogue.UPCOACH, "rostracore": catalogue.ROSTRACORE}


def entity_uuid(product: str, kind: str, source_id: str) -> str:
    """The identity convention: a UUID stays itself, any other id becomes one of its name."""
    if _UUID.fullmatch(source_id):
        return source_id
    digest = hashlib.md5(
        f"{product}|{kind}|{source_id}".encode(), usedforsecurity=False
    ).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def write_truth(root: Path, world: Any, reports: list[FolderReport], as_of: int) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "README.md").write_text(README, encoding="utf-8")
    rates = Rates.read()
    _money(root, world, rates, as_of)
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
    _csv(
        root / "dau_daily.csv",
        ("metric_date", "product", "tenant_id", "dau", "new_users", "is_complete"),
        daily,
    )
    _csv(
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
    _csv(
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
    _productivity(root, world, visits["upcoach"], rates)
    _churn(root, world)
    _shifts(root, world)
    _state(root, world)
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


def _money(root: Path, world: Any, rates: Rates, as_of: int) -> None:
    rows, totals = revenue.value_days(world.ledger, rates, world.window.first_date, as_of)
    rows.sort(
        key=lambda r: (
            r.day,
            r.customer.product,
            r.customer.tenant_id,
            r.customer.provider,
            r.customer.customer_id,
        )
    )
    _csv(
        root / "mrr_daily.csv",
        (
            "metric_date",
            "product",
            "tenant_id",
            "provider",
            "customer_id",
            "user_id",
            "currency",
            "mrr_cents",
            "at_risk_mrr_cents",
        ),
        (
            (
                r.day,
                r.customer.product,
                entity_uuid(r.customer.product, "tenant", r.customer.tenant_id),
                r.customer.provider,
                r.customer.customer_id,
                r.customer.user_id,
                r.currency,
                _exact(r.mrr),
                _exact(r.at_risk),
            )
            for r in rows
        ),
    )
    _csv(
        root / "mrr_daily_total.csv",
        (
            "metric_date",
            "product",
            "opening_mrr_cents",
            *(f"{m}_mrr_cents" for m in revenue.MOVES),
            "net_mrr_cents",
            "at_risk_mrr_cents",
            "paying_customers",
        ),
        (
            (
                day,
                product,
                _exact(t.opening),
                *(_exact(t.moves[m]) for m in revenue.MOVES),
                _exact(t.closing),
                _exact(t.at_risk),
                t.customers,
            )
            for (product, day), t in sorted(
                totals.items(), key=lambda item: (item[0][1], item[0][0])
            )
        ),
    )


def _productivity(root: Path, world: Any, visits: list[engagement.Session], rates: Rates) -> None:
    cash: dict[tuple[str, str, date], Decimal] = defaultdict(Decimal)
    for payment in world.ledger.payments:
        customer = payment.customer
        if customer.product != "upcoach" or payment.at < world.window.start:
            continue
        day = world.ledger.calendars[customer].day(payment.at)
        cash[customer.tenant_id, customer.user_id, day] += revenue.usd_cents(
            payment.amount, payment.currency, rates, day
        )
    minutes: Counter[tuple[str, str, date]] = Counter()
    count: Counter[tuple[str, str, date]] = Counter()
    for visit in visits:
        minutes[visit.tenant_id, visit.user, visit.day] += visit.minutes
        count[visit.tenant_id, visit.user, visit.day] += 1
    work = world.facts.work
    keys = sorted({*work, *cash, *count}, key=lambda k: (k[2], k[0], k[1]))
    rows = []
    for key in keys:
        day = work.get(key)
        moods = day.moods if day else []
        rows.append(
            (
                key[2],
                key[0],
                key[1],
                day.goals_completed if day else 0,
                day.habits_checked if day else 0,
                f"{sum(moods) / len(moods):.6f}" if moods else "",
                day.chat_sessions if day else 0,
                day.tasks_completed if day else 0,
                count[key],
                minutes[key],
                _exact(cash.get(key, Decimal(0))),
            )
        )
    _csv(
        root / "fact_productivity.csv",
        (
            "date_key",
            "tenant_id",
            "user_id",
            "goals_completed",
            "habits_checked",
            "mood_avg",
            "chat_sessions",
            "tasks_completed",
            "sessions",
            "active_minutes",
            "revenue_cents",
        ),
        rows,
    )


def _churn(root: Path, world: Any) -> None:
    ends = sorted(world.ledger.ends, key=lambda e: (e[2], e[1]))
    _csv(
        root / "subscriptions_ended.csv",
        (
            "ended_at",
            "product",
            "tenant_id",
            "provider",
            "customer_id",
            "user_id",
            "subscription_id",
            "reason",
        ),
        (
            (
                iso(at),
                c.product,
                entity_uuid(c.product, "tenant", c.tenant_id),
                c.provider,
                c.customer_id,
                c.user_id,
                sub,
                reason,
            )
            for c, sub, at, reason in ends
        ),
    )


def _shifts(root: Path, world: Any) -> None:
    _csv(
        root / "shift_fill.csv",
        ("shift_id", "tenant_id", "starts_at", "fill_chance", "required_count", "filled_count"),
        (
            (
                s.shift_id,
                entity_uuid("rostracore", "tenant", s.tenant_id),
                iso(s.starts),
                f"{s.chance:.4f}",
                s.required,
                s.filled,
            )
            for s in world.shifts
        ),
    )


def _state(root: Path, world: Any) -> None:
    _csv(
        root / "cdc_state.csv",
        ("product", "table_name", "living_rows"),
        (
            (p, t, len(rows))
            for p, log in sorted(world.logs.items())
            for t, rows in sorted(log.state.items())
        ),
    )


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
                "bytes": r.bytes,
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


def _exact(value: Decimal) -> str:
    return f"{value:.8f}"


def _csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
