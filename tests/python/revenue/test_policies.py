"""What each policy makes of the same webhooks, and how the bridge explains it, one tenant a difference.

Belongs here: answers worked out by hand from the rules. Does not belong here: the rules of `standard` (`test_rules`).
"""

from collections.abc import Callable
from typing import Any

import pytest

from ingestion.values.identity import uuid_text
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.webhooks import coupon, of_customer, price, seconds, subscription

pytestmark = pytest.mark.slow

AS_OF = "2027-03-01T12:00:00Z"
YEAR, MONTH, WEEK = price(120000, "year"), price(10000), price(1000, "week")
BASE, SEATS, DESKS = (
    price(10000, nickname="base"),
    price(5000, nickname="seats"),
    price(5001, nickname="desks"),
)
WITH_USAGE = {"price_10000_month_usd": 10000, "price_metered": 3000}
TAXED = {"default_tax_rates": [{"percentage": 25, "inclusive": True}]}
METERED = {
    **price(7),
    "id": "price_metered",
    "recurring": {"interval": "month", "interval_count": 1, "usage_type": "metered"},
}


def half_off(duration: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"di_{duration}",
            "coupon": {"id": f"c_{duration}", "duration": duration, "percent_off": 50},
            **more,
        }
    ]


def usage(
    name: str, amount: int, new_shape: bool, begin: str = "2026-02-01", end: str = "2026-03-01"
) -> dict[str, Any]:
    """An invoice of the last day for what was used until then, in both shapes of the API."""
    line: dict[str, Any] = {
        "currency": "usd",
        "amount": amount,
        "period": {"start": seconds(begin), "end": seconds(end)},
    }
    subject: dict[str, Any] = {
        "id": f"in_{name}_{end}",
        "object": "invoice",
        "customer": f"cus_{name}",
    }
    if new_shape:
        line["pricing"] = {"price_details": {"price": "price_metered"}}
        subject["parent"] = {"subscription_details": {"subscription": f"sub_{name}"}}
    else:
        line["price"] = METERED
        subject["subscription"] = f"sub_{name}"
    return {
        "id": f"evt_in_{name}_{end}",
        "object": "event",
        "type": "invoice.paid",
        "created": seconds(end),
        "livemode": True,
        "data": {
            "object": {
                **subject,
                "currency": "usd",
                "status": "paid",
                "created": seconds(end),
                "amount_due": amount,
                "amount_paid": amount,
                "lines": {"data": [line]},
            }
        },
    }


