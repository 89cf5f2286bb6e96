"""What each policy makes of the same webhooks, and how the bridge explains it, one tenant a difference.

Belongs here: answers worked out by hand from the rules. Does not belong here: the rules of `standard` (`test_rules`).
"""

from collections.abc import Callable
from typing import Any

import pytest

from ingestion.values.identity import uuid_text
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.webhooks import price, seconds, subscription

pytestmark = pytest.mark.slow

AS_OF = "2027-03-01T12:00:00Z"
YEAR, MONTH, WEEK = price(120000, "year"), price(10000), price(1000, "week")
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


def usage(name: str, amount: int, new_shape: bool) -> dict[str, Any]:
    """An invoice of 1 March for what was used in February, in both shapes of the API."""
    line: dict[str, Any] = {
        "currency": "usd",
        "amount": amount,
        "period": {"start": seconds("2026-02-01"), "end": seconds("2026-03-01")},
    }
    subject: dict[str, Any] = {"id": f"in_{name}", "object": "invoice", "customer": f"cus_{name}"}
    if new_shape:
        line["pricing"] = {"price_details": {"price": "price_metered"}}
        subject["parent"] = {"subscription_details": {"subscription": f"sub_{name}"}}
    else:
        line["price"] = METERED
        subject["subscription"] = f"sub_{name}"
    return {
        "id": f"evt_in_{name}",
        "object": "event",
        "type": "invoice.paid",
        "created": seconds("2026-03-01"),
        "livemode": True,
        "data": {
            "object": {
                **subject,
                "currency": "usd",
                "status": "paid",
                "created": seconds("2026-03-01"),
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
    # 6: 30 of usage in February, beside 100 a month
    subscription("used", "created", "2026-02-01", MONTH, METERED),
    usage("used", 3000, new_shape=True),
    subscription("used_old", "created", "2026-02-01", MONTH, METERED, new_shape=False),
    usage("used_old", 3000, new_shape=False),
    # 1: 10 a week, which is 43.33 or 40
    subscription("weekly", "created", "2026-01-01", WEEK),
    # 8, 9: at risk and paused are the same for all
    subscription("late", "created", "2026-01-01", MONTH),
    subscription("late", "updated", "2026-02-01", MONTH, status="past_due", previous={}),
    subscription("paused", "created", "2026-01-01", MONTH),
    subscription(
        "paused", "updated", "2026-02-01", MONTH, pause_collection={"behavior": "void"}, previous={}
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
        ("used", "2026-02-28", 10000, 10000, 10000, 10000),
        ("used", "2026-03-01", 10000, 10000, 13000, 10000),
        ("used", "2026-03-31", 10000, 10000, 13000, 10000),
        ("used", "2026-04-01", 10000, 10000, 10000, 10000),
        ("used_old", "2026-03-31", 10000, 10000, 13000, 10000),
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


def test_the_bridge_tells_each_cause(house: House) -> None:
    """15 March 2026: two coupons of 50, two bills of 30, a week of 3.33."""
    found = house.query(
        "select from_policy, to_policy, cause, difference_cents, customers"
        " from revenue.metrics_mrr_policy_bridge where metric_date = '2026-03-15'"
        " and (from_policy, to_policy) in (('standard', 'chartmogul'), ('chartmogul', 'profitwell'),"
        " ('profitwell', 'revenuecat')) order by 1, 2, 3"
    )
    assert found == [
        ("chartmogul", "profitwell", "metered_usage", 6000, 2),
        ("chartmogul", "profitwell", "temporary_discount", 10000, 2),
        ("profitwell", "revenuecat", "metered_usage", -6000, 2),
        ("profitwell", "revenuecat", "weeks_and_days", -333, 1),
        ("standard", "chartmogul", "temporary_discount", -10000, 2),
    ]


def test_the_bridge_closes_for_all_pairs_every_day(house: House) -> None:
    pairs = house.query(
        "select count(*), count(*) filter (where expected = bridged) from ("
        " select o.metric_date, o.policy, d.policy, d.net_mrr_cents - o.net_mrr_cents as expected,"
        " coalesce(sum(b.difference_cents), 0) as bridged"
        " from revenue.metrics_daily_mrr as o"
        " join revenue.metrics_daily_mrr as d using (metric_date, product)"
        " left join revenue.metrics_mrr_policy_bridge as b on b.metric_date = o.metric_date"
        " and b.product = o.product and b.from_policy = o.policy and b.to_policy = d.policy"
        " where o.policy <> d.policy group by 1, 2, 3, 4) as pairs"
    )
    days = house.query("select count(distinct metric_date) from revenue.metrics_daily_mrr")[0][0]
    assert pairs == [(12 * days, 12 * days)]
