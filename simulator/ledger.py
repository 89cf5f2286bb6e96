"""The simulator's own book of recurring revenue and of payments; the truth is computed from it.

Amounts are exact: `Fraction`s of a currency's minor unit per month, written at the instant at which
a subscription's worth changes. Nothing here knows how a webhook looks.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

from simulator.timeline import LocalDays

MONTHS = {"month": Fraction(1), "year": Fraction(1, 12), "week": Fraction(52, 12)}


@dataclass(frozen=True)
class Customer:
    """Who pays: one customer of one billing provider."""

    provider: str
    product: str
    tenant_id: str
    user_id: str
    customer_id: str


@dataclass(frozen=True)
class Entry:
    at: int
    subscription_id: str
    amount: Fraction
    currency: str
    at_risk: bool


@dataclass(frozen=True)
class Payment:
    """Cash that came in (or, negative, went back): minor units of its currency."""

    customer: Customer
    at: int
    amount: int
    currency: str


@dataclass
class Ledger:
    """Every change of every subscription's monthly worth, and every payment."""

    limit: int
    entries: dict[Customer, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    payments: list[Payment] = field(default_factory=list)
    calendars: dict[Customer, LocalDays] = field(default_factory=dict)
    ends: list[tuple[Customer, str, int, str]] = field(default_factory=list)

    def opens(self, customer: Customer, days: LocalDays) -> None:
        self.calendars[customer] = days

    def worth(
        self,
        customer: Customer,
        subscription: str,
        at: int,
        amount: Fraction,
        currency: str,
        at_risk: bool = False,
    ) -> None:
        """From `at` on the subscription is worth `amount` a month."""
        if at < self.limit:
            self.entries[customer].append(Entry(at, subscription, amount, currency, at_risk))

    def paid(self, customer: Customer, at: int, amount: int, currency: str) -> None:
        if at < self.limit:
            self.payments.append(Payment(customer, at, amount, currency))

    def ended(self, customer: Customer, subscription: str, at: int, reason: str) -> None:
        if at < self.limit:
            self.ends.append((customer, subscription, at, reason))
