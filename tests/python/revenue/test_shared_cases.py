"""Revenue inputs with answers by hand (`data/cases/revenue`): oddities of providers, a build in the past, a rare currency.

Belongs here: each case's answer. Does not belong here: rules of our own telling (`test_rules`).
"""

import csv
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.values.identity import uuid_text
from tests.building import run_dbt
from tests.python.marts.house import House
from tests.python.revenue.conftest import REVENUE
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
    assert due and {
        key: "|".join(found[uuid_text("upcoach", "customer", key)]) for key in due
    } == due


def test_one_store_transaction_is_cash_once(odd: House, cases: Path) -> None:
    for (kind, key), cents in answers(cases / "odd").items():
        if kind == "cash":
            customer = uuid_text("upcoach", "customer", f"upcoach|{key}")
            (found,) = odd.query(
                "select round(sum(amount_cents))::bigint from revenue.fact_payments"
                f" where customer_id = '{customer}' and status = 'succeeded'"
            )
            assert found == (int(cents),)
