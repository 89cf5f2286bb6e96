"""The simulator's own book of recurring revenue and of payments; the truth is computed from it.

What a subscription costs is written at the instant at which it changes, exact (`Fraction`s of a
currency's minor unit) and plan by plan; what that is a month says a policy (`truth/revenue`).
Nothing here knows how a webhook looks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from simulator.timeline import LocalDays


@dataclass(frozen=True)
class Customer:
    """Who pays: one customer of one billing provider."""

    provider: str
    product: str
    tenant_id: str
    user_id: str
    customer_id: str


@dataclass(frozen=True)
class Part:
    """What one plan of a subscription costs: minor units each `interval`, less discounts for ever.

    `percent_off` until the instant `off_until` is of a discount that ends by itself. `is_usage`: what
    the period before used of a metered price.
    """

    plan: str
    amount: Fraction
    interval: str = "month"
    percent_off: int = 0
    off_until: int = 0
    is_usage: bool = False


@dataclass(frozen=True)
class Entry:
    at: int
    subscription_id: str
    parts: tuple[Part, ...]
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
        parts: Iterable[Part],
        currency: str,
        at_risk: bool = False,
    ) -> None:
        """From `at` on the subscription costs its `parts`; without any it is worth nothing."""
        if at < self.limit:
            self.entries[customer].append(Entry(at, subscription, tuple(parts), currency, at_risk))

    def paid(self, customer: Customer, at: int, amount: int, currency: str) -> None:
        if at < self.limit:
            self.payments.append(Payment(customer, at, amount, currency))

    def ended(self, customer: Customer, subscription: str, at: int, reason: str) -> None:
        if at < self.limit:
            self.ends.append((customer, subscription, at, reason))
