"""The tables about money: MRR by customer and in total, the subscriptions that ended, cash by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from simulator.fx import Rates
from simulator.ledger import Ledger
from simulator.timeline import iso
from simulator.truth.revenue.policies import POLICIES, STANDARD
from simulator.truth.revenue.valuing import (
    MOVES,
    CustomerDay,
    DayTotal,
    PlanTotal,
    usd_cents,
    value_days,
)
from simulator.truth.table import Table, entity_uuid, exact

OTHERS = tuple(policy for policy in POLICIES if policy != STANDARD)
NOTHING = Decimal(0)


def revenue_tables(ledger: Ledger, rates: Rates, first: date, as_of: int) -> Iterator[Table]:
    """Every table about money, from the day `first` on."""
    valued = value_days(ledger, rates, first, as_of)
    yield _by_customer(valued.customers)
    yield _in_total(valued.products, _reached(ledger, as_of))
    yield _by_plan(valued.plans)
    yield _ended(ledger)
    yield _cash(ledger, rates)


@dataclass
class _Moved:
    """What came in and went back on one day."""

    payments: int = 0
    paid: Decimal = Decimal(0)
    refunds: int = 0
    refunded: Decimal = Decimal(0)


def _reached(ledger: Ledger, as_of: int) -> dict[str, date]:
    """Per product the last day that all of its tenants have reached."""
    reached: dict[str, date] = {}
    for customer, days in ledger.calendars.items():
        day = days.day(as_of)
        reached[customer.product] = min(day, reached.get(customer.product, day))
    return reached


def _by_customer(rows: list[CustomerDay]) -> Table:
    rows.sort(
        key=lambda r: (
            r.day,
            r.customer.product,
            r.customer.tenant_id,
            r.customer.provider,
            r.customer.customer_id,
        )
    )
    return Table(
        name="mrr_daily",
        grain="day × customer with MRR",
        meaning=(
            "MRR at the end of the tenant's day, in US cents, exact (8 decimals): under policy "
            "`standard`, what of it is past due, and under each other policy. "
            "Rows from the window's first day; customers with no MRR have no row. "
            "`customer_id`: the Stripe customer, or RevenueCat's user. `user_id` is empty where a "
            "company pays for itself"
        ),
        header=(
            "metric_date",
            "product",
            "tenant_id",
            "provider",
            "customer_id",
            "user_id",
            "currency",
            "mrr_cents",
            "at_risk_mrr_cents",
            *(f"{policy.name}_mrr_cents" for policy in OTHERS),
        ),
        rows=(
            (
                r.day,
                r.customer.product,
                entity_uuid(r.customer.product, "tenant", r.customer.tenant_id),
                r.customer.provider,
                r.customer.customer_id,
                r.customer.user_id,
                r.currency,
                exact(r.mrr.get(STANDARD.name, NOTHING)),
                exact(r.at_risk),
                *(exact(r.mrr.get(policy.name, NOTHING)) for policy in OTHERS),
            )
            for r in rows
        ),
    )


def _in_total(totals: dict[tuple[date, str, str], DayTotal], reached: dict[str, date]) -> Table:
    return Table(
        name="mrr_daily_total",
        grain="day × product × policy, as far as every tenant has reached the day",
        meaning=(
            "opening, movements (positive amounts; `fx` is signed), `net_mrr_cents` (closing), "
            "past-due part, customers. opening + new + reactivation + expansion − contraction − "
            "churn + fx = closing"
        ),
        header=(
            "metric_date",
            "product",
            "policy",
            "opening_mrr_cents",
            *(f"{m}_mrr_cents" for m in MOVES),
            "net_mrr_cents",
            "at_risk_mrr_cents",
            "paying_customers",
        ),
        rows=(
            (
                day,
                product,
                policy,
                exact(t.opening),
                *(exact(t.moves[m]) for m in MOVES),
                exact(t.closing),
                exact(t.at_risk),
                t.customers,
            )
            for (day, product, policy), t in sorted(totals.items())
            if day <= reached[product]
        ),
    )


def _by_plan(plans: dict[tuple[date, str, str, str, str], PlanTotal]) -> Table:
    return Table(
        name="mrr_daily_plan",
        grain="day × product × tenant × plan with MRR × policy",
        meaning=(
            "MRR at the end of the tenant's day in US cents, exact, and who pays for the plan then. "
            "Each item of a subscription is its own plan's"
        ),
        header=(
            "metric_date",
            "product",
            "tenant_id",
            "plan",
            "policy",
            "mrr_cents",
            "paying_customers",
        ),
        rows=sorted(
            (
                day,
                product,
                entity_uuid(product, "tenant", tenant),
                plan,
                policy,
                exact(total.mrr),
                total.customers,
            )
            for (day, product, tenant, plan, policy), total in plans.items()
        ),
    )


def _ended(ledger: Ledger) -> Table:
    return Table(
        name="subscriptions_ended",
        grain="subscription that ended",
        meaning="when and why",
        header=(
            "ended_at",
            "product",
            "tenant_id",
            "provider",
            "customer_id",
            "user_id",
            "subscription_id",
            "reason",
        ),
        rows=(
            (
                iso(at),
                c.product,
                entity_uuid(c.product, "tenant", c.tenant_id),
                c.provider,
                c.customer_id,
                c.user_id,
                subscription,
                reason,
            )
            for c, subscription, at, reason in sorted(ledger.ends, key=lambda e: (e[2], e[1]))
        ),
    )


def _cash(ledger: Ledger, rates: Rates) -> Table:
    days: dict[tuple[date, str, str, str], _Moved] = defaultdict(_Moved)
    for payment in ledger.payments:
        customer = payment.customer
        if payment.amount == 0:
            continue
        day = ledger.calendars[customer].day(payment.at)
        tenant = entity_uuid(customer.product, "tenant", customer.tenant_id)
        moved = days[day, customer.product, tenant, customer.provider]
        amount = usd_cents(payment.amount, payment.currency, rates, day)
        if amount > 0:
            moved.payments += 1
            moved.paid += amount
        else:
            moved.refunds += 1
            moved.refunded -= amount
    return Table(
        name="cash_daily",
        grain="day × product × tenant × provider with a payment or a refund",
        meaning=(
            "payments through Stripe and the app stores and what of them went back, by the tenant's "
            "day, in US cents at that day's rate, exact; days before the window too"
        ),
        header=(
            "metric_date",
            "product",
            "tenant_id",
            "provider",
            "payments",
            "cash_collected_cents",
            "refunds",
            "refunds_cents",
        ),
        rows=(
            (*key, m.payments, exact(m.paid), m.refunds, exact(m.refunded))
            for key, m in sorted(days.items())
        ),
    )
