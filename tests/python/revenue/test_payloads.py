"""Payloads as Stripe really sends them, in both shapes of the API, one tenant a case.

Coupons by their id and on customers, tax that only an invoice shows, histories that begin in mid-life, months for free,
refunds that never went back.

Belongs here: what a payload leaves out, and where else it stands. Does not belong here: the rules of `standard`
(`test_rules`), what policies count (`test_policies`).
"""

from collections.abc import Callable
from typing import Any

import pytest

from ingestion.values.identity import uuid_text
from tests.building import run_dbt
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.webhooks import (
    coupon,
    discount,
    event,
    of_customer,
    plan_of,
    price,
    seconds,
    store,
    subscription,
)

pytestmark = pytest.mark.slow

AS_OF = "2026-12-01T12:00:00Z"
MONTH, YEAR = price(10000), price(120000, "year")
Record = dict[str, Any]


def customer(name: str, at: str, kind: str = "updated", **fields: Any) -> Record:
    body = {"id": f"cus_{name}", "object": "customer", "metadata": {}, **fields}
    return event(f"cus_{name}_{kind}_{at}", f"customer.{kind}", at, body)


def billed(
    name: str, at: str, held: Record, amount: int, new_shape: bool = True, *,
    off: dict[str, int] | None = None, tax: int = 0, by_line: bool = True, quantity: int = 1,
) -> Record:  # fmt: skip
    """An invoice of one line: discounts by their id, and inclusive tax by line or as a whole."""
    taken = sum((off or {}).values())
    old_tax = [{"amount": tax, "inclusive": True, "tax_rate": "txr_1"}]
    new_tax = [
        {"amount": tax, "tax_behavior": "inclusive", "tax_rate_details": {"tax_rate": "txr_1"}}
    ]
    line: Record = {
        "id": f"il_{name}",
        "amount": amount,
        "currency": "usd",
        "quantity": quantity,
        "period": {"start": seconds(at), "end": seconds(at) + 28 * 86_400},
        "discount_amounts": [{"amount": n, "discount": f"di_{d}"} for d, n in (off or {}).items()],
        "tax_amounts" if not new_shape else "taxes": (new_tax if new_shape else old_tax)
        if tax and by_line
        else [],
    }
    body: Record = {
        "id": f"in_{name}_{at}",
        "object": "invoice",
        "customer": f"cus_{name}",
        "currency": "usd",
        "status": "paid",
        "created": seconds(at),
        "amount_due": amount - taken,
        "amount_paid": amount - taken,
        "total": amount - taken,
        "total_taxes" if new_shape else "total_tax_amounts": (new_tax if new_shape else old_tax)
        if tax
        else [],
        "lines": {"object": "list", "data": [line]},
    }
    if new_shape:
        line["pricing"] = {"price_details": {"price": held["id"]}}
        body["parent"] = {"subscription_details": {"subscription": f"sub_{name}"}}
    else:
        line["plan"] = plan_of(held)
        body["subscription"] = f"sub_{name}"
    return event(f"in_{name}_{at}", "invoice.paid", at, body)


def listed(item: Record, new_shape: bool, quantity: int = 1) -> Record:
    """An item as previous_attributes hold it."""
    shown = {"price": item} if new_shape else {"plan": plan_of(item)}
    return {"object": "list", "data": [{"id": "si_0", "quantity": quantity, **shown}]}


INCLUSIVE = {**MONTH, "id": "price_inclusive", "tax_behavior": "inclusive", "unit_amount": 12000}
HALF = {"id": "old_half", "object": "coupon", "duration": "forever", "percent_off": 50}