STRIPE = [
    # 13: half off once on 1,200 a year, taken off as soon as it is billed
    subscription("once", "created", "2026-01-01", YEAR, discounts=half_off("once")),
    subscription("once", "updated", "2026-01-01T01:00:00", YEAR, previous={"discounts": ["di_once"]}),
    # 13: for three months
    subscription(
        "months",
        "created",
        "2026-01-01",
        MONTH,
        new_shape=False,
        discount=half_off("repeating", start=seconds("2026-01-01"), end=seconds("2026-04-01"))[0],
    ),
    # 13: half off once after a trial, of the first month that is paid for; in the old shape of a customer's coupon
    subscription("tried", "created", "2026-01-01", MONTH, status="trialing", trial_end=seconds("2026-01-15"),
                 discounts=half_off("once")),
    subscription("tried", "updated", "2026-01-15", MONTH, trial_end=seconds("2026-01-15"),
                 discounts=half_off("once"), previous={"status": "trialing"}),
    subscription("tried", "updated", "2026-02-15", MONTH, trial_end=seconds("2026-01-15"),
                 previous={"discounts": ["di_once"]}),
    subscription("tried_old", "created", "2026-01-01", MONTH, new_shape=False, status="trialing",
                 trial_end=seconds("2026-01-15")),
    of_customer("tried_old", "created", "2026-01-01",
                {**half_off("once")[0], "start": seconds("2026-01-01"), "end": None}),
    subscription("tried_old", "updated", "2026-01-15", MONTH, new_shape=False, trial_end=seconds("2026-01-15"),
                 previous={"status": "trialing"}),
    # the same, gone before the trial is over, and given in mid-trial
    *(record for name, given, gone in (("gone", "2026-01-01", "2026-01-05"), ("midway", "2026-01-05", "2026-01-15"))
      for record in (
          subscription(name, "created", "2026-01-01", MONTH, status="trialing", trial_end=seconds("2026-01-15")),
          of_customer(name, "created", given, {**half_off("once")[0], "start": seconds(given), "end": None}),
          of_customer(name, "deleted", gone, {**half_off("once")[0], "start": seconds(given), "end": seconds(gone)}),
          subscription(name, "updated", "2026-01-15", MONTH, trial_end=seconds("2026-01-15"),
                       previous={"status": "trialing"}),
      )),
    # and of a subscription: taken away during the trial
    subscription("untried", "created", "2026-01-01", MONTH, status="trialing", trial_end=seconds("2026-01-15"),
                 discounts=half_off("once")),
    subscription("untried", "updated", "2026-01-05", MONTH, status="trialing", trial_end=seconds("2026-01-15"),
                 previous={"discounts": ["di_once"]}),
    subscription("untried", "updated", "2026-01-15", MONTH, trial_end=seconds("2026-01-15"),
                 previous={"status": "trialing"}),
    # 6: 30 of usage in February, beside 100 a month
    subscription("used", "created", "2026-02-01", MONTH, METERED),
    usage("used", 3000, new_shape=True),
    subscription("used_old", "created", "2026-02-01", MONTH, METERED, new_shape=False),
    usage("used_old", 3000, new_shape=False),
    # 6: from the 31st: each bill's usage stands until the next one, in the longer month too
    subscription("used_31", "created", "2026-01-31", MONTH, METERED),
    usage("used_31", 3000, True, "2026-01-31", "2026-02-28"),
    usage("used_31", 4000, True, "2026-02-28", "2026-03-31"),
    # 1: 10 a week, which is 43.33 or 40
    subscription("weekly", "created", "2026-01-01", WEEK),
    # 8, 9: at risk and paused are the same for all
    subscription("late", "created", "2026-01-01", MONTH),
    subscription("late", "updated", "2026-02-01", MONTH, status="past_due", previous={}),
    subscription("paused", "created", "2026-01-01", MONTH),
    subscription(
        "paused", "updated", "2026-02-01", MONTH, pause_collection={"behavior": "void"}, previous={}
    ),
    # 3, 13: seats beside a base, 30 off both for two months; desks instead of seats, a cent more; the base alone
    subscription(
        "pair",
        "created",
        "2026-01-01",
        BASE,
        SEATS,
        discounts=[
            {
                "id": "di_pair",
                "coupon": {"id": "c_pair", "duration": "repeating", "amount_off": 3000},
                "start": seconds("2026-01-01"),
                "end": seconds("2026-03-01"),
            }
        ],
    ),
    subscription("pair", "updated", "2026-03-10", BASE, DESKS, previous={}),
    subscription("pair", "updated", "2026-04-10", BASE, previous={}),
    # 14, 16: 10 % and 15 off 150, of which a fifth is tax: 80 and 40 of 120 are left, 64 and 32 without the tax
    subscription(
        "pair_taxed",
        "created",
        "2026-01-01",
        BASE,
        SEATS,
        discounts=[
            {"id": "di_1", "coupon": {"id": "c_1", "duration": "forever", "percent_off": 10}},
            {"id": "di_2", "coupon": {"id": "c_2", "duration": "forever", "amount_off": 1500}},
        ],
        **TAXED,
    ),
    # 1: 100 a month and 10 a week
    subscription("pair_weekly", "created", "2026-05-01", BASE, WEEK),
    # 14: half off seats, and for two months 30 off seats and desks; a list alone shows of which products the first is
    coupon("c_seats", percent_off=50, applies_to={"products": ["prod_seats"]}),
    subscription(
        "some",
        "created",
        "2026-05-01",
        {**BASE, "product": "prod_base"},
        {**SEATS, "product": {"id": "prod_seats", "object": "product"}},
        {**DESKS, "product": "prod_desks", "unit_amount": 2500},
        discounts=[
            {
                "id": "di_seats",
                "coupon": {
                    "id": "c_seats",
                    "created": seconds("2025-01-01"),
                    "duration": "forever",
                    "percent_off": 50,
                },
            },
            {
                "id": "di_both",
                "coupon": {
                    "id": "c_both",
                    "created": seconds("2025-01-01"),
                    "duration": "repeating",
                    "amount_off": 3000,
                    "applies_to": {"products": ["prod_seats", "prod_desks"]},
                },
                "start": seconds("2026-05-01"),
                "end": seconds("2026-07-01"),
            },
        ],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House]) -> House:
    house = new_house("policies")
    house.put("stripe/acct_upcoach/a.jsonl", STRIPE)
    house.load()
    house.build(REVENUE, as_of=AS_OF)
    return house


