"""Invoices and charges of one Stripe subscription: what is billed, what is paid, what goes back."""

from __future__ import annotations

from typing import Any

from simulator.ledger import Customer, Ledger
from simulator.sources.lines import Item, Line, period_line, usage_line
from simulator.sources.stripe import StripeAccount
from simulator.sources.stripe_invoices import charge_object, invoice_object, line_id
from simulator.timeline import SECOND


class Billing:
    """The part of a subscription that bills; mixed into it.

    `pending`: prorations that no invoice has yet. Those of a subscription that ends before its next
    invoice stay unbilled. `billed`: the invoice and line that charged for an item last.
    """

    account: StripeAccount
    ledger: Ledger
    customer: Customer
    items: list[Item]
    pending: list[Line]
    billed: dict[str, tuple[str, str]]
    period_start: int
    period_end: int
    subscription_id: str
    latest_invoice: str | None
    last_invoice: dict[str, Any] | None
    invoices: int
    discount: dict[str, Any] | None

    @property
    def price(self) -> dict[str, Any]:
        """The first item's."""
        return self.items[0].price

    @property
    def quantity(self) -> int:
        """The first item's."""
        return self.items[0].quantity

    @property
    def percent_off(self) -> int:
        return int(self.discount["coupon"]["percent_off"]) if self.discount else 0

    def refund(self, at: int, amount: int) -> None:
        """So much of the last period's invoice goes back, or all where it was less."""
        invoice = self.last_invoice
        if invoice and invoice["paid"]:
            amount = min(amount, invoice["amount"])
            body = charge_object(self, invoice, invoice["created"], amount)
            self.account.emit("charge.refunded", at, body, {"amount_refunded": 0})
            self.ledger.paid(self.customer, at, -amount, self.price["currency"])

    def _invoice(self, at: int, reason: str, lines: list[Line] | None = None) -> dict[str, Any]:
        """Of the given lines, else of what is pending and a period of each item."""
        if lines is None:
            period = (self.period_start, self.period_end)
            charged = (item for item in self.items if not item.is_metered)
            lines = self.pending + [period_line(i, self.percent_off, *period) for i in charged]
        self.pending = []
        amount = sum(line.amount for line in lines)
        if amount < 0:
            raise ValueError(f"{self.subscription_id} would be billed less than nothing: {lines}")
        token = self.account.chance.token(22)
        self.invoices += 1
        self.last_invoice = {
            "id": f"in_1{token}",
            "charge": f"ch_3{token}",
            "created": at,
            "reason": reason,
            "amount": amount,
            "lines": lines,
            "paid": False,
            "paid_at": None,
            "attempts": 0,
            "number": f"{self.subscription_id[5:13].upper()}-{self.invoices:04d}",
        }
        self.latest_invoice = str(self.last_invoice["id"])
        for place, line in enumerate(lines):
            if line.amount > 0:
                self.billed[line.item_id] = self.latest_invoice, line_id(self.latest_invoice, place)
        self._bill("invoice.created", at)
        return self.last_invoice

    def _bill(self, kind: str, at: int) -> None:
        body = invoice_object(self, self.last_invoice or {}, self.account.is_new(at))
        self.account.emit(kind, at, body)

    def _pay(self, at: int, reason: str) -> None:
        self._invoice(at, reason)
        self._settle(at, True)

    def _bill_usage(self) -> bool:
        """What the period that is over used is pending; false where nothing is metered."""
        metered = [item for item in self.items if item.is_metered]
        for item in metered:
            line = usage_line(item, self.percent_off, self.period_start, self.period_end)
            self.pending += [line] if line.amount else []
            item.used, item.billed_usage = 0, line.amount
        return bool(metered)

    def _settle_changes(self, at: int) -> None:
        """An invoice of what is pending alone; what is no charge waits for the next one."""
        if sum(line.amount for line in self.pending) > 0:
            of_period = self.last_invoice
            self._invoice(at, "subscription_update", self.pending)
            self._settle(at + 1 * SECOND, True)
            self.last_invoice = of_period

    def _settle(self, at: int, works: bool) -> None:
        invoice = self.last_invoice or {}
        invoice["attempts"] += 1
        invoice["paid"], invoice["paid_at"] = works, at if works else None
        charge = charge_object(self, invoice, at)
        self.account.emit("charge.succeeded" if works else "charge.failed", at, charge)
        self._bill("invoice.paid" if works else "invoice.payment_failed", at)
        if works:
            self.ledger.paid(self.customer, at, invoice["amount"], self.price["currency"])
