"""Stripe's cash is rebuilt by customer: whatever came, in whatever order, the tables are those of a full refresh.

Payments of two accounts under the same ids are told by charges, invoices or both, now and then by guests
who are somebody; refunds fail and come again. All of it is shuffled and loaded bit by bit, with a file
of each account that was wrong and is taken back. Belongs here: money of Stripe over several loads.
Does not belong here: what one event counts.
"""

import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.python.marts.house import House, Rows, assert_equal
from tests.python.revenue.webhooks import event, seconds

pytestmark = pytest.mark.slow

CASH = ("+fact_payments", "+fact_invoices", "+int_revenue__stripe_refunds")
TABLES = (
    "intermediate.int_revenue__stripe_invoice_events",
    "intermediate.int_revenue__stripe_charges",
    "intermediate.int_revenue__stripe_refund_objects",
    "intermediate.int_revenue__stripe_cash",
    "intermediate.int_revenue__stripe_payments",
    "intermediate.int_revenue__stripe_refunds",
    "intermediate.int_revenue__stripe_invoices",
    "revenue.fact_payments",
    "revenue.fact_invoices",
)
WRITTEN_IN_PART = (
    "intermediate.int_revenue__stripe_cash",
    "revenue.fact_payments",
    "revenue.fact_invoices",
)
ACCOUNTS = ("acct_upcoach", "acct_rostracore")
CUSTOMERS = 30
PAYMENTS = 80
SHARES = (0, 70, 78, 86, 93, 100)  # of the events, in per cent, by the load that brings them
WRONG = "stripe/{}/2026-07-01/wrong.jsonl"  # when it came

Record = dict[str, Any]


class Money:
    """Events of payments of one account, and what came in and stayed back by them."""

    def __init__(self, account: str, chance: random.Random) -> None:
        self.account, self.chance, self.events = account, chance, list[Record]()
        self.paid = self.paid_by_guests = self.given_back = 0

    def tell(self, kind: str, at: str, body: Record) -> None:
        name = f"{body['id']}_{kind}_{at}_{len(self.events)}"
        told = {"currency": "usd", "metadata": {"tenant_id": self.account}, **body}
        self.events.append(event(name, kind, at, told))

    def charge(self, name: str, kind: str, at: str, amount: int, **more: Any) -> None:
        status = kind if kind in ("failed", "pending") else "succeeded"
        paid = {"status": status, "paid": status == "succeeded", "captured": True}
        told = {"id": f"ch_{name}", "object": "charge", "amount": amount, "amount_refunded": 0}
        self.tell(f"charge.{kind}", at, {**told, **paid, "created": seconds(at), **more})

    def invoice(self, name: str, at: str, amount: int, **more: Any) -> None:
        paid = {"status": "paid", "amount_due": amount, "amount_paid": amount}
        told = {"id": f"in_{name}", "object": "invoice", "created": seconds(at)}
        self.tell("invoice.paid", at, {**told, **paid, **more})

    def refund(self, name: str, number: int, at: str, amount: int, status: str) -> None:
        kind = "refund.failed" if status == "failed" else "refund.created"
        told = {"id": f"re_{name}_{number}", "object": "refund", "charge": f"ch_{name}"}
        self.tell(kind, at, {**told, "amount": amount, "status": status, "created": seconds(at)})