@pytest.mark.parametrize(
    ("tenant", "day", "standard", "chartmogul", "profitwell", "revenuecat"),
    [
        ("once", "2026-01-01", 10000, 5000, 10000, 10000),
        ("once", "2026-12-31", 10000, 5000, 10000, 10000),
        ("once", "2027-01-01", 10000, 10000, 10000, 10000),
        ("months", "2026-03-31", 10000, 5000, 10000, 10000),
        ("months", "2026-04-01", 10000, 10000, 10000, 10000),
        ("tried", "2026-01-15", 10000, 5000, 10000, 10000),
        ("tried", "2026-02-14", 10000, 5000, 10000, 10000),
        ("tried", "2026-02-15", 10000, 10000, 10000, 10000),
        ("tried_old", "2026-01-15", 10000, 5000, 10000, 10000),
        ("tried_old", "2026-02-14", 10000, 5000, 10000, 10000),
        ("tried_old", "2026-02-15", 10000, 10000, 10000, 10000),
        ("gone", "2026-01-15", 10000, 10000, 10000, 10000),
        ("midway", "2026-01-15", 10000, 5000, 10000, 10000),
        ("midway", "2026-02-14", 10000, 5000, 10000, 10000),
        ("midway", "2026-02-15", 10000, 10000, 10000, 10000),
        ("untried", "2026-01-15", 10000, 10000, 10000, 10000),
        ("used", "2026-02-28", 10000, 10000, 10000, 10000),
        ("used", "2026-03-01", 10000, 10000, 13000, 10000),
        ("used", "2026-03-31", 10000, 10000, 13000, 10000),
        ("used", "2026-04-01", 10000, 10000, 10000, 10000),
        ("used_old", "2026-03-31", 10000, 10000, 13000, 10000),
        ("used_31", "2026-02-27", 10000, 10000, 10000, 10000),
        ("used_31", "2026-02-28", 10000, 10000, 13000, 10000),
        ("used_31", "2026-03-30", 10000, 10000, 13000, 10000),
        ("used_31", "2026-03-31", 10000, 10000, 14000, 10000),
        ("used_31", "2026-04-29", 10000, 10000, 14000, 10000),
        ("used_31", "2026-04-30", 10000, 10000, 10000, 10000),
        ("weekly", "2026-03-01", 4333, 4333, 4333, 4000),
        ("late", "2026-03-01", 10000, 10000, 10000, 10000),
        ("paused", "2026-03-01", 0, 0, 0, 0),
    ],
)
def test_each_policy_counts_what_it_says(
    house: House,
    tenant: str,
    day: str,
    standard: int,
    chartmogul: int,
    profitwell: int,
    revenuecat: int,
) -> None:
    found = house.query(
        "select policy, net_mrr_cents from revenue.metrics_daily_tenant_mrr where tenant_id = "
        f"'{uuid_text('upcoach', 'tenant', tenant)}' and metric_date = '{day}'"
    )
    assert dict(found) == {
        "standard": standard,
        "chartmogul": chartmogul,
        "profitwell": profitwell,
        "revenuecat": revenuecat,
    }


@pytest.mark.parametrize(
    ("tenant", "policy", "day", "expected"),
    [
        ("pair", "standard", "2026-01-01", {"base": 10000, "seats": 5000}),
        ("pair", "chartmogul", "2026-01-01", {"base": 8000, "seats": 4000}),
        ("pair", "chartmogul", "2026-03-01", {"base": 10000, "seats": 5000}),
        ("pair", "standard", "2026-03-10", {"base": 10000, "desks": 5001}),
        ("pair", "standard", "2026-04-10", {"base": 10000}),
        ("pair_taxed", "standard", "2026-01-01", {"base": 6400, "seats": 3200}),
        ("pair_taxed", "revenuecat", "2026-01-01", {"base": 6400, "seats": 3200}),
        ("pair_weekly", "standard", "2026-05-01", {"base": 10000, "price_1000_week_usd": 4333}),
        ("pair_weekly", "revenuecat", "2026-05-01", {"base": 10000, "price_1000_week_usd": 4000}),
        ("some", "standard", "2026-05-01", {"base": 10000, "seats": 2500, "desks": 2500}),
        ("some", "chartmogul", "2026-05-01", {"base": 10000, "seats": 1000, "desks": 1000}),
        ("some", "chartmogul", "2026-07-01", {"base": 10000, "seats": 2500, "desks": 2500}),
        ("used", "standard", "2026-03-01", {"price_10000_month_usd": 10000}),
        ("used", "profitwell", "2026-03-01", WITH_USAGE),
        ("used_old", "profitwell", "2026-03-31", WITH_USAGE),
        ("used_old", "profitwell", "2026-04-01", {"price_10000_month_usd": 10000}),
    ],
)
def test_rule_3_each_item_counts_for_its_own_plan(
    house: House, tenant: str, policy: str, day: str, expected: dict[str, int]
) -> None:
    found = house.query(
        "select plan, net_mrr_cents from revenue.metrics_daily_plan_mrr where tenant_id = "
        f"'{uuid_text('upcoach', 'tenant', tenant)}' and policy = '{policy}' and metric_date = '{day}'"
    )
    assert dict(found) == expected


