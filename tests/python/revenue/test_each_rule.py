"""Rules 1 to 36 by their number, each in both shapes of Stripe's API or as RevenueCat tells it, one tenant a case.

The shapes: a price, periods on the items, a list of discounts; a plan, periods on the subscription, one discount.

Belongs here: the rule's own example, from webhook to mart. Does not belong here: payloads that leave something out
(`test_payloads`), what the other policies count (`test_policies`), when something became known (`test_restatements`).
"""

from collections.abc import Callable
from typing import Any

import pytest

from ingestion.values.identity import uuid_text
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.webhooks import event, price, seconds, store, subscription

pytestmark = pytest.mark.slow

AS_OF = "2026-09-01T12:00:00Z"
Record = dict[str, Any]
Moves = list[tuple[str, str, int]]
MONTH, YEAR = price(5000), price(120000, "year")
TIERS = [{"up_to": 5, "unit_amount": 1000}, {"up_to": None, "unit_amount": 800}]


def every(interval: str, amount: int, count: int = 1, **more: Any) -> Record:
    return price(
        amount,
        id=f"price_{interval}_{count}_{amount}",
        recurring={"interval": interval, "interval_count": count, "usage_type": "licensed"},
        **more,
    )


def tiered(mode: str) -> Record:
    return price(0, id=f"price_{mode}", unit_amount=None, tiers_mode=mode, tiers=TIERS)


def off(name: str, new: bool, duration: str = "forever", **terms: Any) -> Record:
    coupon = {"id": f"c_{name}", "object": "coupon", "duration": duration, **terms}
    held = {"source": {"type": "coupon", "coupon": coupon}} if new else {"coupon": coupon}
    return {"id": f"di_{name}", "object": "discount", "start": seconds("2026-01-10"), **held}


def given(new: bool, *discounts: Record) -> Record:
    """As a subscription holds them: the old shape has room for one."""
    return (
        {"discounts": list(discounts)} if new else {"discount": discounts[0] if discounts else None}
    )


class Told:
    """Events of one tenant in one shape."""

    def __init__(self, rule: str, new: bool) -> None:
        self.name, self.new = f"r{rule}_{'new' if new else 'old'}", new
        self.records: list[Record] = []

    def says(self, kind: str, at: str, *items: Record, sub: str = "", **more: Any) -> "Told":
        more.setdefault("new_shape", self.new)
        self.records.append(
            subscription(
                self.name + sub, kind, f"2026-{at}", *items, tenant=self.name, customer=f"cus_{self.name}", **more
            )
        )  # fmt: skip
        return self

    def begins(self, *items: Record, at: str = "01-10", **more: Any) -> "Told":
        return self.says("created", at, *(items or (MONTH,)), **more)

    def turns(self, at: str, *items: Record, **more: Any) -> "Told":
        return self.says("updated", at, *(items or (MONTH,)), previous={}, **more)

    def ends(self, at: str, told: str = "", **more: Any) -> "Told":
        ended = seconds(f"2026-{at}")
        return self.says("deleted", told or at, MONTH, status="canceled", ended_at=ended, **more)

    def also(self, *records: Record) -> "Told":
        self.records += records
        return self


def money_elsewhere(told: Told) -> Told:
    """17: an invoice with a proration and a one-off line, and a charge of which some and then more went back."""
    lines = [
        {"amount": 900, "currency": "usd", "quantity": 1, "proration": True,
         "period": {"start": seconds("2026-02-01"), "end": seconds("2026-02-10")}},
        {"amount": 7000, "currency": "usd", "quantity": 1, "type": "invoiceitem"},
    ]  # fmt: skip
    body: Record = {
        "id": f"in_{told.name}", "object": "invoice", "customer": f"cus_{told.name}", "currency": "usd",
        "status": "paid", "created": seconds("2026-02-01"), "amount_due": 7900, "amount_paid": 7900,
        "lines": {"data": lines},
    }  # fmt: skip
    at = {"subscription": f"sub_{told.name}"}
    body |= {"parent": {"subscription_details": at}} if told.new else at
    told.also(event(body["id"], "invoice.paid", "2026-02-01", body))
    for day, kind, refunded in (("01", "succeeded", 0), ("03", "refunded", 300), ("04", "refunded", 1000)):  # fmt: skip
        held = {
            "id": f"ch_{told.name}", "object": "charge", "customer": f"cus_{told.name}", "invoice": body["id"],
            "status": "succeeded", "paid": True, "captured": True, "currency": "usd", "amount": 7900,
            "amount_refunded": refunded, "created": seconds("2026-02-01"),
        }  # fmt: skip
        told.also(event(f"ch_{told.name}_{day}", f"charge.{kind}", f"2026-02-{day}", held))
    return told


