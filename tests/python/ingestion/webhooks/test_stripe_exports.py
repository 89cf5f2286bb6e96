"""Exports of Stripe's Dashboard: amounts in the API's units, UTC, and what would be a guess refused."""

import json
from typing import Any

import pytest

from ingestion.values.outcomes import Rejected
from ingestion.webhooks.stripe_exports import reader
from tests.python.ingestion.conftest import Loading

SUBSCRIPTIONS = (
    "id,Customer ID,Customer Email,Plan,Product,Quantity,Currency,Interval,Amount,Status,"
    "Created (UTC),Start Date (UTC),Current Period Start (UTC),Current Period End (UTC),"
    "Coupon,Canceled At (UTC),Ended At (UTC),tenant_id (metadata)"
)
PAYMENTS = (
    "id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Status,Description,"
    "Customer ID,Customer Email,Invoice ID,Mode,user_id (metadata)"
)


def subscription(**changes: str) -> Any:
    row = {
        "id": "sub_1", "Customer ID": "cus_1", "Customer Email": "ann@example.org", "Plan": "pro",
        "Product": "prod_1", "Quantity": "3", "Currency": "usd", "Interval": "month",
        "Amount": "20.00", "Status": "active", "Created (UTC)": "2026-01-15 10:00",
        "Start Date (UTC)": "2026-01-15 10:00", "Current Period Start (UTC)": "2026-03-15 10:00",
        "Current Period End (UTC)": "2026-04-15 10:00", "tenant_id (metadata)": "t1", **changes,
    }  # fmt: skip
    cells = (f'"{row.get(name, "")}"' for name in SUBSCRIPTIONS.split(","))
    return reader(SUBSCRIPTIONS.encode())(",".join(cells).encode())


def payment(**changes: str) -> Any:
    row = {
        "id": "ch_1", "Created date (UTC)": "2026-01-15 10:00:07", "Amount": "20.00",
        "Amount Refunded": "0.00", "Currency": "usd", "Captured": "true", "Status": "Paid",
        "Customer ID": "cus_1", "Mode": "Live", **changes,
    }  # fmt: skip
    cells = (f'"{row.get(name, "")}"' for name in PAYMENTS.split(","))
    return reader(PAYMENTS.encode())(",".join(cells).encode())


def test_a_subscription() -> None:
    found = subscription()
    assert found["plan"] == {
        "object": "plan", "id": "pro", "product": "prod_1", "amount": 2000, "currency": "usd",
        "interval": "month", "interval_count": 1,
    }  # fmt: skip
    assert (found["quantity"], found["status"], found["customer"]) == (3, "active", "cus_1")
    assert found["created"] == found["start_date"] == 1_768_471_200
    assert found["current_period_start"] == 1_773_568_800
    assert found["metadata"] == {"tenant_id": "t1"} and found["ended_at"] is None


@pytest.mark.parametrize(
    ("currency", "text", "amount"),
    [
        ("usd", "9.99", 999), ("usd", "9,99", 999), ("usd", "1,250.00", 125_000),
        ("usd", "1,250", 125_000), ("eur", "0", 0), ("jpy", "1,250", 1250), ("jpy", "980", 980),
        ("kwd", "1.250", 1250), ("usd", "1,234,567.8", 123_456_780),
    ],
)  # fmt: skip
def test_amounts_are_exact_in_each_currency(currency: str, text: str, amount: int) -> None:
    assert payment(Currency=currency, Amount=text)["amount"] == amount


@pytest.mark.parametrize(
    ("currency", "text"), [("usd", "9.999"), ("jpy", "9.5"), ("usd", "ten"), ("kwd", "1,250")]
)
def test_an_amount_that_would_be_a_guess_is_refused(currency: str, text: str) -> None:
    assert payment(Currency=currency, Amount=text).reason_code == "bad_amount"


@pytest.mark.parametrize(
    ("text", "interval"),
    [("month", ("month", 1)), ("3 months", ("month", 3)), ("Year", ("year", 1)),
     ("every 2 weeks", ("week", 2))],
)  # fmt: skip
def test_intervals(text: str, interval: tuple[str, int]) -> None:
    plan = subscription(Interval=text)["plan"]
    assert (plan["interval"], plan["interval_count"]) == interval


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Coupon": "SPRING"}, "unknown_discount"), ({"Amount": ""}, "no_amount"),
        ({"Interval": "fortnight"}, "bad_interval"), ({"Quantity": "2.5"}, "bad_quantity"),
        ({"Currency": "$"}, "bad_currency"), ({"Created (UTC)": "yesterday"}, "bad_time"),
    ],
)  # fmt: skip
def test_what_the_export_does_not_say_is_refused(changes: dict[str, str], code: str) -> None:
    refusal = subscription(**changes)
    assert isinstance(refusal, Rejected) and refusal.reason_code == code


@pytest.mark.parametrize(
    ("status", "is_paid", "is_captured"),
    [("Paid", True, True), ("Refunded", True, True), ("Failed", False, False),
     ("Uncaptured", True, False), ("Pending", False, False)],
)  # fmt: skip
def test_only_what_was_captured_is_cash(status: str, is_paid: bool, is_captured: bool) -> None:
    found = payment(Status=status)
    assert (found["paid"], found["captured"]) == (is_paid, is_captured)


def test_columns_that_nobody_knows_say_what_is_read() -> None:
    refusal = reader(b"id,Amount Due,Number")(b"in_1,5.00,1")
    assert isinstance(refusal, Rejected) and "stripe invoices list" in refusal.reason
    local = reader(SUBSCRIPTIONS.replace("(UTC)", "(CET)").encode())(b"x")
    assert isinstance(local, Rejected) and "not in UTC" in local.reason
    short = reader(PAYMENTS.encode())(b"ch_1,2026-01-15")
    assert isinstance(short, Rejected) and short.reason_code == "invalid_csv"


@pytest.mark.slow
def test_an_export_in_the_landing_folder_becomes_events(loading: Loading) -> None:
    rows = [
        'sub_1,cus_1,ann@example.org,pro,prod_1,1,usd,month,20.00,active,2026-01-15 10:00,'
        '2026-01-15 10:00,2026-03-15 10:00,2026-04-15 10:00,,,,t1',
        'sub_2,cus_2,,"pro, yearly",prod_1,1,usd,year,200.00,canceled,2026-01-15 10:00,'
        '2026-01-15 10:00,2026-01-15 10:00,2027-01-15 10:00,,2026-02-01 00:00,2026-02-02 00:00,t2',
    ]  # fmt: skip
    loading.put("stripe/acct_upcoach/a.csv", "\n".join([SUBSCRIPTIONS, *rows]).encode())
    loading.put("stripe/acct_upcoach/b.csv.gz", "\n".join([SUBSCRIPTIONS, *rows[::-1]]).encode())
    report = loading.load()
    assert (report.stored, report.duplicates, report.rejected) == (2, 2, 0)
    stored = loading.rows(
        "select event_type, object_id, customer_id, created_at::text, payload"
        " from raw_stripe.events order by object_id"
    )
    assert [row[:4] for row in stored] == [
        ("customer.subscription.updated", "sub_1", "cus_1", "2026-03-15 10:00:00+00"),
        ("customer.subscription.deleted", "sub_2", "cus_2", "2026-02-02 00:00:00+00"),
    ]
    assert "ann@example.org" not in json.dumps(stored[0][4])
    assert stored[1][4]["data"]["object"]["plan"]["id"] == "pro, yearly"
