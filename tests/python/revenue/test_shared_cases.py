"""Revenue inputs with answers by hand (`data/cases/revenue`): oddities, a build in the past, a rare currency.

Belongs here: each case's answer. Does not belong here: rules of our own telling (`test_rules`).
"""

import csv
import shutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ingestion.values.identity import uuid_text
from tallyhouse.settings import parse_instant
from tests.building import NO_SEEDS, run_dbt
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
from tests.python.revenue.webhooks import price, subscription
from tests.shared_data import shared

pytestmark = pytest.mark.slow

Answers = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def cases() -> Path:
    return shared("cases/revenue")


def answers(case: Path) -> Answers:
    """By kind (`moves`, `cash`) and key what is right."""
    with (case / "expected.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["kind"], row["key"]): row["type"] or row["cents"] for row in csv.DictReader(file)
        }


def landed(house: House, case: Path, *names: str) -> House:
    """The case's files, or the named ones, loaded."""
    for file in sorted((case / "landing").rglob("*.jsonl")):
        if file.stat().st_size and (not names or file.name in names):
            place = house.landing / file.relative_to(case / "landing")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
    house.load()
    return house


@pytest.fixture(scope="module")
def odd(new_house: Callable[[str], House], cases: Path) -> House:
    house = landed(new_house("odd"), cases / "odd")
    house.build(REVENUE, as_of="2026-10-01T00:00:00Z")
    return house


def test_oddities_of_providers_move_mrr_as_they_should(odd: House, cases: Path) -> None:
    found = defaultdict(list)
    for customer_id, day, kind, cents in odd.query(
        "select customer_id::text, date_key::text, movement_type, round(mrr_change_cents)::bigint"
        " from revenue.fact_mrr_movements where policy = 'standard' and movement_type <> 'fx'"
        " order by occurred_at"
    ):
        found[customer_id].append(f"{day}:{kind}:{cents}")
    due = {key: moves for (kind, key), moves in answers(cases / "odd").items() if kind == "moves"}
    assert (
        due and {key: "|".join(found[uuid_text("upcoach", "customer", key)]) for key in due} == due
    )


def test_one_store_transaction_is_cash_once(odd: House, cases: Path) -> None:
    for (kind, key), cents in answers(cases / "odd").items():
        if kind == "cash":
            customer = uuid_text("upcoach", "customer", f"upcoach|{key}")
            (found,) = odd.query(
                "select round(sum(amount_cents))::bigint from revenue.fact_payments"
                f" where customer_id = '{customer}' and status = 'succeeded'"
            )
            assert found == (int(cents),)


def test_a_build_in_the_past_knows_nothing_of_what_came_after(
    new_house: Callable[[str], House], cases: Path
) -> None:
    """The price doubles on 10 April 2026; as of March it has not, and no row is of a day after it."""
    house = landed(new_house("past"), cases / "asof")
    as_of = parse_instant("2026-03-15T12:00:00Z", "as_of")
    past = replace(house.warehouse, settings=replace(house.warehouse.settings, as_of=as_of))
    outcome = run_dbt(past, "build", "--select", *REVENUE, *NO_SEEDS)
    assert outcome.success, outcome.failures
    moves = "select date_key::text, movement_type from revenue.fact_mrr_movements where policy = 'standard'"
    assert [kind for _, kind in house.query(moves) if kind != "fx"] == ["new"]
    for table, column in (
        ("fact_mrr_movements", "date_key"), ("metrics_daily_mrr", "metric_date"),
        ("metrics_daily_tenant_mrr", "metric_date"), ("metrics_daily_plan_mrr", "metric_date"),
        ("metrics_monthly_revenue", "month_start"), ("metrics_daily_cash", "metric_date"),
        ("fact_subscription_periods", "valid_from"), ("metrics_mrr_policy_bridge", "metric_date"),
    ):  # fmt: skip
        (newest,) = house.query(f"select max({column})::date from revenue.{table}")
        assert newest[0] is None or newest[0] <= date(2026, 3, 15), table


def test_a_rare_currency_counts_once_it_has_a_rate(
    new_house: Callable[[str], House], cases: Path
) -> None:
    """Canadian dollars beside dollars; another product has its MRR whether they have a rate or not."""
    house = landed(new_house("rare"), cases / "fx3_cad")
    house.put(
        "stripe/acct_rentguy/a.jsonl", [subscription("other", "created", "2026-02-06", price(700))]
    )
    house.load()
    as_of = "2026-02-06T12:00:00Z"
    closing = (
        "select product, net_mrr_cents from revenue.metrics_daily_mrr where policy = 'standard'"
        " and metric_date = '2026-02-06' order by product"
    )
    house.build(REVENUE, as_of=as_of)
    ((cad, usd),) = house.query(
        "select max(eur_rate) filter (where currency = 'cad'), max(eur_rate) filter (where currency = 'usd')"
        " from reference.fx_rates where rate_date = '2026-02-06'"
    )
    counted = 3000 + round(3000 * usd / cad)
    assert house.query(closing) == [("rentguy", 700), ("upcoach", counted)]
    with house.warehouse.connect() as connection:
        connection.execute(
            "create table kept as select * from reference.fx_rates where currency = 'cad'"
        )
        connection.execute("delete from reference.fx_rates where currency = 'cad'")
    house.build(REVENUE, as_of=as_of)
    assert house.query(closing) == [("rentguy", 700)]
    told = run_dbt(house.warehouse, "test", "--select", "every_amount_has_an_exchange_rate")
    assert "the currency cad (in use since 2026-02-06) has no exchange rate" in " ".join(
        told.failures
    )
    with house.warehouse.connect() as connection:
        connection.execute("insert into reference.fx_rates select * from kept")
    house.build(REVENUE, as_of=as_of)
    assert house.query(closing) == [("rentguy", 700), ("upcoach", counted)]
