"""Truth about recurring revenue: the ledger valued day by day, in exact arithmetic.

A customer's MRR at the end of a tenant-local day is what its subscriptions are worth a month then,
at that day's exchange rate. Movements are dated by the tenant's day, valued at that day's rate; what
the rate alone changed is `fx`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

from simulator.fx import Rates
from simulator.ledger import Customer, Entry, Ledger
from simulator.timeline import MINUTE, LocalDays

ZERO_DECIMAL = {"jpy"}
NETTING = 60 * MINUTE
MOVES = ("new", "expansion", "contraction", "churn", "reactivation", "fx")


@dataclass
class DayTotal:
    """One product's day: opening, the six movements, closing, customers, what is at risk."""

    opening: Decimal = Decimal(0)
    moves: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(MOVES, Decimal(0)))
    closing: Decimal = Decimal(0)
    customers: int = 0
    at_risk: Decimal = Decimal(0)


@dataclass(frozen=True)
class CustomerDay:
    day: date
    customer: Customer
    currency: str
    mrr: Decimal
    at_risk: Decimal


def value_days(
    ledger: Ledger, rates: Rates, first: date, as_of: int
) -> tuple[list[CustomerDay], dict[tuple[str, date], DayTotal]]:
    """Every customer's every day with MRR, and the totals by product and day."""
    rows: list[CustomerDay] = []
    totals: dict[tuple[str, date], DayTotal] = defaultdict(DayTotal)
    with localcontext() as context:
        context.prec = 40
        for customer in sorted(
            ledger.entries, key=lambda c: (c.product, c.tenant_id, c.provider, c.customer_id)
        ):
            days = ledger.calendars[customer]
            entries = sorted(ledger.entries[customer], key=lambda e: e.at)
            begin, end = (first - days.first).days, days.index(as_of)
            rows.extend(_walk(customer, entries, days, rates, begin, end, totals))
    return rows, totals


def _walk(
    customer: Customer,
    entries: list[Entry],
    days: LocalDays,
    rates: Rates,
    begin: int,
    end: int,
    totals: dict[tuple[str, date], DayTotal],
) -> Iterator[CustomerDay]:
    currency = entries[0].currency
    unit = Decimal(100 if currency in ZERO_DECIMAL else 1)
    worth: dict[str, Fraction] = {}
    risky: dict[str, bool] = {}
    paid_before = False
    position = 0

    def apply(entry: Entry) -> tuple[Fraction, Fraction]:
        before = sum(worth.values(), Fraction(0))
        worth[entry.subscription_id] = entry.amount
        risky[entry.subscription_id] = entry.at_risk
        return before, sum(worth.values(), Fraction(0))

    start = int(days.midnights[begin])
    while position < len(entries) and entries[position].at < start:
        _, now = apply(entries[position])
        paid_before = paid_before or now > 0
        position += 1
    source = sum(worth.values(), Fraction(0))
    carried = _decimal(source) * unit * rates.factor(currency, days.dates[begin - 1])
    for index in range(begin, end + 1):
        day = days.dates[index]
        next_midnight = int(days.midnights[index + 1])
        busy = position < len(entries) and entries[position].at < next_midnight
        if not source and not busy:
            continue
        factor = rates.factor(currency, day) * unit
        total = totals[customer.product, day]
        total.opening += carried
        revalued = _decimal(source) * factor
        total.moves["fx"] += revalued - carried
        steps: list[tuple[int, Fraction, Fraction]] = []
        while position < len(entries) and entries[position].at < next_midnight:
            steps.append((entries[position].at, *apply(entries[position])))
            position += 1
        for before, now in _netted(steps):
            kind = _kind(before, now, paid_before)
            total.moves[kind] += abs(_decimal(now) - _decimal(before)) * factor
            paid_before = paid_before or now > 0
        source = sum(worth.values(), Fraction(0))
        carried = _decimal(source) * factor
        if source:
            at_risk = sum((worth[s] for s in worth if risky[s]), Fraction(0))
            total.closing += carried
            total.customers += 1
            total.at_risk += _decimal(at_risk) * factor
            yield CustomerDay(day, customer, currency, carried, _decimal(at_risk) * factor)


def _netted(steps: list[tuple[int, Fraction, Fraction]]) -> Iterator[tuple[Fraction, Fraction]]:
    """Changes within an hour of the one before are one change; what nets to nothing is none."""
    groups: list[list[tuple[int, Fraction, Fraction]]] = []
    for step in steps:
        if step[1] == step[2]:
            continue
        if groups and step[0] - groups[-1][-1][0] <= NETTING:
            groups[-1].append(step)
        else:
            groups.append([step])
    for group in groups:
        before, now = group[0][1], group[-1][2]
        if before != now:
            yield before, now


def _kind(before: Fraction, now: Fraction, paid_before: bool) -> str:
    if before == 0:
        return "reactivation" if paid_before else "new"
    if now == 0:
        return "churn"
    return "expansion" if now > before else "contraction"


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def usd_cents(amount: int, currency: str, rates: Rates, day: date) -> Decimal:
    """A payment in the reporting currency's cents at the day's rate."""
    unit = 100 if currency in ZERO_DECIMAL else 1
    return Decimal(amount * unit) * rates.factor(currency, day)
