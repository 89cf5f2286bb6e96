"""The house's own lint: what it must refuse, and what it must let pass."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.checks import engines, layers, layout, portable_sql
from tallyhouse.settings import PROJECT_ROOT


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("select a::text from b", "`::` cast"),
        ("select a ->> 'b' from c", "JSON operator"),
        ("select a #> '{b}' from c", "JSON operator"),
        ("select a @> b from c", "JSON operator"),
        ("select to_jsonb(a) from b", "JSON function"),
        ("select * from generate_series(1, 2)", "generate_series"),
        ("select count(*) filter (where a) from b", "filter (where"),
        ("select distinct on (a) a from b", "distinct on"),
        ("select a from b\nqualify row_number() over () = 1", "qualify"),
        ("select a ~ 'x' from b", "regular expression"),
        ("select a !~* 'x' from b", "regular expression"),
        ("select string_agg(a, ',') from b", "string_agg"),
        ("select a ilike 'x' from b", "ilike"),
        ("select date_trunc('week', a) from b", "date arithmetic"),
        ("select extract(year from a) from b", "date arithmetic"),
        ("select a + interval '1 day' from b", "date arithmetic"),
        ("select a at time zone 'UTC' from b", "time zone"),
        ("select b.a from c, lateral (select 1 as a) as b", "lateral"),
        ("select percentile_cont(0.5) within group (order by a) from b", "within group"),
        ("select current_date", "wall clock"),
        ("select now() from b", "wall clock"),
        ("select clock_timestamp() from b", "wall clock"),
        ("select (a from b", "postgres cannot read this"),
    ],
)
def test_a_dialect_is_refused(sql: str, what: str) -> None:
    assert any(offence.startswith(what) for offence in portable_sql.offences(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "select cast(a as /*engine<*/uuid/*>engine*/) from b",
        "select 'a::b ~ c' as quoted from b -- now() :: ~",
        "select a as interval_minutes, b <> c as is_other from d where a >= b and c != d",
        "select /*engine<*/cast(date_trunc('week', a) as date)/*>engine*/ from b",
        "with days as (/*engine<*/select * from generate_series(1, 2)/*>engine*/) select * from days",
        "select /*engine<*/a ~ /*engine<*/lower('x')/*>engine*//*>engine*/ from b",
        "select b.a from c /*engine<*/cross join lateral unnest(c.d) as b (a)/*>engine*/",
        "select count(distinct a) from b",
    ],
)
def test_portable_sql_passes(sql: str) -> None:
    assert portable_sql.offences(sql) == []


def test_no_engine_macro_may_ask_the_clock() -> None:
    assert portable_sql.offences("select /*engine<*/now()/*>engine*/ from b")


def test_an_engine_refuses_what_it_cannot_read() -> None:
    """A macro that is right for Postgres and was given to Spark as well."""
    sql = "select /*engine<*/a ~ 'x'/*>engine*/ from b"
    assert portable_sql.offences(sql, "postgres") == []
    assert portable_sql.offences(sql, "spark")[0].startswith("spark cannot read this")


PLANTED = {
    "dbt_project.yml": "{name: tallyhouse, profile: tallyhouse, version: 1.0.0, config-version: 2}",
    "macros/engine/matches.sql": """
{% macro matches(a, b) -%}{{ adapter.dispatch('matches')(a, b) }}{%- endmacro %}
{% macro default__matches(a, b) -%}{{ a }} ~ '{{ b }}'{%- endmacro %}
{% macro spark__matches(a, b) -%}{{ a }} rlike '{{ b }}'{%- endmacro %}
""",
    "macros/other/trimmed.sql": "{% macro trimmed(a) -%}{{ a }} #>> '{b}'{%- endmacro %}",
    "models/staging/shop/stg_shop__right.sql": "select {{ matches('a', 'x') }} as is_x from b",
    "models/staging/shop/stg_shop__bare.sql": "select a ~ 'x' as is_x from b",
    "models/staging/shop/stg_shop__macro.sql": "select {{ trimmed('a') }} as b from c",
}


@pytest.mark.slow
def test_every_folder_of_macros_is_compiled_for_every_engine(tmp_path: Path) -> None:
    for name, text in PLANTED.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    project = engines.compile_project(tmp_path)
    sql = {one.engine: one.sql for one in project.compiled if one.path.endswith("right.sql")}
    assert "a rlike 'x'" in sql["spark"] and "a ~ 'x'" in sql["postgres"]
    found = portable_sql.findings(project.compiled)
    blamed = {finding.split(":")[0].rsplit("__")[1] for finding in found}
    assert blamed == {"bare.sql", "macro.sql"}
    assert any("bare.sql: spark cannot read this" in finding for finding in found)


Manifest = dict[str, dict[str, Any]]


def model(path: str, *reads: str) -> tuple[str, dict[str, Any]]:
    """A model of a manifest: its key, and what the checks read of it."""
    name = Path(path).stem
    return f"model.tallyhouse.{name}", {
        "name": name,
        "path": path,
        "original_file_path": f"models/{path}",
        "depends_on": {"nodes": list(reads)},
        "access": "public" if path.startswith("marts") else "private",
        "constraints": [],
        "config": {"meta": {}},
    }


@pytest.fixture
def manifest() -> Manifest:
    """A small project with one model in each layer, all in order and all in use."""
    nodes = dict(
        [
            model("staging/shop/stg_shop__orders.sql", "source.tallyhouse.shop.orders"),
            model("marts/core/fact_events.sql", "model.tallyhouse.stg_shop__orders"),
            model(
                "intermediate/sales/int_sales__orders_paid.sql",
                "model.tallyhouse.stg_shop__orders",
                "model.tallyhouse.fact_events",  # the conformed core is common ground
            ),
            model("marts/sales/fact_orders.sql", "model.tallyhouse.int_sales__orders_paid"),
            model("features/feat_churn__customers.sql", "model.tallyhouse.fact_orders"),
        ]
    )
    used = ["fact_events", "fact_orders", "feat_churn__customers"]
    reads = {"nodes": [f"model.tallyhouse.{name}" for name in used]}
    board = {
        "name": "board",
        "original_file_path": "models/marts/sales/_sales__exposures.yml",
        "depends_on": reads,
        "owner": {"name": "Sales", "email": "sales@shop.example"},
        "url": "docs/sales.md",
    }
    return {"nodes": nodes, "exposures": {"exposure.tallyhouse.board": board}}


def test_one_way_arrows_pass(manifest: Manifest) -> None:
    key, node = model(
        "staging/samia_tarot/stg_samia_tarot__calls.sql", "source.tallyhouse.samia_tarot.calls"
    )
    manifest["nodes"][key] = node
    assert layers.findings(manifest) == []


@pytest.mark.parametrize(
    ("path", "read", "why"),
    [
        ("staging/shop/stg_shop__x.sql", "model.tallyhouse.fact_orders", "may not read marts"),
        ("staging/news/stg_news__x.sql", "model.tallyhouse.stg_shop__orders", "its own source"),
        ("intermediate/sales/int_sales__x.sql", "model.tallyhouse.fact_orders", "not read marts"),
        ("marts/sales/fact_x.sql", "source.tallyhouse.shop.orders", "only staging reads"),
        ("marts/sales/fact_x.sql", "model.tallyhouse.feat_churn__customers", "not read features"),
        ("marts/sales/fact_x.sql", "model.tallyhouse.fact_orders", "no exposure names it"),
        ("staging/shop/orders.sql", "source.tallyhouse.shop.orders", "name must"),
        ("marts/fact_x.sql", "model.tallyhouse.fact_orders", "path must"),
        ("reports/x/y.sql", "model.tallyhouse.fact_orders", "no layer"),
    ],
)
def test_an_arrow_backwards_or_a_wrong_name_is_refused(
    manifest: Manifest, path: str, read: str, why: str
) -> None:
    key, node = model(path, read)
    manifest["nodes"][key] = node
    found = layers.findings(manifest)
    assert [
        finding for finding in found if finding.startswith(f"models/{path}: ") and why in finding
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"owner": {"name": "Sales"}}, "board has no owner.email"),
        ({"url": ""}, "board has no url"),
    ],
)
def test_an_exposure_says_whom_to_ask_and_where_to_look(
    manifest: Manifest, said: dict[str, Any], why: str
) -> None:
    assert layers.findings(manifest) == []
    manifest["exposures"]["exposure.tallyhouse.board"] |= said
    assert layers.findings(manifest) == [
        f"models/marts/sales/_sales__exposures.yml: exposure {why}"
    ]


def test_rows_of_several_policies_have_a_view_that_may_be_summed(manifest: Manifest) -> None:
    mart = manifest["nodes"]["model.tallyhouse.fact_orders"]
    mart["constraints"] = [{"type": "primary_key", "columns": ["month", "policy"]}]
    (found,) = layers.findings(manifest)
    assert "meta.views.standard" in found
    mart["config"]["meta"] = {"views": {"standard": {"policy": "standard"}}}
    assert layers.findings(manifest) == []


def test_a_mart_is_public(manifest: Manifest) -> None:
    manifest["nodes"]["model.tallyhouse.fact_orders"]["access"] = "private"
    (found,) = layers.findings(manifest)
    assert "a mart is public" in found


ORDERLY = "{{ config(x=1) }}\n\nwith a as (\n\n    select 1\n\n)\n\nselect * from a\n"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (ORDERLY.replace("as (\n\n", "as (\n"), "empty line belongs after"),
        (ORDERLY.replace("1\n\n)", "1\n)"), "empty line belongs before"),
        (ORDERLY.replace("select * from a", "select b from a"), "last line"),
        (ORDERLY.replace("{{ config(x=1) }}\n\n", "") + "-- {{ config(x=1) }}", "config"),
    ],
)
def test_one_order_of_a_model(text: str, why: str) -> None:
    assert layout.order_offences(ORDERLY) == []
    assert any(why in offence for offence in layout.order_offences(text))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("models/staging/shop/_shop__version_models.yml", "name must"),
        ("models/intermediate/sales/_sales__models.yml", "name must"),
        ("models/marts/sales/orders.yml", "name must"),
        ("seeds/core/seeds.yml", "name must"),
        ("models/marts/sales/fact_y.sql", "no YAML"),
        ("macros/naming/long.sql", "121 characters"),
    ],
)
def test_a_file_out_of_place_is_refused(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("x" * 121)
    assert [f for f in layout.findings(tmp_path) if f.startswith(name) and why in f]


def test_exposures_and_metrics_have_a_file_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "models/marts/sales"
    folder.mkdir(parents=True)
    (folder / "fact_x.sql").write_text(ORDERLY)
    (folder / "fact_x.yml").write_text("models: []\n")
    assert layout.findings(tmp_path) == []
    (folder / "fact_x.yml").write_text("models: []\nexposures: []\n")
    assert any("exposures belong" in finding for finding in layout.findings(tmp_path))
    (folder / "fact_x.yml").write_text("models: []\nmetrics: []\n")
    assert any("semantics belong" in finding for finding in layout.findings(tmp_path))
    (folder / "fact_x.yml").write_text("models: []\n")
    (folder / "_sales__semantics.yml").write_text("semantic_models: []\n")
    assert layout.findings(tmp_path) == []


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
    "governance": ("governance/audit_log.py", "import governance.statements"),
    "ml": ("ml/store.py", "import ml.run"),
    "learning": ("ml/common/splits.py", "import ml.common.training"),
    "simulator": ("simulator/fx.py", "import simulator.sample"),
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


def test_this_project_lies_as_it_should() -> None:
    assert layout.findings(PROJECT_ROOT) == []
