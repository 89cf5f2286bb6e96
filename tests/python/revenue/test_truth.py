"""The sample's truth about money, worked out by the simulator in exact arithmetic, against the marts."""

import csv
import shutil
from collections.abc import Callable
from decimal import Decimal

import pytest

from ingestion.values.identity import uuid_text
from simulator import write_sample
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE

pytestmark = pytest.mark.slow

COLUMNS = (
    "opening_mrr_cents",
    "new_mrr_cents",
    "expansion_mrr_cents",
    "contraction_mrr_cents",
    "churn_mrr_cents",
    "reactivation_mrr_cents",
    "fx_mrr_cents",
    "net_mrr_cents",
    "at_risk_mrr_cents",
    "paying_customers",
)
# A customer's MRR at the end of each of its tenant's days, from the published facts alone.
CUSTOMER_DAYS = """
    select
        rates.rate_date::text, periods.customer_id::text,
        sum(periods.mrr_source_cents * case when periods.currency = 'usd' then 1 else rates.rate end)
    from revenue.fact_subscription_periods as periods
    join core.dim_tenant as tenants on tenants.tenant_id = periods.tenant_id
    join intermediate.int_revenue__fx_daily as rates
        on rates.currency = periods.currency
        and rates.rate_date >= cast(periods.valid_from at time zone tenants.timezone as date)
        and (
            periods.valid_to is null
            or rates.rate_date < cast(periods.valid_to at time zone tenants.timezone as date)
        )
    where periods.policy = 'standard' and rates.rate_date between '{first}' and '{last}'
    group by 1, 2
    having sum(periods.mrr_source_cents) <> 0
"""


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House]) -> House:
    """Two months of a small sample; events of use are left out, nothing of revenue reads them."""
    house = new_house("money")
    write_sample(house.landing.parent, days=60, seed=11, scale=0.25)
    shutil.rmtree(house.landing / "events")
    house.load()
    house.build(REVENUE)
    return house


def truth(house: House, name: str) -> list[dict[str, str]]:
    """The rows of the days that were over everywhere: the window's first and last day are cut."""
    with (house.landing.parent / "truth" / f"{name}.csv").open() as file:
        rows = list(csv.DictReader(file))
    days = sorted({row["metric_date"] for row in rows})
    return [row for row in rows if days[1] < row["metric_date"] < days[-1]]


def test_every_customer_on_every_day(house: House) -> None:
    expected = {}
    for row in truth(house, "mrr_daily"):
        stripe = row["provider"] == "stripe"
        account = f"acct_{row['product']}" if stripe else row["product"]
        customer = uuid_text(row["product"], "customer", f"{account}|{row['customer_id']}")
        expected[row["metric_date"], customer] = Decimal(row["mrr_cents"])
    first, last = min(day for day, _ in expected), max(day for day, _ in expected)
    found = {
        (day, customer): cents
        for day, customer, cents in house.query(CUSTOMER_DAYS.format(first=first, last=last))
    }
    differing = {
        key: (found.get(key), expected.get(key))
        for key in found.keys() | expected.keys()
        if abs(found.get(key, Decimal(0)) - expected.get(key, Decimal(0))) > Decimal("0.0001")
    }
    assert len(expected) > 1000
    assert not differing, (
        f"{len(differing)} customer-days differ, e.g. {sorted(differing.items())[:3]}"
    )


def test_every_day_of_every_product(house: House) -> None:
    """Opening, closing and what is at risk to the cent; a movement may carry a cent of rounding."""
    found = {
        (day, product): dict(zip(COLUMNS, values, strict=True))
        for day, product, *values in house.query(
            f"select metric_date::text, product, {', '.join(COLUMNS)} "
            "from revenue.metrics_daily_mrr where policy = 'standard'"
        )
    }
    rows = truth(house, "mrr_daily_total")
    assert rows
    for row in rows:
        day = found[row["metric_date"], row["product"]]
        for column in COLUMNS:
            whole = column in ("opening_mrr_cents", "net_mrr_cents", "at_risk_mrr_cents")
            allowed = Decimal("0.5000001") if whole else Decimal("0.9999999")
            assert abs(day[column] - Decimal(row[column])) <= allowed, (row["metric_date"], column)