COUPONS = [
    coupon("tenth", percent_off=10),
    coupon("twenty", amount_off=2000, currency="usd"),
    coupon("half_year", duration="repeating", duration_in_months=3, percent_off=50),
    # 38: a coupon by its id alone, on the discount, on an item, on a discount that is itself an id
    subscription("by_id", "created", "2026-01-10", MONTH,
                 discounts=[discount("by_id", "tenth", "2026-01-10")]),
    subscription("by_both", "created", "2026-01-10", MONTH, discounts=["di_by_both"]),
    of_customer("by_both", "created", "2026-01-10", discount("by_both", "twenty", "2026-01-10"), "sub_by_both"),
    # its object came in an event of its own, which the old API shows whole
    subscription("old_id", "created", "2026-01-10", MONTH, new_shape=False, discounts=["di_old_id"]),
    of_customer("old_id", "created", "2026-01-10",
                discount("old_id", HALF, "2026-01-10", new_shape=False), "sub_old_id"),
    # an id that was given anew: each discount takes off what the coupon of its time did
    coupon("anew", "2026-01-01", percent_off=10),
    coupon("anew", "2026-06-01", percent_off=40),
    subscription("first_anew", "created", "2026-02-01", MONTH,
                 discounts=[discount("first_anew", "anew", "2026-02-01")]),
    subscription("then_anew", "created", "2026-07-01", MONTH,
                 discounts=[discount("then_anew", "anew", "2026-07-01")]),
    # 38: on the customer, before the subscriptions and while they run; taken away later
    subscription("wide", "created", "2026-01-10", MONTH),
    subscription("wider", "created", "2026-03-10", YEAR, tenant="wide", customer="cus_wide"),
    of_customer("wide", "created", "2026-02-10", discount("wide", "tenth", "2026-02-10")),
    of_customer("wide", "deleted", "2026-05-10", discount("wide", "tenth", "2026-02-10", end=seconds("2026-05-10"))),
    # on the customer object alone, old shape; another discount, then none
    subscription("inside", "created", "2026-01-10", MONTH, new_shape=False),
    customer("inside", "2026-02-10", discount=discount("inside", HALF, "2026-02-10", new_shape=False)),
    customer("inside", "2026-02-20", discount=discount("inside", HALF, "2026-02-10", new_shape=False)),
    customer("inside", "2026-03-10", email="unsaid"),
    customer("inside", "2026-04-10",
             discount=discount("inside2", {**HALF, "id": "q", "percent_off": 25}, "2026-04-10", new_shape=False)),
    customer("inside", "2026-05-10", discount=None),
    # a switch from one coupon to another within a second
    subscription("switch", "created", "2026-01-10", MONTH, customer="cus_switch"),
    of_customer("switch", "created", "2026-01-10", discount("switch", "tenth", "2026-01-10")),
    of_customer("switch", "deleted", "2026-03-10", discount("switch", "tenth", "2026-01-10")),
    of_customer("switch", "created", "2026-03-10", discount("switch2", "twenty", "2026-03-10")),
    # stacked on the subscription's list: 100 less 10 % less 20; less 10 % less 10 %
    subscription("stack", "created", "2026-01-10", MONTH,
                 discounts=[discount("stack", "twenty", "2026-01-10")]),
    of_customer("stack", "created", "2026-01-05", discount("stacked", "tenth", "2026-01-05")),
    # the one discount of the old API stands in for the customer's, until it is gone
    subscription("single", "created", "2026-01-10", MONTH, new_shape=False,
                 discount=discount("single", HALF, "2026-01-10", new_shape=False)),
    of_customer("single", "created", "2026-01-05", discount("singled", "tenth", "2026-01-05")),
    subscription("single", "updated", "2026-04-10", MONTH, new_shape=False, discount=None, previous={}),
    # before it is told that there is a customer; the customer goes in the second in which it is shown with one
    subscription("at_once", "created", "2026-01-10", MONTH),
    of_customer("at_once", "created", "2026-01-10", discount("at_once", "tenth", "2026-01-10")),
    customer("at_once", "2026-01-10", "created", discount=None),
    customer("at_once", "2026-03-10", discount=discount("at_once", "tenth", "2026-01-10")),
    customer("at_once", "2026-03-10", "deleted"),
    # of whose discount only the end is known, which says since when it had it, or does not
    subscription("lone_gone", "created", "2026-01-10", MONTH),
    of_customer("lone_gone", "deleted", "2026-05-10",
                discount("lone_gone", "tenth", "2026-01-10", end=seconds("2026-05-10"))),
    subscription("lone_undated", "created", "2026-01-10", MONTH),
    of_customer("lone_undated", "deleted", "2026-05-10",
                discount("lone_undated", "tenth", "2026-01-10", start=None)),
    # the old API's discounts had no ids
    subscription("nameless", "created", "2026-01-10", MONTH, new_shape=False),
    customer("nameless", "2026-02-10",
             discount={"object": "discount", "coupon": HALF, "start": seconds("2026-02-10"), "end": None}),
    customer("nameless", "2026-05-10", discount=None),
    # one that ends by itself counts where such coupons do
    subscription("ends", "created", "2026-01-10", MONTH),
    of_customer("ends", "created", "2026-01-10",
                discount("ends", "half_year", "2026-01-10", end=seconds("2026-04-10"))),
    # nobody shows the coupon: an invoice says what it took off
    subscription("unseen", "created", "2026-01-10", MONTH,
                 discounts=[discount("unseen", "lost", "2026-01-10")]),
    billed("unseen", "2026-01-10", MONTH, 10000, off={"unseen": 1500}),
    subscription("unseen_old", "created", "2026-01-10", MONTH, new_shape=False, discounts=["di_unseen_old"]),
    billed("unseen_old", "2026-01-10", MONTH, 10000, new_shape=False, off={"unseen_old": 2500}),
    # and here nobody does
    subscription("nobody", "created", "2026-01-10", MONTH,
                 discounts=[discount("nobody", "gone", "2026-01-10")]),
    subscription("nobody2", "created", "2026-01-10", MONTH, discounts=["di_nobody2"]),
    subscription("nobody3", "created", "2026-01-10", MONTH),
    of_customer("nobody3", "created", "2026-02-10", discount("nobody3", "gone", "2026-02-10")),
]  # fmt: skip
# the same ids in another account mean another coupon
OTHER = [
    coupon("tenth", percent_off=75),
    subscription(
        "by_id",
        "created",
        "2026-01-10",
        MONTH,
        discounts=[discount("by_id", "tenth", "2026-01-10")],
    ),
    subscription("wide", "created", "2026-01-10", MONTH),
]

