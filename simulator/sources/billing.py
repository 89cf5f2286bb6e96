"""Invoices and charges of one Stripe subscription: what is billed, what is paid, what goes back."""

from __future__ import annotations

from typing import Any

from simulator.ledger import Customer, Ledger
from simulator.sources.stripe import StripeAccount
from simulator.sources.stripe_invoices import charge_object, invoice_object


class Billing:
    """The part of a subscription that bills; mixed into it."""

    account: StripeAccount
    ledger: Ledger
    customer: Customer
    price: dict[str, Any]
    quantity: int
    subscription_id: str
    latest_invoice: str | None
    last_invoice: dict[str, Any] | None
    invoices: int
    discount: dict[str, Any] | None

    @property
    def percent_off(self) -> int:
        return int(self.discount["coupon"]["percent_off"]) if self.discount else 0

    @property
    def charged(self) -> int:
        """What a period costs, in minor units."""
        return self.price["amount"] * self.quantity * (100 - self.percent_off) // 100

    def refund(self, at: int, amount: int) -> None:
        invoice = self.last_invoice
        if invoice and invoice["paid"]:
            body = charge_object(self, invoice, invoice["created"], amount)
            self.account.emit("charge.refunded", at, body, {"amount_refunded": 0})
            self.ledger.paid(self.customer, at, -amount, self.price["currency"])

    def _invoice(self, at: int, reason: str) -> dict[str, Any]:
        token = self.account.chance.token(22)
        self.invoices += 1
        self.last_invoice = {
            "id": f"in_1{token}",
            "charge": f"ch_3{token}",
            "created": at,
            "reason": reason,
            "amount": self.charged,
            "paid": False,
            "paid_at": None,
            "attempts": 0,
            "number": f"{self.subscription_id[5:13].upper()}-{self.invoices:04d}",
        }
        self.latest_invoice = self.last_invoice["id"]
        self._bill("invoice.created", at)
        return self.last_invoice

    def _bill(self, kind: str, at: int) -> None:
        body = invoice_object(self, self.last_invoice or {}, self.account.is_new(at))
        self.account.emit(kind, at, body)

    def _pay(self, at: int, reason: str) -> None:
        self._invoice(at, reason)
        self._settle(at, True)

    def _settle(self, at: int, works: bool) -> None:
        invoice = self.last_invoice or {}
        invoice["attempts"] += 1
        invoice["paid"], invoice["paid_at"] = works, at if works else None
        charge = charge_object(self, invoice, at)
        self.account.emit("charge.succeeded" if works else "charge.failed", at, charge)
        self._bill("invoice.paid" if works else "invoice.payment_failed", at)
        if works:
            self.ledger.paid(self.customer, at, invoice["amount"], self.price["currency"])