def test_a_subscription_of_two_plans_is_one(house: House) -> None:
    """In the facts, under its first item's plan; its customer moves by what the whole changes."""
    tenant = f"tenant_id = '{uuid_text('upcoach', 'tenant', 'pair')}' and policy = 'standard'"
    assert house.query(
        "select to_char(valid_from, 'MM-DD'), plan, mrr_source_cents::int"
        f" from revenue.fact_subscription_periods where {tenant} order by 1"
    ) == [("01-01", "base", 15000), ("03-10", "base", 15001), ("04-10", "base", 10000)]
    assert house.query(
        "select to_char(occurred_at, 'MM-DD'), movement_type, mrr_change_cents::int"
        f" from revenue.fact_mrr_movements where {tenant} order by 1"
    ) == [("01-01", "new", 15000), ("03-10", "expansion", 1), ("04-10", "contraction", -5001)]


def test_the_bridge_tells_each_cause(house: House) -> None:
    """15 March 2026: two coupons of 50, three bills of 30, a week of 3.33."""
    found = house.query(
        "select from_policy, to_policy, cause, difference_cents, customers"
        " from revenue.metrics_mrr_policy_bridge where metric_date = '2026-03-15'"
        " and (from_policy, to_policy) in (('standard', 'chartmogul'), ('chartmogul', 'profitwell'),"
        " ('profitwell', 'revenuecat')) order by 1, 2, 3"
    )
    assert found == [
        ("chartmogul", "profitwell", "metered_usage", 9000, 3),
        ("chartmogul", "profitwell", "temporary_discount", 10000, 2),
        ("profitwell", "revenuecat", "metered_usage", -9000, 3),
        ("profitwell", "revenuecat", "weeks_and_days", -333, 1),
        ("standard", "chartmogul", "temporary_discount", -10000, 2),
    ]


def test_the_bridge_closes_for_all_pairs_every_day(house: House) -> None:
    assert pairs(house) == {"upcoach": (12 * days(house, "upcoach"), 0)}
    assert house.query("select count(*) from intermediate.int_revenue__policies") == [(4,)]


def days(house: House, product: str) -> int:
    return house.query(
        f"select count(distinct metric_date) from revenue.metrics_daily_mrr where product = '{product}'"
    )[0][0]


def pairs(house: House) -> dict[str, tuple[int, int]]:
    """By product: days of two policies, and those of them on which the bridge does not close."""
    found = house.query(
        "select product, count(*), count(*) filter (where expected <> bridged) from ("
        " select o.product, o.metric_date, o.policy, d.policy, d.net_mrr_cents - o.net_mrr_cents as expected,"
        " coalesce(sum(b.difference_cents), 0) as bridged"
        " from revenue.metrics_daily_mrr as o"
        " join revenue.metrics_daily_mrr as d using (metric_date, product)"
        " left join revenue.metrics_mrr_policy_bridge as b on b.metric_date = o.metric_date"
        " and b.product = o.product and b.from_policy = o.policy and b.to_policy = d.policy"
        " where o.policy <> d.policy group by 1, 2, 3, 4, 5) as pairs group by 1"
    )
    return {product: (counted, open_ones) for product, counted, open_ones in found}


QUARTER = {"start": seconds("2026-01-01"), "end": seconds("2026-04-01")}
EUROS = price(9999, currency="eur")
OWN = [
    # 1, 6, 13: 10 a week, half off until April, and 30 of usage in February
    subscription("all", "created", "2026-01-01", WEEK, METERED, discounts=half_off("repeating", **QUARTER)),
    usage("all", 3000, new_shape=True),
    # 13: half off 1,200 a year, once
    subscription("one", "created", "2026-01-01", YEAR, discounts=half_off("once")),
    subscription("one", "updated", "2026-01-01T01:00:00", YEAR, previous={"discounts": ["di_once"]}),
]  # fmt: skip
OWN_EUROS = [
    # 9, 13, 23: 99.99 euros, half off until April and paused since February
    subscription("rests", "created", "2026-01-01", EUROS, discounts=half_off("repeating", **QUARTER)),
    subscription("rests", "updated", "2026-02-01", EUROS, discounts=half_off("repeating", **QUARTER),
                 pause_collection={"behavior": "void"}, previous={"pause_collection": None}),
    # the same names as in the other account
    subscription("all", "created", "2026-01-01", EUROS),
]  # fmt: skip


