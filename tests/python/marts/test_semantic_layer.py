"""A metric asked by its name (`mf query`) is the number that stands in the mart.

Belongs here: questions to the semantic layer beside the marts' own answers on the built sample, and that every metric
can be asked. Does not belong here: why the marts are right.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
import yaml

from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.settings import PROJECT_ROOT
from tests.building import run_dbt
from tests.built_sample import BuiltSample

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Question:
    """Metrics by groups, and the mart's answer: the same columns, groups first."""

    metrics: list[str]
    group_by: list[str]
    mart: str
    where: str | None = None


def only(dimension: str, value: str) -> str:
    return f"{{{{ Dimension('{dimension}') }}}} = {value}"


# of a fiscal year that begins in March, in which the fixture puts the calendar
FISCAL_QUARTER = "(date_trunc('quarter', metric_date - interval '2 months') + interval '2 months')"
FISCAL_YEAR = "(date_trunc('year', metric_date - interval '2 months') + interval '2 months')"

QUESTIONS = {
    "users of a day": Question(
        ["active_users"],
        ["metric_time__day", "activity__product", "tenant"],
        "select metric_date, product, tenant_id, dau from engagement.metrics_daily_engagement where dau > 0",
    ),
    "users of a week are not the sum of its days": Question(
        ["active_users"],
        ["metric_time__week", "activity__product", "tenant"],
        "select week_start, product, tenant_id, active_users from engagement.metrics_weekly_engagement"
        " where active_users > 0",
    ),
    "users of a month": Question(
        ["active_users"],
        ["metric_time__month", "activity__product", "tenant"],
        "select month_start, product, tenant_id, active_users from engagement.metrics_monthly_engagement"
        " where active_users > 0",
    ),
    "levels of a month are its last day's": Question(
        ["wau", "mau"],
        ["metric_time__month", "tenant"],
        "select distinct on (date_trunc('month', metric_date), tenant_id)"
        " date_trunc('month', metric_date), tenant_id, wau, mau from engagement.metrics_daily_engagement"
        " order by date_trunc('month', metric_date), tenant_id, metric_date desc",
    ),
    "sessions": Question(
        ["sessions", "session_minutes", "session_active_minutes"],
        ["metric_time__month", "session__product", "tenant"],
        "select month_start, product, tenant_id, sessions, session_minutes, active_minutes"
        " from engagement.metrics_monthly_engagement where sessions > 0",
    ),
    "length of sessions": Question(
        ["session_minutes_avg", "sessions_per_user"],
        ["metric_time__month", "tenant"],
        "select month_start, tenant_id, session_minutes / sessions, sessions_per_user"
        " from engagement.metrics_monthly_engagement where is_complete and sessions > 0",
        "{{ TimeDimension('metric_time', 'month') }}"
        " < (select max(month_start) from engagement.metrics_monthly_engagement)",
    ),
    "stickiness": Question(
        ["stickiness"],
        ["metric_time__day", "tenant"],
        "select metric_date, tenant_id, stickiness from engagement.metrics_daily_engagement where is_complete",
        only("engagement_day__is_complete", "true"),
    ),
    "activation": Question(
        ["signups", "activated_rate", "invited_teammate_rate"],
        ["metric_time__day", "tenant"],
        "select signup_date, tenant_id, signups, activated_rate, invited_teammate_rate"
        " from engagement.metrics_daily_activation where is_complete",
        only("signup_day__is_complete", "true"),
    ),
    "spread": Question(
        ["viral_coefficient", "upgrade_rate", "referral_rate"],
        ["metric_time__day", "tenant"],
        "select metric_date, tenant_id, viral_coefficient, upgrade_rate, referral_rate"
        " from engagement.metrics_daily_growth where is_complete",
        only("growth_day__is_complete", "true"),
    ),
    "retention": Question(
        ["retention_rate"],
        [
            "metric_time__day",
            "cohort_period__product",
            "tenant",
            "cohort_period__cohort_type",
            "cohort_period__period_number",
            "cohort_period__mode",
        ],
        "select cohort_start, product, tenant_id, cohort_type, period_number, mode, retention_rate"
        " from engagement.metrics_cohort_retention where is_observable and cohort_type = 'week'",
        only("cohort_period__cohort_type", "'week'")
        + " and "
        + only("cohort_period__is_observable", "true"),
    ),
    "nudges": Question(
        ["ai_nudge_effectiveness"],
        ["metric_time__day", "nudge_hour__persona", "tenant"],
        "select hour_at::date, persona, tenant_id, sum(nudges_engaged)::numeric / sum(nudges_sent)"
        " from coaching.metrics_hourly_ai_nudges where is_complete group by 1, 2, 3",
        only("nudge_hour__is_complete", "true"),
    ),
    "goals": Question(
        ["goal_completion_rate"],
        ["metric_time__day", "goal_day__cohort_week", "tenant"],
        "select metric_date, cohort_week, tenant_id, goal_completion_rate from coaching.metrics_daily_goals"
        " where is_complete",
        only("goal_day__is_complete", "true"),
    ),
    "answers to coachees": Question(
        ["chat_response_sla_rate"],
        ["metric_time__day", "tenant"],
        "select metric_date, tenant_id, chat_response_sla_rate from coaching.metrics_daily_coaching where is_complete",
        only("coaching_day__is_complete", "true"),
    ),
    "support": Question(
        ["tickets_opened", "ticket_backlog", "ticket_breach_rate"],
        ["metric_time__day", "ticket_day__product", "tenant"],
        "select metric_date, product, tenant_id, opened, backlog, sla_breach_rate"
        " from customers.metrics_daily_tickets where is_complete",
        only("ticket_day__is_complete", "true"),
    ),
    "recommendation": Question(
        ["nps"],
        ["metric_time__month", "nps_month__product", "tenant"],
        "select month_start, product, tenant_id, nps from customers.metrics_nps where is_complete",
        only("nps_month__is_complete", "true"),
    ),
    "satisfaction": Question(
        ["csat_rate", "csat_avg"],
        ["metric_time__month", "csat_month__product", "tenant"],
        "select month_start, product, tenant_id, csat_rate, csat_avg from customers.metrics_csat where is_complete",
        only("csat_month__is_complete", "true"),
    ),
    "MRR of a month is its last day's": Question(
        ["mrr", "arr", "paying_customers"],
        ["metric_time__month", "mrr_day__product"],
        "select month_start, product, net_mrr_cents, arr_cents, paying_customers"
        " from revenue.metrics_monthly_revenue where policy = 'standard'"
        " and product in (select product from revenue.metrics_daily_mrr)",
    ),
    "MRR of a fiscal quarter is its last day's": Question(
        ["mrr", "paying_customers"],
        ["metric_time__fiscal_quarter", "mrr_day__product"],
        f"select distinct on ({FISCAL_QUARTER}, product) {FISCAL_QUARTER}, product, net_mrr_cents, paying_customers"
        " from revenue.metrics_daily_mrr where policy = 'standard'"
        f" order by {FISCAL_QUARTER}, product, metric_date desc",
    ),
    "movements of MRR in a fiscal year": Question(
        ["new_mrr", "churn_mrr"],
        ["metric_time__fiscal_year"],
        f"select {FISCAL_YEAR}, sum(new_mrr_cents), sum(churn_mrr_cents) from revenue.metrics_daily_mrr"
        f" where policy = 'standard' group by {FISCAL_YEAR}",
    ),
    "why policies part": Question(
        ["policy_difference", "customers_policies_part_on"],
        [
            "metric_time__month",
            "policy_bridge__product",
            "policy_bridge__from_policy",
            "policy_bridge__to_policy",
            "policy_bridge__cause",
        ],
        "select distinct on (date_trunc('month', metric_date), product, from_policy, to_policy, cause)"
        " date_trunc('month', metric_date), product, from_policy, to_policy, cause, difference_cents, customers"
        " from revenue.metrics_mrr_policy_bridge"
        " order by date_trunc('month', metric_date), product, from_policy, to_policy, cause, metric_date desc",
    ),
    "movements of MRR": Question(
        ["new_mrr", "expansion_mrr", "contraction_mrr", "churn_mrr", "reactivation_mrr", "fx_mrr"],
        ["metric_time__day", "mrr_day__product"],
        "select metric_date, product, new_mrr_cents, expansion_mrr_cents, contraction_mrr_cents, churn_mrr_cents,"
        " reactivation_mrr_cents, fx_mrr_cents from revenue.metrics_daily_mrr where policy = 'standard'",
    ),
    "MRR of tenants by policy": Question(
        ["tenant_mrr_of_policies"],
        ["metric_time__day", "tenant_mrr_day__policy", "tenant_mrr_day__product", "tenant"],
        "select metric_date, policy, product, tenant_id, net_mrr_cents from revenue.metrics_daily_tenant_mrr",
    ),
    "cash by the tenant's name": Question(
        ["cash_collected", "net_cash"],
        ["metric_time__month", "tenant__tenant_label"],
        "select date_trunc('month', metric_date), tenant_label, sum(cash_collected_cents),"
        " sum(cash_collected_cents) - sum(refunds_cents)"
        " from revenue.metrics_daily_cash join core.dim_tenant using (tenant_id) group by 1, 2",
    ),
    "invoices": Question(
        ["invoice_collection_rate"],
        [
            "metric_time__month",
            "collection_month__product",
            "tenant",
            "collection_month__provider",
            "collection_month__currency",
        ],
        "select month_start, product, tenant_id, provider, currency, invoice_collection_rate"
        " from revenue.metrics_monthly_collections where is_complete",
        only("collection_month__is_complete", "true"),
    ),
    "orders": Question(
        ["orders_created", "orders_completed", "order_approval_rate"],
        ["metric_time__day", "order_day__service_code", "order_day__country_code", "tenant"],
        "select metric_date, service_code, country_code, tenant_id, orders_created, orders_completed, approval_rate"
        " from fulfilment.metrics_daily_fulfillment where is_complete",
        only("order_day__is_complete", "true"),
    ),
    "payments of orders": Question(
        ["payment_success_rate", "payment_fallback_rate"],
        [
            "metric_time__day",
            "payment_day__provider",
            "payment_day__country_code",
            "payment_day__currency",
            "tenant",
        ],
        "select metric_date, provider, country_code, currency, tenant_id, success_rate, fallback_rate"
        " from fulfilment.metrics_daily_payments where is_complete",
        only("payment_day__is_complete", "true"),
    ),
    "calls": Question(
        ["call_answer_rate", "call_drop_rate"],
        ["metric_time__day", "call_day__service_code", "call_day__country_code", "tenant"],
        "select metric_date, service_code, country_code, tenant_id, answer_rate, drop_rate"
        " from fulfilment.metrics_daily_calls where is_complete",
        only("call_day__is_complete", "true"),
    ),
    "equipment": Question(
        ["equipment_utilisation_rate"],
        ["metric_time__day", "equipment_day__category", "tenant"],
        "select metric_date, category, tenant_id, equipment_utilisation_rate from rental.metrics_daily_equipment"
        " where is_complete",
        only("equipment_day__is_complete", "true"),
    ),
    "transports and scans": Question(
        ["on_time_departure_rate"],
        ["metric_time__day", "tenant"],
        "select metric_date, tenant_id, on_time_departure_rate from rental.metrics_daily_transport where is_complete",
        only("transport_day__is_complete", "true"),
    ),
    "leads": Question(
        ["lead_conversion_rate"],
        ["metric_time__week", "lead_week__channel", "tenant"],
        "select week_start, channel, tenant_id, conversion_rate from rental.metrics_weekly_growth where is_complete",
        only("lead_week__is_complete", "true"),
    ),
    "deliverables": Question(
        ["on_time_delivery_rate"],
        ["metric_time__week", "tenant"],
        "select week_start, tenant_id, on_time_delivery_rate from projects.metrics_weekly_delivery where is_complete",
        only("delivery_week__is_complete", "true"),
    ),
    "profit of services": Question(
        ["project_profit", "project_profit_margin"],
        ["metric_time__month", "service_month__deliverable_type", "tenant"],
        "select month_start, deliverable_type, tenant_id, gross_profit_cents, profit_margin_rate"
        " from projects.service_profitability where is_complete",
        only("service_month__is_complete", "true"),
    ),
    "guards": Question(
        [
            "shift_places_fill_rate",
            "roster_compliance_rate",
            "guard_utilisation_rate",
            "punctuality_rate",
        ],
        ["metric_time__day", "tenant"],
        "select metric_date, tenant_id, fill_rate, compliance_rate, utilisation_rate, punctuality_rate"
        " from workforce.metrics_daily_workforce where is_complete",
        only("workforce_day__is_complete", "true"),
    ),
    "costs of guarding": Question(
        ["guarding_costs"],
        ["metric_time__month", "cost_day__currency", "tenant"],
        "select date_trunc('month', metric_date), currency, tenant_id, sum(total_cost_cents)"
        " from workforce.metrics_daily_shift_costs group by 1, 2, 3",
    ),
    "users in tests": Question(
        ["experiment_users", "converted_experiment_users", "experiment_conversion_rate"],
        ["experiment_user__test_name", "experiment_user__variant"],
        "select test_name, variant, users, conversions, rate from experiments.experiment_results"
        " cross join lateral (values ('A', exposures_a, conversions_a, conversion_rate_a),"
        " ('B', exposures_b, conversions_b, conversion_rate_b)) as sides (variant, users, conversions, rate)"
        " where is_primary and users > 0",
        only("experiment_user__is_excluded", "false"),
    ),
    "places of shifts": Question(
        ["shift_fill_rate"],
        ["metric_time__month", "tenant"],
        "select date_trunc('month', date_key), tenant_id,"
        " sum(least(filled_count, required_count))::numeric / nullif(sum(required_count), 0)"
        " from workforce.fact_shifts where status <> 'cancelled' group by 1, 2",
    ),
}