INCLUSIVE_TOO = {**INCLUSIVE, "id": "price_too", "unit_amount": 10000}


def with_line_without_tax(told: Record) -> Record:
    """The invoice with a second line, of 100 without tax, as Stripe says it."""
    body = told["data"]["object"]
    (first,) = body["lines"]["data"]
    second = {
        **first,
        "id": "il_too",
        "amount": 10000,
        "pricing": {"price_details": {"price": "price_too"}},
        "taxes": [{"amount": 0, "tax_behavior": "inclusive"}],
    }
    body["lines"]["data"].append(second)
    body["total"] = body["amount_due"] = body["amount_paid"] = 22000
    return told


TWENTY_OFF = {"id": "c_off", "object": "coupon", "duration": "forever", "amount_off": 2400}
RATES = [{"id": "txr_1", "percentage": 20, "inclusive": True}]
TAXES = [
    # 16: 120 with 20 of tax in it, which the invoice alone says, by line or as a whole
    subscription("tax_line", "created", "2026-01-10", INCLUSIVE),
    billed("tax_line", "2026-01-10", INCLUSIVE, 12000, tax=2000),
    subscription("tax_line_old", "created", "2026-01-10", INCLUSIVE, new_shape=False),
    billed("tax_line_old", "2026-01-10", INCLUSIVE, 12000, new_shape=False, tax=2000),
    subscription("tax_whole", "created", "2026-01-10", INCLUSIVE),
    billed("tax_whole", "2026-01-10", INCLUSIVE, 12000, tax=2000, by_line=False),
    subscription("tax_whole_old", "created", "2026-01-10", INCLUSIVE, new_shape=False),
    billed("tax_whole_old", "2026-01-10", INCLUSIVE, 12000, new_shape=False, tax=2000, by_line=False),
    # what others pay of the same price says nothing, and neither does no invoice
    subscription("untaxed", "created", "2026-01-10", INCLUSIVE),
    # the rate changes with what is billed: 240 with 48 in it
    subscription("tax_changes", "created", "2026-01-10", INCLUSIVE),
    billed("tax_changes", "2026-01-10", INCLUSIVE, 12000, tax=2000),
    subscription("tax_changes", "updated", "2026-06-10", INCLUSIVE, quantity=2, previous={}),
    billed("tax_changes", "2026-06-10", INCLUSIVE, 24000, tax=4800, quantity=2),
    # one line has tax in it and the other none; from June there is none, which a line says, or nobody
    subscription("tax_once", "created", "2026-01-10", INCLUSIVE, INCLUSIVE_TOO),
    with_line_without_tax(billed("tax_once", "2026-01-10", INCLUSIVE, 12000, tax=2000)),
    subscription("tax_ends", "created", "2026-01-10", INCLUSIVE),
    billed("tax_ends", "2026-01-10", INCLUSIVE, 12000, tax=2000),
    subscription("tax_ends", "updated", "2026-06-10", INCLUSIVE, previous={}),
    with_line_without_tax(billed("tax_ends", "2026-06-10", INCLUSIVE, 12000)),
    subscription("tax_ends_old", "created", "2026-01-10", INCLUSIVE, new_shape=False),
    billed("tax_ends_old", "2026-01-10", INCLUSIVE, 12000, new_shape=False, tax=2000),
    subscription("tax_ends_old", "updated", "2026-06-10", INCLUSIVE, new_shape=False, previous={}),
    billed("tax_ends_old", "2026-06-10", INCLUSIVE, 12000, new_shape=False),
    # 14, 16: 24 off 120 as shown is 96, with 16 of tax in it
    subscription("off_rates", "created", "2026-01-10", INCLUSIVE, default_tax_rates=RATES,
                 discounts=[discount("off_rates", TWENTY_OFF, "2026-01-10")]),
    subscription("off_rates_old", "created", "2026-01-10", INCLUSIVE, new_shape=False, default_tax_rates=RATES,
                 discount=discount("off_rates_old", TWENTY_OFF, "2026-01-10", new_shape=False)),
    subscription("off_billed", "created", "2026-01-10", INCLUSIVE,
                 discounts=[discount("off_billed", TWENTY_OFF, "2026-01-10")]),
    billed("off_billed", "2026-01-10", INCLUSIVE, 12000, off={"off_billed": 2400}, tax=1600),
]  # fmt: skip