def item_off(told: Told) -> Told:
    """14: half off the first of two items, of 50 and 50."""
    told.begins(MONTH, price(5000, id="price_b"))
    told.records[-1]["data"]["object"]["items"]["data"][0]["discounts"] = [
        off("item", told.new, percent_off=50)
    ]
    return told


METERED = price(
    7, id="price_m", recurring={"interval": "month", "interval_count": 1, "usage_type": "metered"}
)
STACK = {"percent_off": 20}, {"percent_off": 50}
SEATS, DESKS = price(2000, id="price_seats"), price(2000, id="price_desks")

# rule → what is told, what moves; a letter tells cases of one rule apart
RULES: dict[str, tuple[Callable[[Told], Told], Moves]] = {
    "1a": (lambda t: t.begins(YEAR), [("01-10", "new", 10000)]),
    "1b": (lambda t: t.begins(every("month", 30000, 3)), [("01-10", "new", 10000)]),
    "1c": (lambda t: t.begins(every("week", 1000)), [("01-10", "new", 4333)]),
    "1d": (lambda t: t.begins(every("day", 200)), [("01-10", "new", 6083)]),
    "2": (lambda t: t.begins(price(12000000, "year")), [("01-10", "new", 1000000)]),
    "3a": (lambda t: t.begins(price(50000, "year"), quantity=4), [("01-10", "new", 16667)]),
    "3b": (lambda t: t.begins(MONTH, YEAR), [("01-10", "new", 15000)]),
    "4a": (lambda t: t.begins(tiered("graduated"), quantity=10), [("01-10", "new", 9000)]),
    "4b": (lambda t: t.begins(tiered("volume"), quantity=10), [("01-10", "new", 8000)]),
    "5": (
        lambda t: t.begins(
            price(0, id="price_d", unit_amount=None, unit_amount_decimal="0.000381"), quantity=10_000_000
        ),
        [("01-10", "new", 3810)],
    ),
    "6": (lambda t: t.begins(METERED), []),
    "7": (
        lambda t: t.begins(status="trialing").turns("02-15"),
        [("02-15", "new", 5000)],
    ),
    "8": (
        lambda t: t.begins(status="incomplete").turns("01-11").turns("02-11", status="past_due")
        .turns("03-11", status="unpaid"),
        [("01-11", "new", 5000), ("03-11", "churn", -5000)],
    ),
    "8b": (lambda t: t.begins(status="incomplete").turns("01-11", status="incomplete_expired"), []),
    "9": (
        lambda t: t.begins().turns("02-10", pause_collection={"behavior": "void"}).turns("04-10"),
        [("01-10", "new", 5000), ("02-10", "churn", -5000), ("04-10", "reactivation", 5000)],
    ),
    "10a": (
        lambda t: t.begins().turns("02-01", cancel_at_period_end=True).ends("03-10", told="03-11"),
        [("01-10", "new", 5000), ("03-10", "churn", -5000)],
    ),
    "10b": (
        lambda t: t.begins().turns("02-01", cancel_at_period_end=True).turns("02-03"),
        [("01-10", "new", 5000)],
    ),
    "11": (lambda t: t.begins().ends("01-20"), [("01-10", "new", 5000), ("01-20", "churn", -5000)]),
    "12": (lambda t: t.begins(), [("01-10", "new", 5000)]),
    "13a": (lambda t: t.begins(**given(t.new, off("a", t.new, percent_off=50))), [("01-10", "new", 2500)]),
    "13b": (
        lambda t: t.begins(**given(t.new, off("b", t.new, "once", percent_off=50))),
        [("01-10", "new", 5000)],
    ),
    "13c": (
        lambda t: t.begins(
            **given(t.new, off("c", t.new, "repeating", percent_off=50, duration_in_months=3))
        ),
        [("01-10", "new", 5000)],
    ),
    "14a": (
        lambda t: t.begins(
            price(10000), discounts=[off(str(n), t.new, **one) for n, one in enumerate(STACK)]
        ),
        [("01-10", "new", 4000)],
    ),
    "14b": (
        lambda t: t.begins(
            price(10000), discounts=[off("x", t.new, amount_off=3000), off("y", t.new, percent_off=50)]
        ),
        [("01-10", "new", 2000)],
    ),
    "14c": (lambda t: t.begins(**given(t.new, off("z", t.new, amount_off=9000))), []),
    "14d": (item_off, [("01-10", "new", 7500)]),
    "15": (
        lambda t: t.begins().turns("02-10", **given(t.new, off("d", t.new, percent_off=10)))
        .turns("03-10", **given(t.new)).turns("04-10", **given(t.new, off("e", t.new, percent_off=100)))
        .turns("05-10", **given(t.new)),
        [("01-10", "new", 5000), ("02-10", "contraction", -500), ("03-10", "expansion", 500),
         ("04-10", "churn", -5000), ("05-10", "reactivation", 5000)],
    ),
    "16": (
        lambda t: t.begins(
            price(12000), application_fee_percent=30,
            default_tax_rates=[{"percentage": 20, "inclusive": True}, {"percentage": 9, "inclusive": False}],
        ),
        [("01-10", "new", 10000)],
    ),
    "17": (lambda t: money_elsewhere(t.begins()), [("01-10", "new", 5000)]),
    "18": (
        lambda t: t.begins(price(3000)).turns("02-20", price(5000)),
        [("01-10", "new", 3000), ("02-20", "expansion", 2000)],
    ),
    "19": (
        lambda t: t.begins().turns("02-10", latest_invoice="in_2").turns("03-10", latest_invoice="in_3"),
        [("01-10", "new", 5000)],
    ),
    "20a": (
        lambda t: t.begins().begins(price(2000), at="02-10", sub="_b").ends("03-10", sub="_b")
        .ends("04-10").begins(price(7000), at="05-10", sub="_c"),
        [("01-10", "new", 5000), ("02-10", "expansion", 2000), ("03-10", "contraction", -2000),
         ("04-10", "churn", -5000), ("05-10", "reactivation", 7000)],
    ),
    "20b": (
        lambda t: t.begins(at="01-10T10:00:00").turns("01-10T10:30:00", price(8000)),
        [("01-10", "new", 8000)],
    ),
    "20c": (
        lambda t: t.begins().turns("02-10", MONTH, SEATS).turns("03-10", MONTH, DESKS).turns("04-10", MONTH),
        [("01-10", "new", 5000), ("02-10", "expansion", 2000), ("04-10", "contraction", -2000)],
    ),
    "22": (
        lambda t: t.begins(YEAR).turns("07-05", price(12000)),
        [("01-10", "new", 10000), ("07-05", "expansion", 2000)],
    ),
    "24": (
        lambda t: t.begins(at="03-15", start_date=seconds("2026-01-10")), [("01-10", "new", 5000)]
    ),
    "25": (lambda t: t.begins(live=False), []),
    "26": (
        lambda t: t.begins().turns("02-10", new_shape=not t.new).turns("03-10", price(6000), new_shape=not t.new),
        [("01-10", "new", 5000), ("03-10", "expansion", 1000)],
    ),
}  # fmt: skip
BOTH = [Told(rule, new) for rule in RULES for new in (True, False)]


