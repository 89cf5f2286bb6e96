"""The MRR rules from what a provider posts to what the marts publish, one tenant a rule.

Belongs here: rules that need more than one model. Does not belong here: a rule that one model decides
(its unit test stands beside it).
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ingestion.values.identity import uuid_text
from tests.building import run_dbt
from tests.python.marts.house import House, assert_equal
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.webhooks import PRORATIONS, invoice, price, prorated, store, subscription

pytestmark = pytest.mark.slow

AS_OF = "2026-09-01T12:00:00Z"
TABLES = (
    "core.dim_subscription",
    "revenue.fact_subscription_periods",
    "revenue.fact_mrr_movements",
    "revenue.metrics_daily_mrr",
    "revenue.metrics_daily_tenant_mrr",
)
YEAR, MONTH = price(120000, "year"), price(12000)
TIERED = price(0, id="price_tiered", unit_amount=None, billing_scheme="tiered", tiers_mode="volume")

STRIPE = [
    # 22: annual 1,200 swapped to monthly 120 in July
    subscription("swap", "created", "2026-01-10", YEAR, new_shape=False),
    subscription(
        "swap", "updated", "2026-03-10", YEAR, new_shape=False, previous={"latest_invoice": "in_1"}
    ),
    subscription("swap", "updated", "2026-07-05", MONTH, previous={}),
    # 7: the trial is worth nothing; new when it becomes active
    subscription("trial", "created", "2026-02-01", price(5000), status="trialing"),
    subscription("trial", "updated", "2026-02-15", price(5000), previous={"status": "trialing"}),
    # 10, 20: asked to end, ends with its period, comes back later
    subscription("leaves", "created", "2026-02-01", price(3000)),
    subscription("leaves", "updated", "2026-02-10", price(3000), cancel_at_period_end=True),
    subscription(
        "leaves",
        "deleted",
        "2026-03-01T00:00:07",
        price(3000),
        status="canceled",
        ended_at=1772323200,
    ),
    subscription(
        "returns", "created", "2026-04-01", price(4000), tenant="leaves", customer="cus_leaves"
    ),
    # 11: ended at once, though the period had long to go
    subscription("ends_now", "created", "2026-02-01", price(3000), quantity=2),
    subscription(
        "ends_now", "deleted", "2026-02-20", price(3000), status="canceled", ended_at=1771545600
    ),
    # 42: the update was posted first
    subscription(
        "late", "updated", "2026-02-01T00:00:05", price(7000), previous={"status": "incomplete"}
    ),
    subscription("late", "created", "2026-02-01T00:00:05", price(7000), status="incomplete"),
    # 5, 23: yen have no cents; a rate of the day, the last published one at weekends
    subscription("yen", "created", "2026-02-02", price(1000, currency="jpy")),
    # 25: test mode
    subscription("test_mode", "created", "2026-02-01", price(99900), live=False),
    # 9: paused and resumed
    subscription("pause", "created", "2026-02-01", price(2000)),
    subscription(
        "pause", "updated", "2026-03-01", price(2000), pause_collection={"behavior": "void"}
    ),
    subscription("pause", "updated", "2026-05-01", price(2000)),
    # 24: backdated
    subscription("backdated", "created", "2026-03-15", price(1000), start_date=1767225600),
    # 4: a webhook shows no tiers; an invoice says what seven cost, and nobody what nine do
    subscription("tiered", "created", "2026-02-01", TIERED, quantity=7),
    invoice("tiered", "2026-02-01", "price_tiered", 7, 4900),
    # 17, 37: nor does what settles a change within a period, wherever the line says so
    *(prorated("tiered", "2026-02-11", "price_tiered", 7, 5900, home) for home in PRORATIONS),
    subscription("unread", "created", "2026-02-01", TIERED, quantity=9),
]
# 25: the same ids in another account are other subscriptions of other tenants
OTHER = [subscription("swap", "created", "2026-01-10", price(777))]
STORE = [
    # 34: expires without a word; 29: asking to leave moved nothing before
    store("silent", "INITIAL_PURCHASE", "2026-02-01", 9.99, "2026-02-01", "2026-03-01"),
    store(
        "silent",
        "CANCELLATION",
        "2026-02-10",
        0,
        "2026-02-01",
        "2026-03-01",
        cancel_reason="UNSUBSCRIBE",
    ),
    # 32: a transfer from one known user to another: the payer moves, net 0
    store("giver", "INITIAL_PURCHASE", "2026-02-01", 20.0, "2026-02-01", "2027-02-01"),
    {
        "api_version": "1.0",
        "event": {
            "id": "transfer-1",
            "type": "TRANSFER",
            "event_timestamp_ms": 1772366400000,
            "environment": "PRODUCTION",
            "store": "APP_STORE",
            "transferred_from": ["giver"],
            "transferred_to": ["taker"],
        },
    },
    # 25 and 36
    store(
        "sandbox",
        "INITIAL_PURCHASE",
        "2026-02-01",
        99.0,
        "2026-02-01",
        "2027-02-01",
        environment="SANDBOX",
    ),
    store("silent", "SOMETHING_NEW", "2026-02-11", 1.0, "2026-02-01", "2028-03-01"),
]


def fill(house: House, *files: tuple[str, list[dict[str, Any]]]) -> House:
    for path, lines in files:
        house.put(path, lines)
    house.load()
    house.build(REVENUE, as_of=AS_OF)
    return house


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House]) -> House:
    return fill(
        new_house("rules"),
        ("stripe/acct_upcoach/a.jsonl", STRIPE),
        ("stripe/acct_rostracore/a.jsonl", OTHER),
        ("revenuecat/upcoach/a.jsonl", STORE),
    )


def movements(
    house: House, tenant: str, product: str = "upcoach"
) -> list[tuple[str, str, Decimal]]:
    tenant_id = uuid_text(product, "tenant", tenant)
    return house.query(
        "select date_key::text, movement_type, round(mrr_change_cents, 2) from revenue.fact_mrr_movements "
        f"where tenant_id = '{tenant_id}' and policy = 'standard' and movement_type <> 'fx' "
        "order by occurred_at"
    )


@pytest.mark.parametrize(
    ("tenant", "expected"),
    [
        ("swap", [("2026-01-10", "new", 10000), ("2026-07-05", "expansion", 2000)]),
        ("trial", [("2026-02-15", "new", 5000)]),
        ("leaves", [("2026-02-01", "new", 3000), ("2026-03-01", "churn", -3000),
                    ("2026-04-01", "reactivation", 4000)]),
        ("ends_now", [("2026-02-01", "new", 6000), ("2026-02-20", "churn", -6000)]),
        ("late", [("2026-02-01", "new", 7000)]),
        ("test_mode", []),
        ("pause", [("2026-02-01", "new", 2000), ("2026-03-01", "churn", -2000),
                   ("2026-05-01", "reactivation", 2000)]),
        ("backdated", [("2026-01-01", "new", 1000)]),
        ("tiered", [("2026-02-01", "new", 4900)]),
        ("unread", []),
        ("silent", [("2026-02-01", "new", 999), ("2026-03-01", "churn", -999)]),
        ("sandbox", []),
    ],
)  # fmt: skip
def test_movements(house: House, tenant: str, expected: list[tuple[str, str, int]]) -> None:
    assert movements(house, tenant) == [
        (day, kind, Decimal(cents)) for day, kind, cents in expected
    ]


def test_two_accounts_never_mix(house: House) -> None:
    assert movements(house, "swap", "rostracore") == [("2026-01-10", "new", Decimal(777))]


def test_a_swap_leaves_the_past_alone(house: House) -> None:
    tenant_id = uuid_text("upcoach", "tenant", "swap")
    closing = dict(
        house.query(
            "select metric_date::text, net_mrr_cents from revenue.metrics_daily_tenant_mrr "
            f"where tenant_id = '{tenant_id}' and policy = 'standard'"
        )
    )
    assert (closing["2026-06-30"], closing["2026-07-05"], closing["2026-09-01"]) == (
        10000,
        12000,
        12000,
    )


def test_yen_at_the_last_published_rate(house: House) -> None:
    """1,000 yen at the seed's own rates: Friday 6 February 2026 stands until Monday."""
    rates = house.query(
        "select currency, eur_rate from reference.fx_rates "
        "where rate_date = '2026-02-06' and currency in ('usd', 'jpy')"
    )
    usd, jpy = (dict(rates)[code] for code in ("usd", "jpy"))
    tenant_id = uuid_text("upcoach", "tenant", "yen")
    weekend = house.query(
        "select net_mrr_cents from revenue.metrics_daily_tenant_mrr "
        f"where tenant_id = '{tenant_id}' and policy = 'standard' and metric_date between '2026-02-06' and '2026-02-08'"
    )
    assert weekend == [(round(1000 * 100 * usd / jpy),)] * 3