DOUBLE = price(20000)
PARTED = {"id": "parted", "object": "coupon", "duration": "forever", "percent_off": 40}
ONCE = {"id": "old_once", "object": "coupon", "duration": "once", "percent_off": 25}
BEGAN = {"start_date": seconds("2026-01-10"), "trial_end": None}


def changed(name: str, *items: Record, previous: Record, **more: Any) -> Record:
    """The first that is known of a subscription which began on 10 January: an update of 10 March."""
    return subscription(name, "updated", "2026-03-10", *items, previous=previous, **BEGAN, **more)


MIDLIFE = [
    # 22: the new price does not reach back
    changed("mid_price", DOUBLE, previous={"items": listed(MONTH, True)}),
    changed("mid_price_old", DOUBLE, new_shape=False,
            previous={"items": listed(MONTH, False), "plan": plan_of(MONTH)}),
    # of a plan only that is told in which two differ
    changed("mid_plan", DOUBLE, new_shape=False, previous={"plan": {"id": "price_1", "amount": 10000}}),
    changed("mid_quantity", MONTH, quantity=3, previous={"items": {"data": [{"id": "si_0", "quantity": 1}]}}),
    changed("mid_quantity_old", MONTH, quantity=3, new_shape=False, previous={"quantity": 1}),
    # an item that shows its price in both shapes
    changed("mid_both", DOUBLE, previous={"plan": plan_of(MONTH)}, items={"data": [
        {"id": "si_0", "quantity": 1, "price": DOUBLE, "plan": plan_of(DOUBLE)}]}),
    # the oldest shape, without items
    changed("mid_oldest", MONTH, new_shape=False, items={"data": []}, plan=plan_of(MONTH),
            previous={"quantity": 1}),
    changed("mid_coupon", MONTH, discounts=[], previous={"discounts": ["di_mid_coupon"]}),
    of_customer("mid_coupon", "deleted", "2026-03-10",
                discount("mid_coupon", "tenth", "2026-01-10", end=seconds("2026-03-10")), "sub_mid_coupon"),
    changed("mid_coupon_old", MONTH, new_shape=False, discount=None,
            previous={"discount": discount("mid_coupon_old", HALF, "2026-01-10", new_shape=False)}),
    changed("mid_switch_old", MONTH, new_shape=False,
            discount=discount("mid_switch", HALF, "2026-03-10", new_shape=False),
            previous={"discount": {"id": "di_q", "coupon": {"id": "q", "percent_off": 25}}}),
    # the same coupon given anew, and another that takes off as much
    changed("mid_anew", MONTH, new_shape=False,
            discount=discount("mid_anew2", HALF, "2026-03-10", new_shape=False),
            previous={"discount": {"id": "di_mid_anew", "start": seconds("2026-01-10")}}),
    changed("mid_part", MONTH, new_shape=False,
            discount=discount("mid_part", ONCE, "2026-01-10", new_shape=False),
            previous={"discount": {"coupon": {"id": "parted", "duration": "forever"}}}),
    # what was put together of parts is not what others name
    subscription("whole", "created", "2026-02-01", MONTH, new_shape=False,
                 discount=discount("whole", PARTED, "2026-02-01", new_shape=False)),
    subscription("whole_by_id", "created", "2026-02-01", MONTH,
                 discounts=[discount("whole_by_id", "parted", "2026-02-01")]),
    # a list beside the single one: the customer's comes off as well
    of_customer("mid_list", "created", "2026-01-05", discount("mid_listed", "tenth", "2026-01-05")),
    of_customer("mid_list", "created", "2026-01-10",
                discount("mid_list", HALF, "2026-01-10", new_shape=False), "sub_mid_list"),
    changed("mid_list", MONTH, new_shape=False, discount=None, discounts=[],
            previous={"discount": discount("mid_list", HALF, "2026-01-10", new_shape=False),
                      "discounts": ["di_mid_list"]}),
    changed("mid_given", MONTH, discounts=[discount("mid_given", "tenth", "2026-03-10")],
            previous={"discounts": []}),
    # 7, 9: in its trial, or running, until then
    changed("mid_trial", MONTH, previous={"status": "trialing"}),
    changed("mid_pause", MONTH, pause_collection={"behavior": "void"}, previous={"pause_collection": None}),
    changed("mid_paused", MONTH, pause_collection={"behavior": "void", "resumes_at": 2},
            previous={"pause_collection": {"resumes_at": 1}}),
    # a trial of somebody who had none before
    subscription("mid_untried", "updated", "2026-03-10", MONTH, status="trialing",
                 start_date=seconds("2026-01-10"), trial_end=seconds("2026-04-10"),
                 previous={"status": "active", "trial_end": None, "trial_start": None}),
    changed("mid_end", MONTH, status="canceled", ended_at=seconds("2026-03-10"), previous={"status": "active"}),
    # 19: what moved is worth nothing: the price has been the same
    changed("mid_same", MONTH, previous={"latest_invoice": "in_1"}),
    # others tell of the beginning after all
    changed("mid_told", DOUBLE, previous={"items": listed(MONTH, True)}),
    subscription("mid_told", "created", "2026-01-10", price(3000), **BEGAN),
    # of whom only the end is known
    subscription("lone_end", "deleted", "2026-03-10", MONTH, status="canceled",
                 ended_at=seconds("2026-03-10"), **BEGAN),
    subscription("lone_end_old", "deleted", "2026-03-10", MONTH, status="canceled", new_shape=False,
                 discount=discount("lone_end_old", HALF, "2026-01-10", new_shape=False),
                 ended_at=seconds("2026-03-10"), **BEGAN),
    # whose customer had a discount, and has it for longer
    of_customer("lone_wide", "created", "2026-01-10", discount("lone_wide", "tenth", "2026-01-10")),
    subscription("lone_wide", "deleted", "2026-03-10", MONTH, status="canceled",
                 ended_at=seconds("2026-03-10"), **BEGAN),
    of_customer("lone_wide", "deleted", "2026-05-10",
                discount("lone_wide", "tenth", "2026-01-10", end=seconds("2026-05-10"))),
]  # fmt: skip
for told in MIDLIFE:
    if told["data"]["object"]["id"] == "sub_mid_oldest":
        told["data"]["object"]["quantity"] = 3