class Bought:
    """Events of one tenant at a store."""

    def __init__(self, rule: str) -> None:
        self.name, self.records = f"s{rule}", list[Record]()

    def says(
        self, kind: str, at: str, dollars: float, ends: str, begins: str = "", **more: Any
    ) -> "Bought":
        day = f"2026-{at}"
        self.records.append(
            store(self.name, kind, day, dollars, f"2026-{begins or at}", f"2026-{ends}", **more)
        )
        return self

    def buys(self, ends: str = "02-10", **more: Any) -> "Bought":
        return self.says("INITIAL_PURCHASE", "01-10", more.pop("dollars", 10.0), ends, **more)

    def renews(self, at: str, ends: str, **more: Any) -> "Bought":
        return self.says("RENEWAL", at, more.pop("dollars", 10.0), ends, **more)


UNTIL_FEBRUARY: Moves = [("01-10", "new", 1000), ("02-10", "churn", -1000)]
STORE_RULES: dict[str, tuple[Callable[[Bought], Bought], Moves]] = {
    "27a": (
        lambda b: b.buys(period_type="TRIAL").renews("02-10", "03-10"),
        [("02-10", "new", 1000), ("03-10", "churn", -1000)],
    ),
    "27b": (lambda b: b.buys(store="PROMOTIONAL"), []),
    "27c": (lambda b: b.buys(is_family_share=True), []),
    "27d": (lambda b: b.buys(environment="SANDBOX"), []),
    "27e": (lambda b: b.buys(ends="01-10"), []),
    "28": (lambda b: b.buys(currency="EUR", price_in_purchased_currency=9.2), UNTIL_FEBRUARY),
    "29a": (
        lambda b: b.buys().says("CANCELLATION", "01-20", 0, "02-10", "01-10", cancel_reason="UNSUBSCRIBE")
        .says("UNCANCELLATION", "01-21", 0, "02-10", "01-10").renews("02-10", "03-10")
        .says("EXPIRATION", "03-10", 0, "03-10", "02-10"),
        [("01-10", "new", 1000), ("03-10", "churn", -1000)],
    ),
    "29b": (
        lambda b: b.buys().says("CANCELLATION", "01-20", -10, "02-10", "01-10", cancel_reason="CUSTOMER_SUPPORT"),
        [("01-10", "new", 1000), ("01-20", "churn", -1000)],
    ),
    "30a": (
        lambda b: b.buys().says("BILLING_ISSUE", "02-10", 0, "02-10", "01-10",
                                grace_period_expiration_at_ms=seconds("2026-02-26") * 1000),
        [("01-10", "new", 1000), ("02-26", "churn", -1000)],
    ),
    "30b": (
        lambda b: b.buys().says("BILLING_ISSUE", "02-10", 0, "02-10", "01-10",
                                grace_period_expiration_at_ms=seconds("2026-02-26") * 1000)
        .renews("02-20", "03-10", begins="02-10"),
        [("01-10", "new", 1000), ("03-10", "churn", -1000)],
    ),
    "31": (
        lambda b: b.buys().says("PRODUCT_CHANGE", "01-20", 0, "02-10", "01-10", new_product_id="max")
        .renews("02-10", "03-10", dollars=25.0, product_id="max")
        .says("EXPIRATION", "02-10", 0, "02-10", "01-10"),
        [("01-10", "new", 1000), ("02-10", "expansion", 1500), ("03-10", "churn", -2500)],
    ),
    "33a": (lambda b: b.buys().says("SUBSCRIPTION_PAUSED", "01-20", 0, "02-10", "01-10"), UNTIL_FEBRUARY),
    "33b": (
        lambda b: b.buys().says("SUBSCRIPTION_EXTENDED", "01-20", 0, "02-25", "01-10"),
        [("01-10", "new", 1000), ("02-25", "churn", -1000)],
    ),
    "33c": (lambda b: b.says("NON_RENEWING_PURCHASE", "01-10", 10, "02-10"), []),
    "33d": (lambda b: b.says("TEMPORARY_ENTITLEMENT_GRANT", "01-10", 10, "02-10"), []),
    "34": (lambda b: b.buys(), UNTIL_FEBRUARY),
    "35": (
        lambda b: b.buys(store="STRIPE", original_transaction_id="sub_r12_new"), []
    ),
    "36": (
        lambda b: b.buys().says("NEVER_HEARD_OF", "01-20", 99, "08-10", "01-10", unheard={"of": 1}),
        UNTIL_FEBRUARY,
    ),
}  # fmt: skip
STORES = [Bought(rule) for rule in STORE_RULES]


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House]) -> House:
    """UpCoach's tenants, and RostraCore's of the same ids, who pay another price."""
    house = new_house("each_rule")
    told = [one for case in BOTH for one in RULES[case.name[1:-4]][0](case).records]
    told.append(subscription("euros", "created", "2026-02-06", price(10000, currency="eur")))
    house.put("stripe/acct_upcoach/a.jsonl", told)
    house.put(
        "stripe/acct_rostracore/a.jsonl",
        [subscription(case.name, "created", "2026-01-10", price(100)) for case in BOTH],
    )
    bought = [one for case in STORES for one in STORE_RULES[case.name[1:]][0](case).records]
    giver = store("giver", "INITIAL_PURCHASE", "2026-01-10", 10, "2026-01-10", "2026-02-10")
    bought += [giver, {
        "api_version": "1.0",
        "event": {
            "id": "moved", "type": "TRANSFER", "event_timestamp_ms": seconds("2026-01-20") * 1000,
            "environment": "PRODUCTION", "store": "APP_STORE",
            "transferred_from": ["giver"], "transferred_to": ["taker"],
        },
    }]  # fmt: skip
    house.put("revenuecat/upcoach/a.jsonl", bought)
    house.load()
    house.build(REVENUE, as_of=AS_OF)
    return house