@pytest.fixture(scope="module")
def warehouse(
    sample_copy: Callable[[str], BuiltSample], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """The built sample, and the project as dbt parses it for this database."""
    made = sample_copy("semantics").warehouse
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_TARGET_PATH", str(tmp_path_factory.mktemp("target")))
        march = run_dbt(made, "run", "-s", "dim_date", "--vars", "{fiscal_year_starts_in: 3}")
        assert march.success, march.failures
        dbt.read_project(made.settings, made)
        yield made


@pytest.fixture(scope="module")
def answers(warehouse: Warehouse) -> dict[str, list[list[str | None]]]:
    """MetricFlow's answer to every question, groups first."""
    return dict(zip(QUESTIONS, asked(warehouse, list(QUESTIONS.values())), strict=True))


def asked(warehouse: Warehouse, questions: list[Question]) -> list[list[list[str | None]]]:
    """What MetricFlow answers, in a process of its own."""
    root = str(PROJECT_ROOT)
    given = {
        **os.environ,
        **dbt.environment(warehouse),
        "DBT_PROFILES_DIR": root,
        "DBT_PROJECT_DIR": root,
    }
    told = [{"metrics": q.metrics, "group_by": q.group_by, "where": q.where} for q in questions]
    done = subprocess.run(
        [sys.executable, "-m", "tests.python.marts.asked_metrics"],
        input=json.dumps(told), env=given, cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    answer: list[list[list[str | None]]] = json.loads(done.stdout)
    return answer


def rows(found: list[Any], groups: int) -> dict[tuple[str, ...], tuple[Decimal | None, ...]]:
    """Values by group; groups compare as text, a day without its midnight, values to eight digits."""
    return {
        tuple(_group(value) for value in row[:groups]): tuple(
            _value(value) for value in row[groups:]
        )
        for row in found
    }


def _group(value: Any) -> str:
    return str(value).replace("+00:00", "").removesuffix(" 00:00:00")


def _value(value: Any) -> Decimal | None:
    try:
        return None if value is None else round(Decimal(str(value)), 8)
    except InvalidOperation:
        raise AssertionError(f"{value!r} is no number") from None


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_metric_is_what_the_mart_says(
    name: str, answers: dict[str, list[list[str | None]]], warehouse: Warehouse
) -> None:
    question = QUESTIONS[name]
    groups = len(question.group_by)
    with warehouse.connect() as connection:
        mart = rows(connection.execute(question.mart.encode()).fetchall(), groups)
    found = rows(answers[name], groups)
    assert mart, "the sample has nothing to compare"
    assert {
        key: (mart.get(key), found.get(key))
        for key in mart.keys() | found.keys()
        if mart.get(key) != found.get(key)
    } == {}


def test_every_metric_can_be_asked(warehouse: Warehouse) -> None:
    names = [
        said["name"]
        for path in PROJECT_ROOT.glob("models/marts/*/_*__semantics.yml")
        for said in _metrics(yaml.safe_load(path.read_text("utf-8")))
    ]
    assert len(names) == len(set(names)) > 100
    for name, answer in zip(
        names, asked(warehouse, [Question([n], [], "") for n in names]), strict=True
    ):
        assert len(answer) == 1, name


def _metrics(said: dict[str, Any]) -> list[dict[str, Any]]:
    measures = [m for model in said["semantic_models"] for m in model.get("measures", ())]
    return measures + said.get("metrics", [])
