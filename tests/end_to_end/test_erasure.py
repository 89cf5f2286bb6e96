"""People of every kind and product are erased from a built warehouse; marts follow and money stays to the cent.

Rules 45 and 75. Belongs here: models, predictions, certificates. Does not belong here: what becomes of each raw record
(`python.ingestion.erasing`).
"""

import random
from collections.abc import Callable
from typing import Any

import pytest

from app import erasing
from app.erasing import Asked
from ingestion.cdc.contract import cdc_contracts
from ingestion.contracts.model import load_contracts
from ingestion.erasing import search
from ingestion.erasing.subjects import Persons
from ingestion.values.identity import uuid_text
from tallyhouse.database import Warehouse
from tallyhouse.progress import Reporter
from tests.building import NO_SEEDS, NO_TESTS, run_dbt
from tests.built_sample import BuiltSample

pytestmark = pytest.mark.slow
PRODUCTS = ("projectflo", "rentguy", "rostracore", "samia_tarot", "upcoach")
MONEY = (
    "select product, policy, metric_date, net_mrr_cents, new_mrr_cents, churn_mrr_cents from revenue.metrics_daily_mrr",
    "select product, tenant_id, sum(net_mrr_cents) from revenue.metrics_daily_tenant_mrr group by 1, 2",
    "select tenant_id, movement_type, policy, sum(mrr_change_cents) from revenue.fact_mrr_movements group by 1, 2, 3",
    "select provider, tenant_id, count(*), sum(amount_cents) from revenue.fact_payments group by 1, 2",
    "select tenant_id, sum(amount_due_cents), sum(amount_paid_cents) from revenue.fact_invoices group by 1",
    "select product, tenant_id, metric_date, to_jsonb(c) from revenue.metrics_daily_cash as c",
    "select tenant_id, to_jsonb(p) from fulfilment.metrics_daily_payments as p",
    "select tenant_id, project_id, to_jsonb(p) - 'client_id' from projects.profitability_analysis as p",
    "select tenant_id, to_jsonb(c) from workforce.metrics_daily_shift_costs as c",
)  # fmt: skip


def money(warehouse: Warehouse) -> list[list[str]]:
    with warehouse.connect() as conn:
        return [sorted(map(str, conn.execute(query.encode()).fetchall())) for query in MONEY]


def some_of_each_kind(warehouse: Warehouse, count: int) -> list[Asked]:
    """People drawn by chance, so many of each kind and product."""
    with warehouse.connect() as conn:
        cdc = cdc_contracts(load_contracts([warehouse.settings.root / "contracts"]))
        persons = Persons(conn, cdc, PRODUCTS)
    kinds: dict[tuple[str, str], list[Any]] = {}
    for who in sorted(persons.everybody):
        kinds.setdefault((who[0], who[2]), []).append(who)
    draw = random.Random(75)
    drawn = [who for found in kinds.values() for who in draw.sample(found, min(count, len(found)))]
    return [Asked(uuid_text(of, kind, name), of, tenant) for of, tenant, kind, name in drawn]


def test_rule_75_marts_follow_and_money_stays_to_the_cent(
    sample_copy: Callable[[str], BuiltSample],
) -> None:
    sample = sample_copy("erasure")
    warehouse = sample.warehouse
    before = money(warehouse)
    asked = some_of_each_kind(warehouse, 2)
    subjects, wanted = erasing.take_out(warehouse.settings, warehouse, Reporter(), asked)
    assert {(s.product, s.kind) for s in subjects} >= {
        ("upcoach", "user"), ("rostracore", "employee"), ("rentguy", "customer"), ("projectflo", "contributor"),
        ("projectflo", "client"), ("samia_tarot", "user"),
    }  # fmt: skip
    outcome = run_dbt(warehouse, "build", *NO_TESTS, *NO_SEEDS)
    assert outcome.success, outcome.failures
    result = erasing.prove(warehouse.settings, warehouse, subjects, wanted)
    assert result.people == len(subjects)
    after = money(warehouse)
    for query, then, now in zip(MONEY, before, after, strict=True):
        assert now == then, query
    outcome = run_dbt(warehouse, "build", "--full-refresh", *NO_TESTS, *NO_SEEDS)
    assert outcome.success, outcome.failures
    with warehouse.connect() as conn:
        found = search.warehouse(conn, wanted)
        certificates = conn.execute(
            "select count(*), sum(rows_left_over), bool_and(rows_found <> '{}') from governance.erasure_certificates"
        ).fetchone()
    assert not found.rows
    assert certificates == (len(subjects), 0, True)
    assert money(warehouse) == before