def moves(house: House, tenant: str, product: str = "upcoach") -> Moves:
    return house.query(
        "select to_char(date_key, 'MM-DD'), movement_type, round(mrr_change_cents)::int"
        f" from revenue.fact_mrr_movements where tenant_id = '{uuid_text(product, 'tenant', tenant)}'"
        " and policy = 'standard' and movement_type <> 'fx' order by occurred_at"
    )


@pytest.mark.parametrize("case", BOTH, ids=lambda case: f"rule_{case.name[1:]}")
def test_rule_of_stripe(house: House, case: Told) -> None:
    assert moves(house, case.name) == RULES[case.name[1:-4]][1]


@pytest.mark.parametrize("case", STORES, ids=lambda case: f"rule_{case.name[1:]}")
def test_rule_of_revenuecat(house: House, case: Bought) -> None:
    assert moves(house, case.name) == STORE_RULES[case.name[1:]][1]


def test_rule_1_weeks_of_28_days_by_revenuecat(house: House) -> None:
    found = house.query(
        "select tenant_id::text, net_mrr_cents from revenue.metrics_daily_tenant_mrr"
        " where policy = 'revenuecat' and metric_date = '2026-02-01'"
    )
    due = {"r1c_new": 4000, "r1c_old": 4000, "r1d_new": 6000, "r1d_old": 6000}
    assert {tenant: dict(found)[uuid_text("upcoach", "tenant", tenant)] for tenant in due} == due


