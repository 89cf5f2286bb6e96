"""Two hundred random histories of two providers: MRR of every customer on every day is the simulator's, per policy.

Their records come shuffled, some twice, over three runs. Belongs here: equality with the truth, and what must
hold of any history. Does not belong here: what happens in them (`random_histories`).
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from ingestion.values.identity import uuid_text
from simulator.truth.revenue.policies import POLICIES
from tests.building import run_dbt
from tests.customer_mrr import customer_days, warehouse_customer
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.random_histories import DAYS, END, Histories, Lines, random_histories

pytestmark = pytest.mark.slow

HISTORIES, SEED, RUNS = 200, 36, 3
FIRST, LAST = END.date() - timedelta(days=DAYS), END.date() - timedelta(days=2)
PLAN_DAYS = """
    select metric_date, product, tenant_id::text, plan, policy, sum(net_mrr_cents), count(*)
    from revenue.metrics_daily_plan_mrr
    where metric_date between '{first}' and '{last}'
    group by 1, 2, 3, 4, 5
"""


@pytest.fixture(scope="module")
def histories() -> Histories:
    return random_histories(HISTORIES, SEED)


@pytest.fixture(scope="module")
def house(new_house: Callable[[str], House], histories: Histories) -> House:
    """The histories in three runs: each record in one of them, a tenth in two, in any order."""
    house, chance = new_house("random_histories"), random.Random(SEED)
    runs: list[Lines] = [{} for _ in range(RUNS)]
    for folder, lines in histories.told.items():
        for line in chance.sample(lines, len(lines)):
            for run in chance.sample(runs, 2 if chance.random() < 0.1 else 1):
                run.setdefault(folder, []).append(line)
    for number, run in enumerate(runs):
        for folder, lines in run.items():
            house.put(f"{folder}/{number}.jsonl", lines)
        house.load()
        house.build(REVENUE, as_of=END.isoformat())
    return house


def test_there_are_two_hundred_of_them(histories: Histories) -> None:
    assert histories.customers >= HISTORIES
    assert sum(len(lines) for lines in histories.told.values()) > 20 * HISTORIES


def test_mrr_of_every_customer_on_every_day_under_every_policy(
    house: House, histories: Histories
) -> None:
    truth: dict[tuple[str, str, str], Decimal] = {}
    for row in histories.worth.customers:
        who = row.customer
        customer = warehouse_customer(who.product, who.provider, who.customer_id)
        if FIRST <= row.day <= LAST:
            truth |= {
                (row.day.isoformat(), policy, customer): mrr for policy, mrr in row.mrr.items()
            }
    policies = [policy.name for policy in POLICIES]
    query = customer_days(policies, FIRST.isoformat(), LAST.isoformat())
    found = {(day, policy, who): cents for day, policy, who, cents in house.query(query)}
    differing = [
        (key, found.get(key), truth.get(key))
        for key in sorted(found.keys() | truth.keys())
        if abs(found.get(key, Decimal(0)) - truth.get(key, Decimal(0))) > Decimal("0.0001")
    ]
    assert len(truth) > 40_000
    assert len({policy for _, policy, _ in truth}) == 4
    assert not differing, f"{len(differing)} customer-days differ: {differing[:3]}"


def test_mrr_of_every_plan_on_every_day_under_every_policy(
    house: House, histories: Histories
) -> None:
    """To the cent of each country, since a mart rounds once; by rule 39 a night's changes are of the day before."""
    truth = {
        (day, product, uuid_text(product, "tenant", tenant), plan, policy): plans.mrr
        for (day, product, tenant, plan, policy), plans in histories.worth.plans.items()
        if FIRST <= day <= LAST
    }
    nights = {(day, of, uuid_text(of, "tenant", who)) for day, of, who in histories.nights}
    query = PLAN_DAYS.format(first=FIRST, last=LAST)
    found = {tuple(row[:5]): row[5:] for row in house.query(query)}
    differing = [
        (key, found.get(key), truth.get(key))
        for key in found.keys() | truth.keys()
        if key[:3] not in nights
        and (key not in found or abs(found[key][0] - truth.get(key, Decimal(0))) >= found[key][1])
    ]
    assert 0 < len(nights) < 100
    assert len({plan for _, _, _, plan, _ in truth}) > 20
    assert not differing, f"{len(differing)} plan-days differ: {sorted(differing)[:3]}"


def test_closing_identities_bridges_and_plans(house: House) -> None:
    """What dbt asks of revenue: all that adds up does on each day, and any two policies explain each other."""
    settings = replace(house.warehouse.settings, as_of=END)
    warehouse = replace(house.warehouse, settings=settings)
    outcome = run_dbt(warehouse, "test", "--select", "path:tests/dbt/revenue")
    assert outcome.success, outcome.failures