def payment(money: Money, number: int) -> None:
    """One payment of an amount of its own, so that no other is taken for it, told in one of ten ways."""
    name, amount = f"p{number}", 10_000 + number
    day = f"2026-{1 + number % 6:02d}-{1 + number % 27:02d}"
    payer = {"customer": f"cus_{money.chance.randrange(CUSTOMERS)}"}
    way = number % 10
    at, later = f"{day}T08:00:00", f"{day}T09:00:00"
    if way == 0:  # the charge names its invoice; the first attempt failed
        money.charge(f"{name}f", "failed", at, amount, **payer)
        money.charge(name, "succeeded", later, amount, invoice=f"in_{name}", **payer)
        money.invoice(name, later, amount, **payer)
    elif way == 1:  # the invoice names its charge
        money.charge(name, "succeeded", at, amount, **payer)
        money.invoice(name, later, amount, charge=f"ch_{name}", **payer)
    elif way == 2:  # both name the payment
        money.charge(name, "succeeded", at, amount, payment_intent=f"pi_{name}", **payer)
        money.invoice(name, later, amount, payment_intent=f"pi_{name}", **payer)
    elif way == 3:  # neither names the other: same customer, amount and day
        money.charge(name, "succeeded", at, amount, **payer)
        money.invoice(name, later, amount, **payer)
    elif way == 4:  # nobody tells of a charge
        money.invoice(name, at, amount, **payer)
    elif way == 5:  # a guest pays
        money.charge(name, "succeeded", at, amount)
        money.paid_by_guests += amount
    elif way == 6:  # a guest who is the customer of an invoice: one of the two names the other
        named, names = money.chance.choice([
            ({"invoice": f"in_{name}"}, {}),
            ({}, {"charge": f"ch_{name}"}),
            ({"payment_intent": f"pi_{name}"}, {"payment_intent": f"pi_{name}"}),
        ])  # fmt: skip
        money.charge(name, "succeeded", at, amount, **named)
        money.invoice(name, later, amount, **names, **payer)
    elif way == 7:  # a guest who is known later
        money.charge(name, "pending", at, amount)
        money.charge(name, "succeeded", later, amount, **payer)
    else:  # a customer pays without an invoice
        money.charge(name, "succeeded", at, amount, **payer)
    money.paid += amount
    if way not in (4, 8) and money.chance.random() < 0.5:
        refunds(money, name, day[:8], amount, payer if way not in (5, 6) else {})


def refunds(money: Money, name: str, month: str, amount: int, payer: Record) -> None:
    """A part goes back; of every other the bank sends it back, and as much goes back once more."""

    def total(refunded: int, at: str) -> None:
        money.charge(name, "refunded", at, amount, amount_refunded=refunded, **payer)

    at, failed_at, again_at = (f"{month}{day}T12:00:00" for day in (28, 29, 30))
    if month == "2026-02-":
        at, failed_at, again_at = (f"2026-03-{day}T12:00:00" for day in (28, 29, 30))
    part = amount // 3
    total(part, at)
    money.refund(name, 1, at, part, "succeeded")
    money.given_back += part
    if money.chance.random() < 0.5:
        money.refund(name, 1, failed_at, part, "failed")
        total(0, failed_at)
        total(part, again_at)
        money.refund(name, 2, again_at, part, "succeeded")


def customers(account: str) -> Iterator[Record]:
    """Of every customer a second event names another tenant: the first one counts, whichever comes first."""
    for number in range(CUSTOMERS):
        tenants = ("north", "south") if number % 2 else ("south", "north")
        for day, tenant in zip(("2026-01-01", "2026-02-01"), tenants, strict=True):
            body = {
                "id": f"cus_{number}",
                "object": "customer",
                "metadata": {"tenant_id": f"{account}-{tenant}", "user_id": f"user-{number}"},
            }
            yield event(f"cus_{number}_{day}", "customer.updated", day, body)


def wrong_events(account: str) -> list[Record]:
    """What nobody should have told: each moves money of others until it is taken back."""
    money = Money(account, random.Random(1))
    # of others' payments: a guest's is a customer's, an invoice's is a guest's, a charge is given back
    money.charge("p5", "updated", "2026-05-01", 10_005, customer="cus_6")
    money.charge("w1", "succeeded", "2026-05-01", 10_004, invoice="in_p4")
    money.invoice("w2", "2026-05-01", 10_015, charge="ch_p15", customer="cus_3")
    money.charge("p18", "refunded", "2026-05-01", 10_018, amount_refunded=9_000, customer="cus_1")
    money.refund("p19", 9, "2026-05-01", 500, "failed")
    # two customers' invoices that name one charge: it is a third one's, or one of theirs
    for customer in ("cus_0", "cus_1"):
        names = {"charge": "ch_p19", "payment_intent": "pi_p12"}
        money.invoice(f"w5_{customer}", "2026-05-01", 10_019, customer=customer, **names)
    # payments that never were
    money.charge("w3", "succeeded", "2026-05-01", 77_000, customer="cus_2")
    money.invoice("w4", "2026-05-01", 88_000, customer="cus_2")
    money.tell("customer.updated", "2025-12-01", {
        "id": "cus_4", "object": "customer", "metadata": {"tenant_id": f"{account}-nowhere"}})  # fmt: skip
    return money.events