TRIALS = [
    # 7: a month for free after a month that was paid, in both shapes; and a trial as it should be
    subscription("free", "created", "2026-01-10", MONTH),
    subscription("free", "updated", "2026-02-10", MONTH, status="trialing", previous={"status": "active"}),
    subscription("free", "updated", "2026-03-10", MONTH, previous={"status": "trialing"}),
    changed("free_old", MONTH, new_shape=False, status="trialing", previous={"status": "active"}),
    # who had it for nothing has not paid before
    subscription("gratis", "created", "2026-01-10", price(0)),
    subscription("gratis", "updated", "2026-02-10", MONTH, status="trialing", previous={}),
    subscription("gratis", "updated", "2026-03-10", MONTH, previous={"status": "trialing"}),
    subscription("first_trial", "created", "2026-01-10", MONTH, status="trialing"),
    subscription("first_trial", "updated", "2026-02-10", MONTH, previous={"status": "trialing"}),
]  # fmt: skip


def charge(name: str, kind: str, at: str, refunded: int = 0) -> Record:
    body = {
        "id": f"ch_{name}",
        "object": "charge",
        "customer": f"cus_{name}",
        "metadata": {"tenant_id": name, "user_id": f"user_{name}"},
        "status": "succeeded",
        "paid": True,
        "captured": True,
        "currency": "usd",
        "amount": 5000,
        "amount_refunded": refunded,
        "created": seconds("2026-02-01"),
    }
    return event(f"ch_{name}_{at}", f"charge.{kind}", at, body)


