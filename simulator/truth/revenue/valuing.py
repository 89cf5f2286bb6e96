"""Truth about recurring revenue: the ledger valued day by day, in exact arithmetic.

A customer's MRR at the end of a tenant-local day is what its subscriptions are worth a month then,
at that day's exchange rate, under each policy. Movements are dated by the tenant's day, valued at
that day's rate; what the rate alone changed is `fx`.
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
from simulator.truth.revenue.policies import POLICIES, STANDARD, Policy

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

    def add(self, day: _Day) -> None:
        self.opening += day.opening
        for kind, amount in day.moves:
            self.moves[kind] += amount
        self.closing += day.closing
        self.customers += bool(day.plans)
        self.at_risk += day.at_risk


@dataclass
class PlanTotal:
    """One plan of a tenant on one day: MRR, and how many customers pay for it."""

    mrr: Decimal = Decimal(0)
    customers: int = 0


@dataclass(frozen=True)
class CustomerDay:
    """`mrr` under each policy, by its name; a policy under which there is none is left out.

    `at_risk` is under `standard`, of which there may be none.
    """

    day: date
    customer: Customer
    currency: str
    mrr: dict[str, Decimal]
    at_risk: Decimal


@dataclass
class Valued:
    """Every customer's every day with MRR; products and plans, by policy and day."""

    customers: list[CustomerDay] = field(default_factory=list)
    products: dict[tuple[date, str, str], DayTotal] = field(
        default_factory=lambda: defaultdict(DayTotal)
    )
    plans: dict[tuple[date, str, str, str, str], PlanTotal] = field(
        default_factory=lambda: defaultdict(PlanTotal)
    )


@dataclass(frozen=True)
class _Step:
    """From `at` on a subscription is worth so much, plan by plan."""

    at: int
    subscription_id: str
    plans: dict[str, Fraction]
    at_risk: bool


@dataclass(frozen=True)
class _Day:
    """One customer's day under one policy, in the reporting currency's cents."""

    day: date
    opening: Decimal
    moves: list[tuple[str, Decimal]]
    closing: Decimal
    at_risk: Decimal
    plans: dict[str, Decimal]


def value_days(ledger: Ledger, rates: Rates, first: date, as_of: int) -> Valued:
    """What everybody is worth on each day from `first` on, under every policy."""
    valued = Valued()
    with localcontext() as context:
        context.prec = 40
        for customer in sorted(
            ledger.entries, key=lambda c: (c.product, c.tenant_id, c.provider, c.customer_id)
        ):
            days = ledger.calendars[customer]
            entries = sorted(ledger.entries[customer], key=lambda e: e.at)
            begin, end = (first - days.first).days, days.index(as_of)
            walked: list[tuple[list[_Step], list[_Day]]] = []
            by_policy: dict[str, list[_Day]] = {}
            for policy in POLICIES:
                steps = _steps(entries, policy)
                # most customers are worth the same under each
                known = next((found for same, found in walked if same == steps), None)
                if known is None:
                    known = list(_walk(steps, entries[0].currency, days, rates, begin, end))
                    walked.append((steps, known))
                by_policy[policy.name] = known
            _enter(valued, customer, entries[0].currency, by_policy)
    return valued


def _enter(
    valued: Valued, customer: Customer, currency: str, by_policy: dict[str, list[_Day]]
) -> None:
    worth: dict[date, dict[str, Decimal]] = defaultdict(dict)
    at_risk: dict[date, Decimal] = {}
    for policy, days in by_policy.items():
        for day in days:
            valued.products[day.day, customer.product, policy].add(day)
            for plan, mrr in day.plans.items():
                key = (day.day, customer.product, customer.tenant_id, plan, policy)
                valued.plans[key].mrr += mrr
                valued.plans[key].customers += 1
            if day.plans:
                worth[day.day][policy] = day.closing
                if policy == STANDARD.name:
                    at_risk[day.day] = day.at_risk
    for date_key in sorted(worth):
        part = at_risk.get(date_key, Decimal(0))
        valued.customers.append(CustomerDay(date_key, customer, currency, worth[date_key], part))


def _steps(entries: list[Entry], policy: Policy) -> list[_Step]:
    """The entries, and where a discount ends by itself before the next one."""
    steps: list[_Step] = []
    following: dict[str, int] = {}
    for entry in reversed(entries):
        name = entry.subscription_id
        instants = {entry.at} | {
            part.off_until
            for part in entry.parts
            if part.percent_off and entry.at < part.off_until < following.get(name, 1 << 60)
        }
        following[name] = entry.at
        steps += [
            _Step(at, name, policy.by_plan(entry.parts, at), entry.at_risk)
            for at in sorted(instants, reverse=True)
        ]
    steps.reverse()
    return sorted(steps, key=lambda step: step.at)


def _walk(
    steps: list[_Step], currency: str, days: LocalDays, rates: Rates, begin: int, end: int
) -> Iterator[_Day]:
    unit = Decimal(100 if currency in ZERO_DECIMAL else 1)
    states: dict[str, _Step] = {}
    paid_before = False
    position = 0

    def worth() -> Fraction:
        return sum((w for state in states.values() for w in state.plans.values()), Fraction(0))

    start = int(days.midnights[begin])
    while position < len(steps) and steps[position].at < start:
        states[steps[position].subscription_id] = steps[position]
        paid_before = paid_before or worth() > 0
        position += 1
    source = worth()
    carried = _decimal(source) * unit * rates.factor(currency, days.dates[begin - 1])
    for index in range(begin, end + 1):
        day = days.dates[index]
        next_midnight = int(days.midnights[index + 1])
        busy = position < len(steps) and steps[position].at < next_midnight
        if not source and not busy:
            continue
        factor = rates.factor(currency, day) * unit
        moves = [("fx", _decimal(source) * factor - carried)]
        opening = carried
        changes: list[tuple[int, Fraction, Fraction]] = []
        while position < len(steps) and steps[position].at < next_midnight:
            before = worth()
            states[steps[position].subscription_id] = steps[position]
            changes.append((steps[position].at, before, worth()))
            position += 1
        for before, now in _netted(changes):
            kind = _kind(before, now, paid_before)
            moves.append((kind, abs(_decimal(now) - _decimal(before)) * factor))
            paid_before = paid_before or now > 0
        source = worth()
        carried = _decimal(source) * factor
        plans: dict[str, Fraction] = {}
        at_risk = Fraction(0)
        for state in states.values():
            for plan, amount in state.plans.items():
                plans[plan] = plans.get(plan, Fraction(0)) + amount
                at_risk += amount if state.at_risk else 0
        yield _Day(
            day, opening, moves, carried, _decimal(at_risk) * factor,
            {plan: _decimal(amount) * factor for plan, amount in plans.items()},
        )  # fmt: skip


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
