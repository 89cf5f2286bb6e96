"""What a studio's clients are billed, and what they pay: late, in parts, after a failure, or not at all."""

from __future__ import annotations

from datetime import timedelta

from simulator.products.projectflo.office import Office, day_number
from simulator.sources.debezium import decimal
from simulator.timeline import iso_micros
from simulator.truth.projects.happened import Bill, Project


class Billing:
    """The invoices of one studio."""

    def __init__(self, office: Office, producer: str) -> None:
        self.office, self.producer = office, producer
        self.chance = office.chance("billing")

    def invoice(self, project: Project, net: int) -> None:
        """An invoice goes out now, due by the studio's terms."""
        office, chance = self.office, self.chance
        if net <= 0:
            return
        tax = office.money(net * office.studio.tax)
        terms = office.studio.terms_days
        due = office.today + timedelta(days=terms)
        number = office.put(
            "invoices", project_id=project.number, client_id=project.client, kind="invoice",
            credited_invoice_id=None, status="sent", currency=office.studio.tenant.currency.upper(),
            net_amount=decimal(net), tax_amount=decimal(tax), issued_at=iso_micros(office.now),
            due_on=day_number(due),
        )  # fmt: skip
        office.tell("invoice_sent", self.producer, invoice_id=number, due_on=due.isoformat())
        project.invoices.append((office.today, net))
        bill = Bill(office.tenant, office.today)
        office.happened.bills.append(bill)
        owed = net + tax
        if chance.hit(0.12):
            back = office.money(net * 0.1)
            gross = back + office.money(back * office.studio.tax)
            office.later(2, 11.0, lambda: self._credit(project, number, back, gross))
            owed -= gross
        days = chance.integer(4, terms) if chance.hit(0.6) else terms + chance.integer(1, 45)
        if chance.hit(0.2):
            half = office.money(owed * 0.5)
            office.later(days, 12.0, lambda: self._pay(number, half, None))
            owed, days = owed - half, days + 9
        if chance.hit(0.1):
            office.later(days, 13.0, lambda: self._pay(number, owed, None, fails=True))
            days += 2
        if chance.hit(0.95):
            office.later(days, 14.0, lambda: self._pay(number, owed, bill))

    def _credit(self, project: Project, number: int, net: int, gross: int) -> None:
        office = self.office
        office.put(
            "invoices", project_id=project.number, client_id=project.client, kind="credit_note",
            credited_invoice_id=number, status="sent",
            currency=office.studio.tenant.currency.upper(), net_amount=decimal(net),
            tax_amount=decimal(gross - net), issued_at=iso_micros(office.now), due_on=None,
        )  # fmt: skip
        project.invoices.append((office.today, -net))

    def _pay(self, number: int, amount: int, settles: Bill | None, fails: bool = False) -> None:
        office = self.office
        office.put(
            "payments", invoice_id=number, status="failed" if fails else "succeeded",
            method="transfer", failure_reason="insufficient_funds" if fails else None,
            currency=office.studio.tenant.currency.upper(), amount=decimal(amount),
            attempted_at=iso_micros(office.now),
        )  # fmt: skip
        if settles is not None:
            settles.paid = office.today
            office.change("invoices", number, status="paid")
            office.tell("invoice_paid", self.producer, invoice_id=number)