def test_a_rate_stands_until_the_next_and_30_days_once_none_follows(house: House) -> None:
    """The bank told of roubles last on 1 March 2022, of kuna on 30 December 2022, of dollars until October 2026."""
    days = house.query(
        "select currency, count(*), max(rate_date)::text from intermediate.int_revenue__fx_daily"
        " where currency in ('rub', 'hrk', 'usd') and rate_date >= '2022-02-25' group by currency order by 1"
    )
    assert days == [
        ("hrk", (date(2023, 1, 29) - date(2022, 2, 24)).days, "2023-01-29"),
        ("rub", (date(2022, 3, 31) - date(2022, 2, 24)).days, "2022-03-31"),
        ("usd", (date(2026, 11, 1) - date(2022, 2, 24)).days, "2026-11-01"),
    ]


def test_a_price_that_nobody_can_read_is_named(house: House) -> None:
    outcome = run_dbt(house.warehouse, "test", "--select", "every_price_can_be_read")
    (said,) = outcome.failures
    assert (
        "the price price_tiered of acct_upcoach for 9 in usd (subscriptions with it: 1). Land"
        in said
    )


def test_a_transfer_moves_the_payer_and_nothing_else(house: House) -> None:
    given = movements(house, "giver")
    taken = house.query(
        "select movement_type, round(mrr_change_cents, 2) from revenue.fact_mrr_movements "
        f"where tenant_id = '{uuid_text('upcoach', 'tenant', 'upcoach')}' and policy = 'standard'"
    )
    assert given[-1][:2] == ("2026-03-01", "churn")
    assert sum(cents for _, cents in taken) == -given[-1][2]