def history() -> tuple[dict[str, list[Record]], dict[str, Money]]:
    chance = random.Random(18)
    told, moneys = {}, {}
    for account in ACCOUNTS:
        money = moneys[account] = Money(account, chance)
        for number in range(PAYMENTS):
            payment(money, number)
        told[account] = [*money.events, *customers(account)]
        chance.shuffle(told[account])
    return told, moneys


def brought_by(load: int, told: list[Record]) -> list[Record]:
    """The last load brings the invoices of guests, and nothing else that could say whose their charges are."""
    of_guests = {f"in_p{number}" for number in range(6, PAYMENTS, 10)}
    invoices = [record for record in told if record["data"]["object"]["id"] in of_guests]
    others = [record for record in told if record not in invoices]
    parts = [len(others) * share // 100 for share in SHARES]
    return [*(others[first:last] for first, last in pairwise(parts)), invoices][load]


def as_computed(house: House, queries: dict[str, str]) -> dict[str, Rows]:
    """What each model would be, made of what it reads as that stands."""
    return {
        name: Rows(row for (row,) in house.query(f"select to_jsonb(t)::text from ({query}) as t"))
        for name, query in queries.items()
    }


def held(house: House) -> dict[str, Rows]:
    return {table: house.rows(table) for table in TABLES}


def test_load_by_load(new_house: Callable[[str], House]) -> None:
    house = new_house("cash")
    told, moneys = history()
    queries: dict[str, str] = {}
    for load in range(len(SHARES)):
        for account in ACCOUNTS:
            house.put(f"stripe/{account}/{load}.jsonl", brought_by(load, told[account]))
            if load == 1:
                house.put(WRONG.format(account), wrong_events(account))
        house.load()
        house.build(CASH)
        if not queries:  # as everything is built
            queries = {table: compiled(house, table.split(".")[1]) for table in TABLES}
        assert_equal(held(house), as_computed(house, queries), f"load {load}")
        if load:
            assert_partly_written_anew(house)
    take_back_what_was_wrong(house)
    house.build(CASH)
    assert_partly_written_anew(house)

    built = held(house)
    assert_equal(built, as_computed(house, queries), "what was wrong is gone")
    house.build(CASH, full_refresh=True)
    assert_equal(built, held(house), "full refresh")
    for account, money in moneys.items():
        assert_money_is_what_was_paid(house, account, money)


def take_back_what_was_wrong(house: House) -> None:
    """The bodies that were received first, which count (rule 40), say nothing of money."""
    for account in ACCOUNTS:
        nothing = {"type": "customer.updated", "data": {"object": {"object": "customer"}}}
        told = [{**wrong, **nothing} for wrong in wrong_events(account)]
        house.put(f"stripe/{account}/right.jsonl", told)
    house.load()
    conflicts = "select count(*) from ops.record_conflicts where source_kind = 'stripe'"
    assert house.query(conflicts) == [(sum(len(wrong_events(account)) for account in ACCOUNTS),)]


def compiled(house: House, name: str) -> str:
    folder = house.warehouse.settings.home / "target/compiled/tallyhouse/models"
    return next(folder.rglob(f"{name}.sql")).read_text("utf-8")


def assert_partly_written_anew(house: House) -> None:
    """The newest build wrote some customers' rows and left those of others, payments and invoices alike."""
    for table in WRITTEN_IN_PART:
        assert house.is_partly_written_anew(table), table


def assert_money_is_what_was_paid(house: House, account: str, money: Money) -> None:
    """Each payment once, whoever told of it, and what was given back and stayed with whom it went to."""
    [(paid, by_guests)] = house.query(
        "select sum(amount_source_cents), sum(amount_source_cents) filter (where user_id is null)"
        " from intermediate.int_revenue__stripe_cash"
        f" where account = '{account}' and cash_type <> 'refund'"
    )
    [(given_back,)] = house.query(
        "select sum(amount_cents) from intermediate.int_revenue__stripe_refunds"
        f" where account = '{account}' and status = 'succeeded'"
    )
    found = (paid, by_guests, given_back)
    assert found == (money.paid, money.paid_by_guests, money.given_back), account