def refund(name: str, kind: str, at: str, amount: int, status: str, refund_id: str = "") -> Record:
    refund_id = refund_id or f"re_{name}_{amount}"
    body = {
        "id": refund_id,
        "object": "refund",
        "charge": f"ch_{name}",
        "currency": "usd",
        "amount": amount,
        "status": status,
        "created": seconds(at),
    }
    return event(f"{refund_id}_{at}_{status}", kind, at, body)


CASH = [
    # 17: 20 went back on the 3rd, and 10 more on the 4th, which the bank sent back on the 9th
    charge("bank", "succeeded", "2026-02-01"),
    charge("bank", "refunded", "2026-02-03", 2000),
    refund("bank", "refund.created", "2026-02-03", 2000, "succeeded"),
    charge("bank", "refunded", "2026-02-04", 3000),
    refund("bank", "refund.created", "2026-02-04", 1000, "pending"),
    refund("bank", "refund.failed", "2026-02-09", 1000, "failed"),
    # 10 that the bank sent back on the 5th, which takes the total down, and as much again on the 8th, which stands;
    # with a total of before in the second of the failure, and one of nothing after it
    charge("again", "succeeded", "2026-02-01"),
    charge("again", "refunded", "2026-02-03", 1000),
    refund("again", "refund.created", "2026-02-03", 1000, "pending", "re_first"),
    charge("again", "updated", "2026-02-05", 1000),
    refund("again", "refund.failed", "2026-02-05", 1000, "failed", "re_first"),
    charge("again", "updated", "2026-02-06", 0),
    charge("again", "refunded", "2026-02-08", 1000),
    refund("again", "refund.created", "2026-02-08", 1000, "succeeded", "re_second"),
    # the same where the failure is told before any total, as lists of charges and refunds do
    charge("listed", "succeeded", "2026-02-01"),
    charge("listed", "updated", "2026-02-08", 700),
    refund("listed", "refund.created", "2026-02-03", 300, "failed"),
    refund("listed", "refund.created", "2026-02-08", 700, "succeeded"),
    # and one whose failure the total never followed: no object tells of a second refund
    charge("stale", "succeeded", "2026-02-01"),
    charge("stale", "refunded", "2026-02-03", 1000),
    refund("stale", "refund.created", "2026-02-03", 1000, "pending"),
    refund("stale", "refund.failed", "2026-02-05", 1000, "failed"),
    charge("stale", "updated", "2026-02-08", 1000),
]
STORE_CASH = [
    # 29: back on the 3rd, and taken back on the 5th; and one that stands
    store("reversed", "INITIAL_PURCHASE", "2026-02-01", 10.0, "2026-02-01", "2026-03-01"),
    store("reversed", "CANCELLATION", "2026-02-03", -10.0, "2026-02-01", "2026-03-01",
          cancel_reason="CUSTOMER_SUPPORT"),
    store("reversed", "REFUND_REVERSED", "2026-02-05", 10.0, "2026-02-01", "2026-03-01"),
    store("returned", "INITIAL_PURCHASE", "2026-02-01", 10.0, "2026-02-01", "2026-03-01"),
    store("returned", "CANCELLATION", "2026-02-03", -10.0, "2026-02-01", "2026-03-01",
          cancel_reason="CUSTOMER_SUPPORT"),
]  # fmt: skip


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House]) -> House:
    """With a policy of one's own, `ours`: `standard`, but a month for free is one of somebody who pays."""
    house = new_house("payloads")
    with house.warehouse.connect() as connection:
        connection.execute(
            "insert into reference.mrr_policies (policy, is_computed, weeks_per_year, days_per_year,"
            " pause_counts_as_zero, temporary_discounts_count, metered_usage_counts, trial_after_paid_counts)"
            " values ('ours', true, 52, 365, true, false, false, true)"
        )
    house.put("stripe/acct_upcoach/a.jsonl", COUPONS + TAXES + MIDLIFE + TRIALS + CASH)
    house.put("stripe/acct_rostracore/a.jsonl", OTHER)
    house.put("revenuecat/upcoach/a.jsonl", STORE_CASH)
    house.load()
    house.build(REVENUE, as_of=AS_OF)
    return house


