"""What a subscription's life enters into the ledger, beside what it tells by webhook."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from simulator.chance import Chance
from simulator.files import Folder
from simulator.ledger import Customer, Ledger
from simulator.products.upcoach.changes import change_something
from simulator.sources.revenuecat import RevenueCatProject, StoreSubscription
from simulator.sources.stripe import StripeAccount
from simulator.sources.subscription import StripeSubscription
from simulator.timeline import DAY, DEFAULT_END, HOUR, SECOND, Window, add_months
from simulator.truth.revenue.policies import POLICIES, STANDARD

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
    """Minor units a month, under policy `standard`."""
    return [(e.at, STANDARD.monthly(e.parts, e.at)) for e in ledger.entries[customer]]


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
    risk = [entry.at_risk for entry in ledger.entries[CUSTOMER]]
    assert risk == [False, True, False]
    assert [amount for _, amount in worths(ledger)] == [3000, 3000, 3000]


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


# --- further items --------------------------------------------------------------------------------
def storage(amount: int = 500) -> dict[str, dict[str, Any]]:
    monthly = price(amount) | {"nickname": "Storage", "id": "price_storage"}
    return {"month": monthly, "year": monthly | {"interval": "year", "amount": 10 * amount}}


def invoices(account: StripeAccount, kind: str = "invoice.created") -> list[dict[str, Any]]:
    return [event["data"]["object"] for event in told(account) if event["type"] == kind]


def lines(invoice: dict[str, Any]) -> list[tuple[str, int, bool]]:
    """Of each line what it says, its amount, and whether it is a proration, in either shape."""
    found = []
    for line in invoice["lines"]["data"]:
        parent = line.get("parent") or {"subscription_item_details": line}
        is_proration = parent["subscription_item_details"]["proration"]
        found.append((line["description"], line["amount"], is_proration))
    return found


def test_rule_3_items_add_up_and_each_is_its_own_plans(
    account: StripeAccount, ledger: Ledger
) -> None:
    sub = subscription(account, ledger)
    sub.include(storage(), 2, Chance(1, "items"))
    sub.start(START)
    assert worths(ledger) == [(START, 4000)]
    assert STANDARD.by_plan(sub.parts, START) == {"Pro": 3000, "Storage": 1000}
    body = told(account)[0]["data"]["object"]
    assert [item["quantity"] for item in body["items"]["data"]] == [1, 2]
    assert (
        body["plan"] is None and body["quantity"] is None
    )  # of several none is the subscription's
    assert lines(invoices(account)[0]) == [("1 × Pro", 3000, False), ("2 × Storage", 1000, False)]
    assert ledger.payments[0].amount == 4000


@pytest.mark.parametrize("begins", [START, WINDOW.start + 70 * DAY], ids=["old", "new"])
def test_rules_17_and_18_a_change_of_items_counts_at_once_and_is_settled_to_the_second(
    account: StripeAccount, ledger: Ledger, begins: int
) -> None:
    """Of 30 days of 300 each storage comes after 10, is doubled after 15 and goes after 20."""
    sub = subscription(account, ledger)
    sub.start(begins)
    sub.period_end = begins + 30 * DAY
    chance = Chance(1, "items")
    sub.add(begins + 10 * DAY, storage(300), 1, chance, at_once=True)
    sub.resize_item(begins + 15 * DAY, sub.further[0], 2, chance)
    sub.remove(begins + 20 * DAY, sub.further[0], chance)
    sub.renew()
    assert [amount for _, amount in worths(ledger)] == [3000, 3300, 3600, 3000]
    first, at_once, renewal = invoices(account)
    assert [invoice["billing_reason"] for invoice in (first, at_once, renewal)] == [
        "subscription_create", "subscription_update", "subscription_cycle",
    ]  # fmt: skip
    assert [amount for _, amount, _ in lines(at_once)] == [200]
    assert [(amount, is_part) for _, amount, is_part in lines(renewal)] == [
        (-150, True), (300, True), (-200, True), (3000, False),
    ]  # fmt: skip
    assert lines(at_once)[0][0].startswith("Remaining time on 1 × Storage after")
    assert [payment.amount for payment in ledger.payments] == [3000, 200, 2950]
    details = renewal["lines"]["data"][0]
    details = details.get("parent", {}).get("subscription_item_details", details)
    credited = details["proration_details"]["credited_items"]
    assert credited["invoice"] == at_once["id"]
    assert credited["invoice_line_items"] == [at_once["lines"]["data"][0]["id"]]
    added = next(
        e["data"]
        for e in told(account)
        if len(e["data"]["object"].get("items", {}).get("data", [])) == 2
    )
    before = added["previous_attributes"]
    assert [item["price"]["nickname"] for item in before["items"]["data"]] == ["Pro"]
    assert ("plan" in before) == (begins == START)


@pytest.mark.parametrize(
    ("amount", "quantity", "units"),
    [(300, 2, ["200", "-100"]), (100, 3, ["66.666666666667", "-33.333333333333"])],
)
def test_what_one_of_a_proration_costs_is_told_in_plain_digits(
    account: StripeAccount, ledger: Ledger, amount: int, quantity: int, units: list[str]
) -> None:
    """Of 30 days storage comes after 10 and goes after 20."""
    sub = subscription(account, ledger)
    begins = WINDOW.start + 70 * DAY  # the old shape has no such amount
    sub.start(begins)
    sub.period_end = begins + 30 * DAY
    sub.add(begins + 10 * DAY, storage(amount), quantity, Chance(1, "items"))
    sub.remove(begins + 20 * DAY, sub.further[0], Chance(1, "items"))
    sub.renew()
    found = [
        line["pricing"]["unit_amount_decimal"] for line in invoices(account)[1]["lines"]["data"]
    ]
    assert found == [*units, "3000"]


def test_items_follow_the_interval_and_a_swap_at_one_price_moves_nothing_but_plans(
    account: StripeAccount, ledger: Ledger
) -> None:
    sub = subscription(account, ledger)
    chance = Chance(1, "items")
    sub.include(storage(), 1, chance)
    sub.start(START)
    insights = {"month": storage()["month"] | {"nickname": "Insights"}}
    sub.swap_item(START + DAY, sub.further[0], insights, chance)
    assert [amount for _, amount in worths(ledger)] == [3500, 3500]
    assert STANDARD.by_plan(sub.parts, START + DAY) == {"Pro": 3000, "Insights": 500}
    sub.swap_item(START + 2 * DAY, sub.further[0], storage(), chance)
    sub.swap(START + 3 * DAY, price(30_000, "year"))
    assert worths(ledger)[-1] == (START + 3 * DAY, Fraction(35_000, 12))


def test_rule_6_what_is_metered_is_billed_after_its_period_and_counts_for_one_policy_alone(
    account: StripeAccount, ledger: Ledger
) -> None:
    sub = subscription(account, ledger)
    metered = {"month": price(5) | {"usage_type": "metered", "nickname": "Calls"}}
    calls = sub.include(metered, 1, Chance(1, "items"))
    sub.start(START)
    calls.used = 40
    at = sub.renew()
    worth = {
        policy.name: policy.monthly(ledger.entries[CUSTOMER][-1].parts, at) for policy in POLICIES
    }
    assert worth == {"standard": 3000, "chartmogul": 3000, "profitwell": 3200, "revenuecat": 3000}
    usage = invoices(account)[1]["lines"]["data"][0]
    assert (usage["amount"], usage["period"]["end"]) == (200, at // SECOND)
    assert "quantity" not in told(account)[0]["data"]["object"]["items"]["data"][1]
    sub.renew()
    assert STANDARD.by_plan(sub.parts, at) == {"Pro": 3000}
    assert POLICIES[2].by_plan(sub.parts, at) == {"Pro": 3000}


@pytest.mark.parametrize("trial", [0, 14])
def test_rule_13_a_coupon_that_counts_once_covers_the_period_of_the_first_charge(
    account: StripeAccount, ledger: Ledger, trial: int
) -> None:
    sub = subscription(account, ledger)
    sub.grant(START, 50, "once", told=False)
    sub.start(START, trial)
    if trial:
        sub.renew()
    chartmogul, parts = POLICIES[1], ledger.entries[CUSTOMER][-1].parts
    began = START + trial * DAY
    over = add_months(began, 1)
    assert chartmogul.monthly(parts, began) == chartmogul.monthly(parts, over - 1) == 1500
    assert chartmogul.monthly(parts, over) == 3000
    sub.renew()
    assert [payment.amount for payment in ledger.payments] == [1500, 3000]


@pytest.mark.parametrize(("duration", "interval"), [("forever", "month"), ("once", "year")])
def test_rule_13_the_interval_stays_while_a_coupon_counts_once(
    account: StripeAccount, ledger: Ledger, duration: str, interval: str
) -> None:
    sub = subscription(account, ledger, 30_000, interval="year")
    sub.grant(START, 50, duration, told=False)
    sub.start(START)
    walk: Any = SimpleNamespace(window=WINDOW, daytime=lambda person, at, chance: at)
    tenant = SimpleNamespace(currency="usd")
    fate: Any = SimpleNamespace(person=SimpleNamespace(tenant=tenant, engaged=lambda *_: 0.0))
    change_something(walk, fate, Another(1, "interval"), sub, sub.period_end)
    assert sub.price["interval"] == interval
    assert sub.discount is not None


class Another(Chance):
    """Of all that may happen another interval alone does."""

    def hit(self, probability: float) -> bool:
        return probability == 0.012


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
    assert worths(ledger, STORE)[-1] == (expires, 1499)
    assert entry.at_risk
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
