"""The house's own lint: what it must refuse, and what it must let pass."""

import shutil
import subprocess
import sys
import tomllib
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


# An import that runs back up, by the contract in pyproject.toml that it breaks.
BACKWARD = {
    "house": ("tallyhouse/progress.py", "import ingestion.load"),
    "pure": ("ml/common/scores.py", "import dagster"),
    "apart": ("simulator/chance.py", "import ingestion"),
    "definitions": ("orchestration/landing_state.py", "import simulator.chance"),
    "app": ("app/run_log.py", "import app.pipeline"),
    "ground": ("tallyhouse/errors.py", "import tallyhouse.settings"),
    "ingestion": ("ingestion/values/identity.py", "import ingestion.landing.digest"),
    "events": ("ingestion/events/times.py", "import ingestion.events.parser"),
    "cdc": ("ingestion/cdc/decode/rows.py", "import ingestion.cdc.scd.tables"),
    "decode": ("ingestion/cdc/decode/types.py", "import ingestion.cdc.decode.fast.reader"),
    "drafting": ("ingestion/drafting/personal.py", "import ingestion.drafting.cdc"),
    "scd": ("ingestion/cdc/scd/apply.py", "import ingestion.cdc.scd.fast.versions"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said of a copy of this project with every one of those imports in it."""
    copy = tmp_path_factory.mktemp("backward")
    shutil.copy(PROJECT_ROOT / "pyproject.toml", copy)
    for package in {name.split("/")[0] for name, _ in BACKWARD.values()} | {"serving"}:
        shutil.copytree(PROJECT_ROOT / package, copy / package)
    for name, line in BACKWARD.values():
        with (copy / name).open("a") as file:
            file.write(f"\n{line}\n")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    answer = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    return " ".join(answer.stdout.split())


def test_every_contract_of_imports_refuses_what_runs_back_up(told: str) -> None:
    contracts = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
    names = {c["id"]: c["name"] for c in contracts["tool"]["importlinter"]["contracts"]}
    assert names.keys() == BACKWARD.keys()
    for contract, (file, line) in BACKWARD.items():
        assert f"{names[contract]} BROKEN" in told
        module = file.removesuffix(".py").replace("/", ".")
        assert f"{module} -> {line.removeprefix('import ')}" in told


def test_this_project_keeps_its_rules() -> None:
    assert portable_sql.findings(PROJECT_ROOT) == []
    assert layers.findings(PROJECT_ROOT) == []