def test_any_order_and_any_duplicates_end_in_the_same_marts(
    house: House, new_house: Callable[[str], House]
) -> None:
    """Rule 48, with the newest first, in three files, one of them twice."""
    other = new_house("rules_shuffled")
    backwards = STRIPE[::-1]
    other.put("stripe/acct_upcoach/c.jsonl", backwards[:7])
    other.put("stripe/acct_rostracore/z.jsonl", OTHER + OTHER)
    other.put("revenuecat/upcoach/b.jsonl", STORE[::-1])
    other.load()
    other.put("stripe/acct_upcoach/b.jsonl", backwards[5:])
    other.put("revenuecat/upcoach/a.jsonl", STORE)
    other.load()
    other.build(REVENUE, as_of=AS_OF)
    assert_equal(
        {table: other.rows(table) for table in TABLES},
        {table: house.rows(table) for table in TABLES},
        "loaded backwards",
    )


def test_a_currency_without_a_rate_is_named(house: House) -> None:
    """Last in this module: it brings in a currency that cannot be converted."""
    house.put(
        "stripe/acct_upcoach/dirham.jsonl",
        [subscription("dirham", "created", "2026-02-01", price(100, currency="aed"))],
    )
    house.load()
    elsewhere = {
        row: n
        for row, n in house.rows("revenue.metrics_daily_mrr").items()
        if '"upcoach"' not in row
    }
    house.build(REVENUE, as_of=AS_OF)
    outcome = run_dbt(house.warehouse, "test", "--select", "every_amount_has_an_exchange_rate")
    assert not outcome.success
    assert (
        "MRR of upcoach is left out: the currency aed (in use since 2026-02-01) has no exchange rate"
        in " ".join(outcome.failures)
    )
    assert elsewhere and house.rows("revenue.metrics_daily_mrr") == elsewhere
