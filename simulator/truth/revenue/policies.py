"""What each policy counts of what a subscription costs, as the rules say (1, 6, 13).

No price of a sample is by the day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from simulator.ledger import Part


@dataclass(frozen=True)
class Policy:
    """`coupons_that_end` lower MRR for the time that they cover; `usage` is part of it when billed."""

    name: str
    weeks_per_year: int = 52
    coupons_that_end: bool = False
    usage: bool = False

    def by_plan(self, parts: Iterable[Part], at: int) -> dict[str, Fraction]:
        """Minor units a month of each plan, at the instant `at`; plans worth nothing are left out."""
        months = {
            "month": Fraction(1),
            "year": Fraction(1, 12),
            "week": Fraction(self.weeks_per_year, 12),
        }
        plans: dict[str, Fraction] = {}
        for part in parts:
            off = part.percent_off if self.coupons_that_end and at < part.off_until else 0
            worth = part.amount * Fraction(100 - off, 100) * months[part.interval]
            if worth and (self.usage or not part.is_usage):
                plans[part.plan] = plans.get(part.plan, Fraction(0)) + worth
        return plans

    def monthly(self, parts: Iterable[Part], at: int) -> Fraction:
        return sum(self.by_plan(parts, at).values(), Fraction(0))


STANDARD = Policy("standard")
POLICIES = (
    STANDARD,
    Policy("chartmogul", coupons_that_end=True),
    Policy("profitwell", usage=True),
    Policy("revenuecat", weeks_per_year=48),
)
