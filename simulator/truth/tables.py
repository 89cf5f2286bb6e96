"""The tables of the truth that come from the ledger, the facts and the databases' last state."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from simulator.fx import Rates
from simulator.timeline import iso
from simulator.truth import engagement, revenue

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def entity_uuid(product: str, kind: str, source_id: str) -> str:
    """The identity convention: a UUID stays itself, any other id becomes one of its name."""
    if _UUID.fullmatch(source_id):
        return source_id
    digest = hashlib.md5(
        f"{product}|{kind}|{source_id}".encode(), usedforsecurity=False
    ).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def money(root: Path, world: Any, rates: Rates, as_of: int) -> None:
    rows, totals = revenue.value_days(world.ledger, rates, world.window.first_date, as_of)
    reached = {
        product: min(
            days.day(as_of) for c, days in world.ledger.calendars.items() if c.product == product
        )
        for product in {c.product for c in world.ledger.calendars}
    }
    rows.sort(
        key=lambda r: (
            r.day,
            r.customer.product,
            r.customer.tenant_id,
            r.customer.provider,
            r.customer.customer_id,
        )
    )
    write_csv(
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
                exact(r.mrr),
                exact(r.at_risk),
            )
            for r in rows
        ),
    )
    write_csv(
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
                exact(t.opening),
                *(exact(t.moves[m]) for m in revenue.MOVES),
                exact(t.closing),
                exact(t.at_risk),
                t.customers,
            )
            for (product, day), t in sorted(
                totals.items(), key=lambda item: (item[0][1], item[0][0])
            )
            if day <= reached[product]
        ),
    )


def productivity(root: Path, world: Any, visits: list[engagement.Session], rates: Rates) -> None:
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
    paid = {key for key, amount in cash.items() if amount}
    keys = sorted({*work, *paid, *count}, key=lambda k: (k[2], k[0], k[1]))
    rows = []
    for key in keys:
        day = work.get(key)
        moods = day.moods if day else []
        rows.append(
            (
                key[2],
                entity_uuid("upcoach", "tenant", key[0]),
                _person(key[1]),
                day.goals_completed if day else 0,
                day.habits_checked if day else 0,
                f"{sum(moods) / len(moods):.6f}" if moods else "",
                day.chat_sessions if day else 0,
                day.tasks_completed if day else 0,
                count[key],
                minutes[key],
                exact(cash.get(key, Decimal(0))),
            )
        )
    write_csv(
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


def _person(user: str) -> str:
    """The user's id; a visitor who never signed up stands for a user of their own."""
    return entity_uuid("upcoach", "anonymous" if user.startswith("anon-") else "user", user)


def churn(root: Path, world: Any) -> None:
    ends = sorted(world.ledger.ends, key=lambda e: (e[2], e[1]))
    write_csv(
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


def shifts(root: Path, world: Any) -> None:
    write_csv(
        root / "shift_fill.csv",
        (
            "shift_id",
            "tenant_id",
            "starts_at",
            "fill_chance",
            "required_count",
            "filled_count",
            "final_count",
        ),
        (
            (
                entity_uuid("rostracore", "shift", str(s.shift_id)),
                entity_uuid("rostracore", "tenant", s.tenant_id),
                iso(s.starts),
                f"{s.chance:.4f}",
                s.required,
                s.taken,
                s.filled,
            )
            for s in world.shifts
        ),
    )


def state(root: Path, world: Any) -> None:
    write_csv(
        root / "cdc_state.csv",
        ("product", "table_name", "living_rows"),
        (
            (p, t, len(rows))
            for p, log in sorted(world.logs.items())
            for t, rows in sorted(log.state.items())
        ),
    )


def exact(value: Decimal) -> str:
    return f"{value:.8f}"


def write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
