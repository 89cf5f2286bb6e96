"""The house's own lint: what it must refuse, and what it must let pass."""

from pathlib import Path

import pytest

from app.checks import layers, portable_sql
from tallyhouse.settings import PROJECT_ROOT


@pytest.mark.parametrize(
    "sql",
    [
        "select a::text from b",
        "select a ->> 'b' from c",
        "select a #> '{b}' from c",
        "select * from generate_series(1, 2)",
        "select count(*) filter (where a) from b",
        "select distinct on (a) a from b",
        "select a from b\nqualify row_number() over () = 1",
        "select a ~ 'x' from b",
        "select a !~* 'x' from b",
        "select string_agg(a, ',') from b",
        "select date_trunc('week', a) from b",
        "select a + interval '1 day' from b",
        "select a at time zone 'UTC' from b",
        "select current_date",
        "select now() from b",
    ],
)
def test_a_dialect_is_refused(sql: str) -> None:
    assert portable_sql.offences(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(a as {{ type_text() }}) from b",
        "select 'a::b ~ c' as quoted from b -- now() :: ~",
        "select a as interval_minutes, b <> c as is_other from d where a >= b and c != d",
        "{# date_trunc('week', x) #} select {{ week_start('a') }} from b",
        "select count(distinct a) from b",
    ],
)
def test_portable_sql_passes(sql: str) -> None:
    assert portable_sql.offences(sql) == []


def test_an_offence_names_its_line() -> None:
    assert portable_sql.offences("select\n    1,\n    a::text\nfrom b")[0][0] == 3


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with one model in each layer, all in order."""
    paid = "select 1 from {{ ref('stg_shop__orders') }}"
    models = {
        "staging/shop/stg_shop__orders.sql": "select 1 from {{ source('shop', 'orders') }}",
        "intermediate/sales/int_sales__orders_paid.sql": paid,
        "marts/sales/fact_orders.sql": "select 1 from {{ ref('int_sales__orders_paid') }}",
        "features/feat_churn__customers.sql": "select 1 from {{ ref('fact_orders') }}",
    }
    for name, text in models.items():
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_conformed_core_is_common_ground(project: Path) -> None:
    for name in ("marts/core/fact_events.sql", "intermediate/sales/int_sales__days.sql"):
        path = project / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("select 1 from {{ ref('fact_events') }}" if "int_" in name else "select 1")
    assert layers.findings(project) == []


def test_one_way_arrows_pass(project: Path) -> None:
    assert layers.findings(project) == []


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("staging/shop/stg_shop__x.sql", "{{ ref('fact_orders') }}", "may not read marts"),
        ("intermediate/sales/int_sales__x.sql", "{{ ref('fact_orders') }}", "may not read marts"),
        ("marts/sales/fact_x.sql", "{{ source('shop', 'orders') }}", "only staging reads"),
        ("marts/sales/fact_x.sql", "{{ ref('feat_churn__customers') }}", "may not read features"),
        ("staging/shop/orders.sql", "select 1", "name must"),
        ("reports/x/y.sql", "select 1", "no layer"),
    ],
)
def test_an_arrow_backwards_or_a_wrong_name_is_refused(
    project: Path, name: str, text: str, why: str
) -> None:
    path = project / "models" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert any(why in finding for finding in layers.findings(project))


@pytest.mark.parametrize(
    ("package", "line", "why"),
    [
        ("ingestion", "import dagster", "knows nothing of Dagster"),
        ("ml", "from dagster import asset", "knows nothing of Dagster"),
        ("ingestion", "from orchestration import definitions", "may not import orchestration"),
        ("ml", "from ingestion import load_all", "may not import ingestion"),
    ],
)
def test_a_package_that_knows_too_much_is_refused(
    project: Path, package: str, line: str, why: str
) -> None:
    (project / package).mkdir()
    (project / package / "module.py").write_text(line + "\n")
    assert any(why in finding for finding in layers.findings(project))


def test_this_project_keeps_its_rules() -> None:
    assert portable_sql.findings(PROJECT_ROOT) == []
    assert layers.findings(PROJECT_ROOT) == []
