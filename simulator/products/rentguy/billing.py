"""Invoices of what was rented: part payments, failed and late ones, credit notes, mistakes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from simulator.products.rentguy.catalogue import METHODS, NAME
from simulator.products.rentguy.depot import Depot, amount
from simulator.sources.debezium import decimal
from simulator.timeline import DAY, HOUR, MINUTE, epoch_day, iso_micros
from simulator.truth.rental.happened import Invoice

REFUSALS = ("insufficient_funds", "mandate_revoked", "expired")


class Billing:
    """The billing module of one company."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.chance = depot.world.chance(NAME, depot.tenant, "billing")

    def bill(self, booking: int, customer: int, net: int, ended: int) -> None:
        depot, chance = self.depot, self.chance
        issued = ended + int(chance.between(2, 40) * HOUR)
        invoice = self._issue("invoice", booking, customer, net, issued, None)
        if invoice is None:
            return
        if chance.hit(0.01):
            at = issued + 2 * HOUR
            if depot.update(at, "invoices", invoice.number, invoice.row | {"status": "void"}):
                invoice.is_void = True
                return
        credited = 0
        if chance.hit(0.05):
            part = net if chance.hit(0.3) else net // 4
            at = issued + int(chance.between(1, 12) * DAY)
            note = self._issue("credit_note", booking, customer, part, at, invoice)
            credited = note.total if note is not None else 0
            if part == net:
                return
        self._collect(invoice, customer, invoice.total - credited, issued)

    def _issue(
        self, kind: str, booking: int, customer: int, net: int, at: int, credited: Invoice | None
    ) -> Invoice | None:
        depot, company = self.depot, self.depot.company
        currency, tax = company.tenant.currency, round(net * company.tax_percent / 100)
        due = depot.days.day(min(at, depot.world.limit)) + timedelta(days=company.days_to_pay)
        if credited is not None:
            due = credited.due
        number = depot.new_id("invoice")
        sign = -1 if credited is not None and self.chance.hit(0.5) else 1
        row: dict[str, Any] = {
            "customer_id": customer,
            "booking_id": booking,
            "kind": kind,
            "credited_invoice_id": credited.number if credited else None,
            "status": "sent",
            "net_amount": decimal(sign * amount(net, currency)),
            "tax_amount": decimal(sign * amount(tax, currency)),
            "currency": currency.upper(),
            "issued_at": iso_micros(at),
            "due_on": epoch_day(due) if credited is None else epoch_day(depot.days.day(at)),
            "billing_address": "Kade 1",
        }
        if not depot.insert(at, "invoices", number, dict(row)):
            return None
        invoice = Invoice(depot.tenant, number, credited, currency, net + tax, tax, due, row)
        depot.happened.invoices.append(invoice)
        return invoice

    def _collect(self, invoice: Invoice, customer: int, owed: int, issued: int) -> None:
        """Most pay around the due day, some in two parts, some weeks late, some never."""
        chance, days = self.chance, self.depot.company.days_to_pay
        draw = chance.uniform()
        if draw < 0.03 or owed <= 0:
            return
        at = issued + int(chance.between(0.2, 1.2) * days * DAY)
        if draw < 0.15:
            at = issued + int((days + chance.between(15, 60)) * DAY)
        if chance.hit(0.06):
            self._pay(invoice, customer, owed, at - 2 * HOUR, "failed")
        if draw > 0.9:
            self._pay(invoice, customer, owed // 2, at, "succeeded")
            at += int(chance.between(5, 50) * DAY)
            owed -= owed // 2
        self._pay(invoice, customer, owed, at, "succeeded")

    def _pay(self, invoice: Invoice, customer: int, cents: int, at: int, outcome: str) -> None:
        depot, chance, number = self.depot, self.chance, self.depot.new_id("payment")
        row: dict[str, Any] = {
            "invoice_id": invoice.number,
            "customer_id": customer,
            "method": chance.pick(METHODS),
            "status": "pending",
            "failure_reason": None,
            "amount": decimal(amount(cents, invoice.currency)),
            "currency": invoice.currency.upper(),
            "attempted_at": iso_micros(at),
            "payer_name": "A. Payer",
            "iban": "NL00TEST0123456789",
        }
        if not depot.insert(at, "payments", number, dict(row)):
            return
        row |= {"status": outcome}
        if outcome == "failed":
            row["failure_reason"] = chance.pick(REFUSALS)
        if depot.update(at + 2 * MINUTE, "payments", number, row) and outcome == "succeeded":
            invoice.paid.append((at, cents))
            if sum(c for _, c in invoice.paid) >= invoice.total:
                done = invoice.row | {"status": "paid"}
                depot.update(at + 3 * MINUTE, "invoices", invoice.number, done)