def test_rule_8_what_is_past_due_is_at_risk(house: House) -> None:
    for tenant in ("r8_new", "r8_old"):
        assert house.query(
            "select to_char(metric_date, 'MM-DD'), net_mrr_cents, at_risk_mrr_cents"
            " from revenue.metrics_daily_tenant_mrr where policy = 'standard'"
            f" and tenant_id = '{uuid_text('upcoach', 'tenant', tenant)}'"
            " and metric_date in ('2026-02-10', '2026-02-11', '2026-03-11') order by 1"
        ) == [("02-10", 5000, 0), ("02-11", 5000, 5000), ("03-11", 0, 0)]


def test_rule_17_the_second_refund_is_what_it_adds(house: House) -> None:
    for tenant in ("r17_new", "r17_old"):
        assert house.query(
            "select to_char(metric_date, 'MM-DD'), cash_collected_cents, refunds_cents from revenue.metrics_daily_cash"
            f" where tenant_id = '{uuid_text('upcoach', 'tenant', tenant)}' and payments + refunds > 0 order by 1"
        ) == [("02-01", 7900, 0), ("02-03", 0, 300), ("02-04", 0, 700)]


def test_rule_20_an_item_that_is_exchanged_at_one_price_moves_plans_alone(house: House) -> None:
    """An item more is expansion and one less contraction (20c), each of its own plan."""
    base = ("price_5000_month_usd", 5000, 1)
    for tenant in ("r20c_new", "r20c_old"):
        found = house.query(
            "select to_char(metric_date, 'MM-DD'), plan, net_mrr_cents, paying_customers"
            " from revenue.metrics_daily_plan_mrr where policy = 'standard'"
            f" and tenant_id = '{uuid_text('upcoach', 'tenant', tenant)}' and metric_date in"
            " ('2026-02-09', '2026-02-10', '2026-03-09', '2026-03-10', '2026-04-10') order by 1, 2"
        )
        days: dict[str, list[tuple[Any, ...]]] = {}
        for day, *plan in found:
            days.setdefault(day, []).append(tuple(plan))
        assert days == {
            "02-09": [base],
            "02-10": [base, ("price_seats", 2000, 1)],
            "03-09": [base, ("price_seats", 2000, 1)],
            "03-10": [base, ("price_desks", 2000, 1)],
            "04-10": [base],
        }


