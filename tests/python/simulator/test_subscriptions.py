"""What a subscription's life enters into the ledger, beside what it tells by webhook."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import orjson
import pytest

from simulator.chance import Chance
from simulator.files import Folder
from simulator.ledger import Customer, Ledger
from simulator.sources.revenuecat import RevenueCatProject, StoreSubscription
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, DEFAULT_END, HOUR, SECOND, Window, add_months

WINDOW = Window.ending(DEFAULT_END, 120)
START = WINDOW.start + 10 * DAY + 9 * HOUR
CUSTOMER = Customer("stripe", "upcoach", "t", "u", "cus_1")


def price(amount: int, interval: str = "month") -> dict[str, Any]:
    return {"id": f"price_{amount}", "product": "prod_pro", "nickname": "Pro", "currency": "usd",
            "interval": interval, "amount": amount, "created": 0}  # fmt: skip


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(WINDOW.end)


@pytest.fixture
def account() -> StripeAccount:
    folder = Folder("stripe", "acct_upcoach")
    return StripeAccount(folder, WINDOW, WINDOW.end, Chance(1, "test"), WINDOW.start + 60 * DAY)


def told(account: StripeAccount) -> list[dict[str, Any]]:
    return [orjson.loads(line) for _, _, line in account.folder.lines]


def worths(ledger: Ledger, customer: Customer = CUSTOMER) -> list[tuple[int, Fraction]]:
    return [(entry.at, entry.amount) for entry in ledger.entries[customer]]


def subscription(account: StripeAccount, ledger: Ledger, amount: int = 3000, quantity: int = 1,
                 interval: str = "month") -> StripeSubscription:  # fmt: skip
    return StripeSubscription(
        account, ledger, CUSTOMER, price(amount, interval), quantity, "a@example.com", "A", {}
    )


def test_rules_1_and_3_a_year_is_twelve_months_and_quantity_counts(
    account: StripeAccount, ledger: Ledger
) -> None:
    subscription(account, ledger, 50_000, 4, "year").start(START)
    assert worths(ledger) == [(START, Fraction(50_000 * 4, 12))]


def test_rule_7_a_trial_is_worth_nothing_until_it_ends(
    account: StripeAccount, ledger: Ledger
) -> None:
    sub = subscription(account, ledger)
    sub.start(START, trial_days=14)
    assert worths(ledger) == []
    at = sub.renew()
    assert at == START + 14 * DAY
    assert worths(ledger) == [(at, 3000)]
    assert "customer.subscription.trial_will_end" in {event["type"] for event in told(account)}


def test_rule_8_past_due_counts_and_is_at_risk_until_paid(
    account: StripeAccount, ledger: Ledger
) -> None:
    sub = subscription(account, ledger)
    sub.start(START)
    at = sub.renew(fails=True)
    sub.retry(at + 3 * DAY, works=True)
    risk = [(entry.amount, entry.at_risk) for entry in ledger.entries[CUSTOMER]]
    assert risk == [(3000, False), (3000, True), (3000, False)]


def test_rule_10_a_planned_end_moves_nothing_before_it(
    account: StripeAccount, ledger: Ledger
) -> None:
    sub = subscription(account, ledger)
    sub.start(START)
    sub.cancel_later(START + 5 * DAY)
    assert worths(ledger) == [(START, 3000)]
    end = sub.period_end
    assert end == add_months(START, 1)
    sub.end(end, "cancellation_requested")
    assert worths(ledger)[-1] == (end, 0)
    deleted = told(account)[-1]
    assert deleted["created"] == deleted["data"]["object"]["ended_at"] == end // SECOND


def test_rule_9_a_pause_is_worth_nothing(account: StripeAccount, ledger: Ledger) -> None:
    sub = subscription(account, ledger)
    sub.start(START)
    sub.pause(START + 2 * DAY)
    sub.resume(START + 4 * DAY)
    assert [amount for _, amount in worths(ledger)] == [3000, 0, 3000]


@pytest.mark.parametrize(("duration", "worth"), [("forever", 2400), ("once", 3000)])
def test_rule_13_only_a_discount_for_ever_lowers_mrr(
    account: StripeAccount, ledger: Ledger, duration: str, worth: int
) -> None:
    sub = subscription(account, ledger)
    sub.grant(START, 20, duration, told=False)
    sub.start(START)
    assert worths(ledger) == [(START, worth)]
    assert ledger.payments[0].amount == 2400  # the first invoice is lower either way


def test_an_update_tells_the_old_value_in_the_shape_of_its_day(
    account: StripeAccount, ledger: Ledger
) -> None:
    sub = subscription(account, ledger)
    sub.start(START)
    sub.resize(START + DAY, 3)
    sub.resize(WINDOW.start + 70 * DAY, 2)
    old, new = (e["data"] for e in told(account) if e["type"] == "customer.subscription.updated")
    assert old["previous_attributes"]["quantity"] == 1
    assert old["object"]["quantity"] == 3
    assert "quantity" not in new["object"]
    assert new["previous_attributes"]["items"]["data"][0]["quantity"] == 3
    assert new["object"]["items"]["data"][0]["quantity"] == 2


# --- RevenueCat -----------------------------------------------------------------------------------
STORE = Customer("revenuecat", "upcoach", "t", "u", "u")


@pytest.fixture
def store(ledger: Ledger) -> StoreSubscription:
    folder = Folder("revenuecat", "upcoach")
    prices = {("pro", "month"): 1499, ("premium", "month"): 2999}
    project = RevenueCatProject("upcoach", folder, prices, WINDOW, WINDOW.end, Chance(1, "store"))
    return StoreSubscription(project, ledger, STORE, "pro", "month", "jpy", "JP", False, {})


def test_rule_31_a_product_change_counts_at_the_next_renewal(
    store: StoreSubscription, ledger: Ledger
) -> None:
    store.start(START)
    store.change(START + 3 * DAY, "premium")
    assert worths(ledger, STORE) == [(START, 1499)]
    at = store.renew("premium")
    assert worths(ledger, STORE)[-1] == (at, 2999)


def test_rule_30_a_billing_issue_is_at_risk_until_the_grace_ends(
    store: StoreSubscription, ledger: Ledger
) -> None:
    store.start(START)
    expires = store.expires
    grace = store.billing_issue(6)
    entry = ledger.entries[STORE][-1]
    assert (entry.at, entry.amount, entry.at_risk) == (expires, 1499, True)
    assert grace == expires + 6 * DAY


def test_rule_29_a_refund_ends_access_and_takes_the_money_back(
    store: StoreSubscription, ledger: Ledger
) -> None:
    store.start(START)
    store.refund(START + 2 * DAY)
    assert worths(ledger, STORE)[-1] == (START + 2 * DAY, 0)
    assert [payment.amount for payment in ledger.payments] == [1499, -1499]


def test_rule_28_price_is_in_dollars_and_yen_have_no_decimals(store: StoreSubscription) -> None:
    store.start(START)
    event = orjson.loads(store.project.folder.lines[0][2])["event"]
    assert event["currency"] == "JPY"
    assert event["price"] == 14.99
    assert isinstance(event["price_in_purchased_currency"], int)