def movements(
    house: House, tenant: str, product: str = "upcoach", policy: str = "standard"
) -> list[tuple[str, int]]:
    """By day, with the sign of what it is worth more or less."""
    return house.query(
        "select to_char(date_key, 'MM-DD'), round(mrr_change_cents)::int from revenue.fact_mrr_movements "
        f"where tenant_id = '{uuid_text(product, 'tenant', tenant)}' and policy = '{policy}'"
        " and movement_type <> 'fx' order by occurred_at"
    )


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        ("by_id", [("01-10", 9000)]),
        ("by_both", [("01-10", 8000)]),
        ("old_id", [("01-10", 5000)]),
        ("first_anew", [("02-01", 9000)]),
        ("then_anew", [("07-01", 6000)]),
        # 100, less 10 %, 200 less 10 %, and 200
        ("wide", [("01-10", 10000), ("02-10", -1000), ("03-10", 9000), ("05-10", 2000)]),
        ("inside", [("01-10", 10000), ("02-10", -5000), ("04-10", 2500), ("05-10", 2500)]),
        ("switch", [("01-10", 9000), ("03-10", -1000)]),
        ("stack", [("01-10", 7000)]),
        ("at_once", [("01-10", 9000), ("03-10", 1000)]),
        ("lone_gone", [("01-10", 9000), ("05-10", 1000)]),
        ("lone_undated", [("01-10", 10000)]),
        ("nameless", [("01-10", 10000), ("02-10", -5000), ("05-10", 5000)]),
        ("single", [("01-10", 5000), ("04-10", 4000)]),
        ("ends", [("01-10", 10000)]),
        ("unseen", [("01-10", 8500)]),
        ("unseen_old", [("01-10", 7500)]),
        ("nobody", []),
        ("nobody2", []),
        ("nobody3", [("01-10", 10000), ("02-10", -10000)]),
    ],
)
def test_rule_38_coupons_by_their_id_and_on_customers(
    house: House, tenant: str, expected: list[tuple[str, int]]
) -> None:
    assert movements(house, tenant) == expected


def test_rule_38_a_customers_coupon_that_ends_by_itself_counts_where_such_do(house: House) -> None:
    assert movements(house, "ends", policy="chartmogul") == [("01-10", 5000), ("04-10", 5000)]


def test_rule_25_the_same_coupon_of_another_account(house: House) -> None:
    assert movements(house, "by_id", "rostracore") == [("01-10", 2500)]
    assert movements(house, "wide", "rostracore") == [("01-10", 10000)]


def test_rule_38_a_coupon_that_nobody_can_read_is_named(house: House) -> None:
    outcome = run_dbt(house.warehouse, "test", "--select", "every_coupon_can_be_read")
    (said,) = outcome.failures
    assert (
        "the coupon gone of acct_upcoach (subscriptions with it: 2); "
        "the coupon of the discount di_nobody2 of acct_upcoach (subscriptions with it: 1). Land"
    ) in said


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        ("tax_line", [("01-10", 10000)]),
        ("tax_line_old", [("01-10", 10000)]),
        ("tax_whole", [("01-10", 10000)]),
        ("tax_whole_old", [("01-10", 10000)]),
        ("untaxed", [("01-10", 12000)]),
        ("tax_changes", [("01-10", 10000), ("06-10", 9200)]),
        ("tax_once", [("01-10", 20000)]),
        ("tax_ends", [("01-10", 10000), ("06-10", 2000)]),
        ("tax_ends_old", [("01-10", 10000), ("06-10", 2000)]),
        ("off_rates", [("01-10", 8000)]),
        ("off_rates_old", [("01-10", 8000)]),
        ("off_billed", [("01-10", 8000)]),
    ],
)
def test_rule_16_inclusive_tax_that_only_an_invoice_shows(
    house: House, tenant: str, expected: list[tuple[str, int]]
) -> None:
    assert movements(house, tenant) == expected


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        ("mid_price", [("01-10", 10000), ("03-10", 10000)]),
        ("mid_price_old", [("01-10", 10000), ("03-10", 10000)]),
        ("mid_plan", [("01-10", 10000), ("03-10", 10000)]),
        ("mid_quantity", [("01-10", 10000), ("03-10", 20000)]),
        ("mid_quantity_old", [("01-10", 10000), ("03-10", 20000)]),
        ("mid_oldest", [("01-10", 10000), ("03-10", 20000)]),
        ("mid_coupon", [("01-10", 9000), ("03-10", 1000)]),
        ("mid_coupon_old", [("01-10", 5000), ("03-10", 5000)]),
        ("mid_switch_old", [("01-10", 7500), ("03-10", -2500)]),
        ("mid_anew", [("01-10", 5000)]),
        ("mid_part", [("01-10", 7500), ("03-10", 2500)]),
        ("whole_by_id", [("02-01", 6000)]),
        # 100 less 50 % less 10 %, then less 10 %
        ("mid_list", [("01-10", 4500), ("03-10", 4500)]),
        ("mid_given", [("01-10", 10000), ("03-10", -1000)]),
        ("mid_both", [("01-10", 10000), ("03-10", 10000)]),
        ("mid_paused", []),
        ("mid_untried", [("01-10", 10000), ("03-10", -10000)]),
        ("mid_trial", [("03-10", 10000)]),
        ("mid_pause", [("01-10", 10000), ("03-10", -10000)]),
        ("mid_end", [("01-10", 10000), ("03-10", -10000)]),
        ("mid_same", [("01-10", 10000)]),
        ("mid_told", [("01-10", 3000), ("03-10", 17000)]),
        ("lone_end", [("01-10", 10000), ("03-10", -10000)]),
        ("lone_end_old", [("01-10", 5000), ("03-10", -5000)]),
        ("lone_wide", [("01-10", 9000), ("03-10", -9000)]),
    ],
)
def test_rule_22_a_history_that_begins_in_mid_life(
    house: House, tenant: str, expected: list[tuple[str, int]]
) -> None:
    assert movements(house, tenant) == expected


