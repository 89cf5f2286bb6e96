"""What the items of a Stripe subscription cost: the lines of its invoices.

Belongs here: items, and lines of a whole period or of what is left of one. Does not belong here: how
a line is told (`stripe_invoices`), when one is billed (`billing`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from simulator.timeline import SECOND


@dataclass
class Item:
    """So many of one price. `created`: 0 where it came with the subscription.

    `prices` are those of the same thing by interval, where more than one is known. Of a metered price
    `used` is what no invoice has yet, `billed_usage` what the newest one took for it.
    """

    item_id: str
    price: dict[str, Any]
    quantity: int
    created: int = 0
    prices: dict[str, dict[str, Any]] = field(default_factory=dict)
    used: int = 0
    billed_usage: int = 0

    @property
    def is_metered(self) -> bool:
        return bool(self.price.get("usage_type") == "metered")

    def follow(self, interval: str) -> None:
        """All items of a subscription are billed together: with the first one's interval."""
        self.price = self.prices[interval]

    def costs(self, percent_off: int) -> Fraction:
        """A whole period, in minor units; what is metered costs nothing until it is used."""
        if self.is_metered:
            return Fraction(0)
        return Fraction(self.price["amount"] * self.quantity * (100 - percent_off), 100)


@dataclass(frozen=True)
class Line:
    """One line of an invoice, as things stood when it came about.

    A proration has an `invoice_item` of its own; what it gives back was billed as `credited`: an
    invoice and its line, where that is known.
    """

    item_id: str
    price: dict[str, Any]
    quantity: int
    amount: int
    text: str
    start: int
    end: int
    invoice_item: str | None = None
    credited: tuple[str, str] | None = None


def period_line(item: Item, percent_off: int, start: int, end: int) -> Line:
    """A whole period."""
    text = f"{item.quantity} × {item.price['nickname']}"
    amount = int(item.costs(percent_off))
    return Line(item.item_id, item.price, item.quantity, amount, text, start, end)


def usage_line(item: Item, percent_off: int, start: int, end: int) -> Line:
    """What was used of a metered price in a period that is over."""
    text = f"{item.used} × {item.price['nickname']}"
    amount = item.price["amount"] * item.used * (100 - percent_off) // 100
    return Line(item.item_id, item.price, item.used, amount, text, start, end)


def proration(
    item: Item,
    percent_off: int,
    period: tuple[int, int],
    at: int,
    invoice_item: str,
) -> Line:
    """The charge for the rest of a period from `at` on."""
    start, end = period
    share = Fraction(end - at, end - start)
    amount = round(item.costs(percent_off) * share)
    day = datetime.fromtimestamp(at / SECOND, UTC)
    text = f"Remaining time on {item.quantity} × {item.price['nickname']} after {day:%d %b %Y}"
    return Line(item.item_id, item.price, item.quantity, amount, text, at, end, invoice_item)


def credit(charge: Line, billed: tuple[str, str] | None) -> Line:
    """The same rest of a period given back, since it will not be used."""
    text = charge.text.replace("Remaining", "Unused", 1)
    return replace(charge, amount=-charge.amount, text=text, credited=billed)
