"""The table of coaching work: what each person did, how long they were there, what they paid."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container
from datetime import date
from decimal import Decimal

from simulator.fx import Rates
from simulator.ledger import Ledger
from simulator.truth.coaching.work import DayOfWork, Work
from simulator.truth.engagement.use import Session
from simulator.truth.revenue.valuing import usd_cents
from simulator.truth.table import Table, entity_uuid, exact

Key = tuple[str, str, date]


def productivity(
    product: str,
    work: Work,
    visits: list[Session],
    ledger: Ledger,
    rates: Rates,
    since: int,
    visitors: Container[str],
    people: str,
) -> Table:
    """One row per day and user, called `people` on the page that explains the truth.

    A visitor who never signed up stands for a user of their own.
    """
    cash = _cash(product, ledger, rates, since)
    minutes: Counter[Key] = Counter()
    count: Counter[Key] = Counter()
    for visit in visits:
        minutes[visit.tenant_id, visit.user, visit.day] += visit.minutes
        count[visit.tenant_id, visit.user, visit.day] += 1
    paid = {key for key, amount in cash.items() if amount}
    keys = sorted({*work.days, *paid, *count}, key=lambda k: (k[2], k[0], k[1]))
    rows = []
    for key in keys:
        tenant, user, day = key
        done = work.days.get(key, DayOfWork())
        rows.append(
            (
                day,
                entity_uuid(product, "tenant", tenant),
                entity_uuid(product, "anonymous" if user in visitors else "user", user),
                done.goals_completed,
                done.habits_checked,
                f"{sum(done.moods) / len(done.moods):.6f}" if done.moods else "",
                done.chat_sessions,
                done.tasks_completed,
                count[key],
                minutes[key],
                exact(cash.get(key, Decimal(0))),
            )
        )
    return Table(
        name="fact_productivity",
        grain=f"day × {people} who did anything",
        meaning=(
            "goals completed, habit check-ins that stand (rows, not their `count`), average mood, "
            "chats begun, tasks done, sessions begun, their active minutes, payments less refunds "
            "of the day in US cents"
        ),
        header=(
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
        rows=rows,
    )


def _cash(product: str, ledger: Ledger, rates: Rates, since: int) -> dict[Key, Decimal]:
    cash: dict[Key, Decimal] = defaultdict(Decimal)
    for payment in ledger.payments:
        customer = payment.customer
        if customer.product != product or payment.at < since:
            continue
        day = ledger.calendars[customer].day(payment.at)
        cash[customer.tenant_id, customer.user_id, day] += usd_cents(
            payment.amount, payment.currency, rates, day
        )
    return cash