def test_rule_22_of_a_lone_end_is_told_once_what_was_before(house: House) -> None:
    assert house.query(
        "select to_char(effective_at, 'MM-DD'), mrr_source_cents::int from intermediate.int_revenue__stripe_states"
        " where policy = 'standard' and subscription_source_id = 'sub_lone_wide' and state_number = 0"
    ) == [("01-10", 9000)]


@pytest.mark.parametrize(
    ("tenant", "policy", "expected"),
    [
        ("free", "standard", [("01-10", 10000), ("02-10", -10000), ("03-10", 10000)]),
        ("free", "chartmogul", [("01-10", 10000), ("02-10", -10000), ("03-10", 10000)]),
        ("free", "ours", [("01-10", 10000)]),
        ("free_old", "standard", [("01-10", 10000), ("03-10", -10000)]),
        ("free_old", "ours", [("01-10", 10000)]),
        ("gratis", "standard", [("03-10", 10000)]),
        ("gratis", "ours", [("03-10", 10000)]),
        ("first_trial", "standard", [("02-10", 10000)]),
        ("first_trial", "ours", [("02-10", 10000)]),
    ],
)
def test_rule_7_a_free_month_of_somebody_who_pays(
    house: House, tenant: str, policy: str, expected: list[tuple[str, int]]
) -> None:
    assert movements(house, tenant, policy=policy) == expected


def test_the_bridge_tells_the_free_months(house: House) -> None:
    """On 15 February of one, on 1 April of two others, who never came back."""
    found = house.query(
        "select to_char(metric_date, 'MM-DD'), cause, difference_cents, customers"
        " from revenue.metrics_mrr_policy_bridge where from_policy = 'standard' and to_policy = 'ours'"
        " and product = 'upcoach' and metric_date in ('2026-02-09', '2026-02-15', '2026-04-01') order by 1"
    )
    assert found == [
        ("02-09", "trial_after_paid", 0, 0),
        ("02-15", "trial_after_paid", 10000, 1),
        ("04-01", "trial_after_paid", 20000, 2),
    ]


def test_rules_17_and_29_what_never_went_back_is_nobodys_refund(house: House) -> None:
    """Refunds, the tenant's cash and the user's cash tell the same, day by day."""
    expected = {
        "bank": [("02-01", 5000, 0), ("02-03", 0, 2000)],
        "again": [("02-01", 5000, 0), ("02-08", 0, 1000)],
        "listed": [("02-01", 5000, 0), ("02-08", 0, 700)],
        "stale": [("02-01", 5000, 0)],
        "reversed": [("02-01", 1000, 0)],
        "returned": [("02-01", 1000, 0), ("02-03", 0, 1000)],
    }
    for tenant, days in expected.items():
        is_tenant = f"tenant_id = '{uuid_text('upcoach', 'tenant', tenant)}'"
        assert (
            house.query(
                "select to_char(metric_date, 'MM-DD'), cash_collected_cents, refunds_cents"
                f" from revenue.metrics_daily_cash where {is_tenant} order by 1"
            )
            == days
        )
        assert house.query(
            "select to_char(date_key, 'MM-DD'), revenue_cents"
            f" from intermediate.int_revenue__user_cash_daily where {is_tenant} order by 1"
        ) == [(day, came - went) for day, came, went in days]
        assert house.query(
            "select coalesce(sum(amount_cents), 0)::int from revenue.fact_refunds"
            f" where status = 'succeeded' and {is_tenant}"
        ) == [(sum(went for _, _, went in days),)]
