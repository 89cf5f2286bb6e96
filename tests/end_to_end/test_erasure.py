"""A hundred people of every kind and product are erased; marts follow, money stays to the cent, nobody comes back.

Rules 45 and 75. Belongs here: models, predictions, certificates, what is loaded and built again. Does not belong here:
what becomes of each raw record (`python.ingestion.erasing`).
"""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import erasing
from app.erasing import Asked
from ingestion.cdc.contract import cdc_contracts
from ingestion.contracts.model import load_contracts
from ingestion.erasing import search
from ingestion.erasing.subjects import Persons
from ingestion.load import reload
from ingestion.values.identity import uuid_text
from tallyhouse.database import Warehouse
from tallyhouse.progress import Reporter
from tests.building import NO_SEEDS, NO_TESTS, run_dbt
from tests.built_sample import BuiltSample

pytestmark = pytest.mark.slow
SOURCES = ("cdc", "events", "revenuecat", "stripe")
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


def drawn(warehouse: Warehouse, count: int) -> list[Asked]:
    """So many people by chance, two of each kind and product among them."""
    with warehouse.connect() as conn:
        cdc = cdc_contracts(load_contracts([warehouse.settings.root / "contracts"]))
        persons = Persons(conn, cdc, PRODUCTS)
    kinds: dict[tuple[str, str], list[Any]] = {}
    everybody = sorted(persons.everybody)
    for who in everybody:
        kinds.setdefault((who[0], who[2]), []).append(who)
    draw = random.Random(75)
    chosen = {who for found in kinds.values() for who in draw.sample(found, min(2, len(found)))}
    others = [who for who in everybody if who not in chosen]
    chosen.update(draw.sample(others, count - len(chosen)))
    return [
        Asked(uuid_text(of, kind, name), of, tenant) for of, tenant, kind, name in sorted(chosen)
    ]


def test_rule_75_marts_follow_and_money_stays_to_the_cent(
    sample_copy: Callable[[str], BuiltSample], tmp_path: Path
) -> None:
    sample = sample_copy("erasure")
    warehouse = sample.warehouse
    before = money(warehouse)
    asked = drawn(warehouse, 110)  # some are one person twice, as user and as contributor
    subjects, wanted = erasing.take_out(warehouse.settings, warehouse, Reporter(), asked)
    assert {(s.product, s.kind) for s in subjects} >= {
        ("upcoach", "user"), ("rostracore", "employee"), ("rentguy", "customer"), ("projectflo", "contributor"),
        ("projectflo", "client"), ("samia_tarot", "user"),
    }  # fmt: skip
    outcome = run_dbt(warehouse, "build", *NO_TESTS, *NO_SEEDS)
    assert outcome.success, outcome.failures
    result = erasing.prove(warehouse.settings, warehouse, subjects, wanted)
    assert result.people == len(subjects) >= 100
    after = money(warehouse)
    for query, then, now in zip(MONEY, before, after, strict=True):
        assert now == then, query
    # every landed file once more, in which they still are
    landing, lake = str(sample.truth.parent / "landing"), str(tmp_path / "lake")
    settings = replace(warehouse.settings, landing=landing, lake=lake)
    again = reload(warehouse.connect, settings, SOURCES, processes=1)
    assert not again.unreadable
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