def test_rule_21_opening_and_movements_are_closing_every_day(house: House) -> None:
    """Per tenant, product, policy and day, to the cent."""
    ((days, broken),) = house.query(
        "select count(*), count(*) filter (where net_mrr_cents <> opening_mrr_cents + new_mrr_cents"
        " + reactivation_mrr_cents + expansion_mrr_cents - contraction_mrr_cents - churn_mrr_cents + fx_mrr_cents"
        " or opening_mrr_cents <> before_cents) from (select *, coalesce(lag(net_mrr_cents) over ("
        "partition by tenant_id, product, policy order by metric_date), 0) as before_cents"
        " from revenue.metrics_daily_tenant_mrr) as days"
    )
    assert days > 1000 and broken == 0


def test_rule_23_euros_at_the_rate_of_the_day(house: House) -> None:
    tenant = uuid_text("upcoach", "tenant", "euros")
    rates = dict(
        house.query(
            "select to_char(rate_date, 'MM-DD'), eur_rate from reference.fx_rates"
            " where currency = 'usd' and rate_date in ('2026-02-06', '2026-02-09')"
        )
    )
    found = house.query(
        "select to_char(metric_date, 'MM-DD'), net_mrr_cents, fx_mrr_cents from revenue.metrics_daily_tenant_mrr"
        f" where tenant_id = '{tenant}' and policy = 'standard'"
        " and metric_date in ('2026-02-06', '2026-02-08', '2026-02-09') order by 1"
    )
    friday, monday = round(10000 * rates["02-06"]), round(10000 * rates["02-09"])
    assert found == [
        ("02-06", friday, 0),
        ("02-08", friday, 0),
        ("02-09", monday, monday - friday),
    ]


def test_rule_25_another_account_has_its_own(house: House) -> None:
    for case in BOTH:
        assert moves(house, case.name, "rostracore") == [("01-10", "new", 100)]


def test_rule_32_a_transfer_moves_the_payer_alone(house: House) -> None:
    """The taker names no tenant: the project stands for it."""
    assert moves(house, "giver") == [("01-10", "new", 1000), ("01-20", "churn", -1000)]
    assert moves(house, "upcoach") == [("01-20", "new", 1000), ("02-10", "churn", -1000)]


def test_rule_36_what_nobody_knows_is_stored_and_counted(house: House) -> None:
    assert house.query(
        "select count(*) from staging.stg_revenuecat__events where event_type = 'NEVER_HEARD_OF'"
    ) == [(1,)]