@pytest.fixture(scope="module")
def own_house(new_house: Callable[[str], House]) -> House:
    """With two policies of one's own: `ours` departs in three ways, `mild` in two."""
    house = new_house("own_policies")
    with house.warehouse.connect() as connection:
        connection.execute(
            "insert into reference.mrr_policies (policy, is_computed, weeks_per_year, days_per_year,"
            " pause_counts_as_zero, temporary_discounts_count, metered_usage_counts, trial_after_paid_counts)"
            " values ('ours', true, 48, 360, true, true, true, false),"
            " ('mild', true, 52, 365, false, true, false, false)"
        )
    house.put("stripe/acct_upcoach/a.jsonl", OWN)
    house.put("stripe/acct_rostracore/a.jsonl", OWN_EUROS)
    house.load()
    house.build(REVENUE, as_of="2026-05-01T12:00:00Z")
    return house


@pytest.mark.parametrize(
    ("origin", "destination", "expected"),
    [
        # 43.33 and 100; with 48 weeks 40 and 100; with coupons 20 and 50; with usage 50 and 50
        (
            "standard",
            "ours",
            {"weeks_and_days": (-333, 1), "temporary_discount": (-7000, 2), "metered_usage": (3000, 1)},
        ),
        # under chartmogul half of 43.33: the coupon of the first takes 1.67 more than of a month of 4 weeks
        (
            "chartmogul",
            "ours",
            {"weeks_and_days": (-333, 1), "temporary_discount": (166, 1), "metered_usage": (3000, 1)},
        ),
        (
            "ours",
            "profitwell",
            {"weeks_and_days": (333, 1), "temporary_discount": (7000, 2), "metered_usage": (0, 0)},
        ),
        (
            "revenuecat",
            "ours",
            {"weeks_and_days": (0, 0), "temporary_discount": (-7000, 2), "metered_usage": (3000, 1)},
        ),
        # nobody is paused here, and the coupons are those of chartmogul
        (
            "ours",
            "mild",
            {
                "weeks_and_days": (333, 1),
                "pause": (0, 0),
                "temporary_discount": (-166, 1),
                "metered_usage": (-3000, 1),
            },
        ),
    ],
)  # fmt: skip
def test_a_policy_that_departs_in_several_ways_is_told_cause_by_cause(
    own_house: House, origin: str, destination: str, expected: dict[str, tuple[int, int]]
) -> None:
    found = own_house.query(
        "select cause, difference_cents, customers from revenue.metrics_mrr_policy_bridge"
        " where metric_date = '2026-03-15' and product = 'upcoach'"
        f" and from_policy = '{origin}' and to_policy = '{destination}'"
    )
    assert {cause: (cents, customers) for cause, cents, customers in found} == expected


def test_policies_of_ones_own_close_for_all_pairs_every_day(own_house: House) -> None:
    """Six policies; those in euros are rounded, each by itself."""
    products = ("rostracore", "upcoach")
    assert pairs(own_house) == {p: (30 * days(own_house, p), 0) for p in products}
    told = own_house.query(
        "select distinct cause from revenue.metrics_mrr_policy_bridge"
        " where product = 'rostracore' and to_policy = 'mild' and difference_cents <> 0"
    )
    assert {cause for (cause,) in told} >= {"pause", "temporary_discount"}


def test_policies_in_between_are_nowhere_published(own_house: House) -> None:
    between = own_house.query(
        "select policy from intermediate.int_revenue__policies where policy not in"
        " (select policy from reference.mrr_policies where is_computed) order by 1"
    )
    assert between == [("mild/pause",), ("ours/temporary_discount",), ("ours/weeks_and_days",)]
    tables = own_house.query(
        "select distinct table_name, column_name from information_schema.columns"
        " where table_schema = 'revenue' and column_name in ('policy', 'from_policy', 'to_policy')"
    )
    assert len(tables) >= 9
    policies = {"standard", "chartmogul", "profitwell", "revenuecat", "ours", "mild"}
    filled = 0
    for table, column in tables:
        found = {
            policy
            for (policy,) in own_house.query(f"select distinct {column} from revenue.{table}")
        }
        assert found <= policies, table
        filled += found == policies
    assert filled >= 9
