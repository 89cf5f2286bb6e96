"""Drift is told where people look: in the load's lines, by `status`, by Dagster; open until it is answered."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ingestion.quality import drift, told
from orchestration.definitions import defs
from tests.end_to_end.house import COMMAND
from tests.python.ingestion.cdc.conftest import Loading, loading  # noqa: F401

pytestmark = pytest.mark.slow
CHECK = dg.AssetCheckKey(dg.AssetKey(["ops", "load_manifest"]), "open_drift")
CONTRACT = """
kind: cdc
product: shop
tables:
  items:
    primary_key: [id]
    tenant: org
    columns: {id: integer, org: integer}
"""
SECRET = "ann-the-secret"


def environment(shop: Loading) -> dict[str, str]:
    settings = shop.warehouse.settings
    return {
        **os.environ, "TALLYHOUSE_DATABASE_URL": shop.warehouse.url,
        "TALLYHOUSE_HOME": str(settings.home), "TALLYHOUSE_LANDING": settings.landing,
        "TALLYHOUSE_LAKE": settings.lake, "TALLYHOUSE_PII_KEY_FILE": str(settings.pii_key_file),
        "TALLYHOUSE_CONTRACTS": os.pathsep.join(map(str, settings.contracts)),
    }  # fmt: skip


def change(lsn: int, row: dict[str, Any], **source: Any) -> bytes:
    said = {"connector": "postgresql", "schema": "public", "table": "items", "lsn": lsn,
            "ts_ms": 1_700_000_000_000 + lsn, **source}  # fmt: skip
    return json.dumps(
        {"op": "c", "before": None, "after": row, "source": said, "ts_ms": 1}
    ).encode()


@pytest.fixture
def shop(loading: Callable[..., Loading], tmp_path: Path) -> Loading:  # noqa: F811
    (tmp_path / "shop.yml").write_text(CONTRACT)
    made = loading()
    return Loading(
        replace(made.warehouse, settings=replace(made.warehouse.settings, contracts=(tmp_path,)))
    )


def test_drift_is_seen_with_its_place_and_settled_by_the_contract(
    shop: Loading, tmp_path: Path
) -> None:
    first = shop.put_and_load({
        "cdc/shop/1.jsonl": [
            change(10, {"id": 1, "org": 7}),
            change(20, {"id": 2, "org": 8, "plan": SECRET}),
            change(30, {"id": 3, "org": 7, "plan": SECRET}, schema="archive"),
        ],
    })  # fmt: skip
    lines = "\n".join(first.sentences())
    assert (
        "Drift in cdc/shop, items: plan: not in the contract, kept sealed in _extra (1 record)."
        in lines
    )
    assert (
        "Drift in cdc/shop, archive__items: 1 record of a table that no contract declares" in lines
    )
    assert "contracts/cdc/shop.yml" in lines
    shop.put_and_load({"cdc/shop/2.jsonl": [change(40, {"id": 4, "org": 8, "plan": SECRET})]})
    found = {item.difference.kind: item for item in drift(shop.connect)}
    column, table = found["undeclared_column"], found["undeclared_table"]
    assert (column.schema, column.difference.records) == ("public", 2)
    assert (column.first_file, column.first_line) == ("cdc/shop/1.jsonl", 2)
    assert (column.last_file, column.last_line) == ("cdc/shop/2.jsonl", 1)
    assert (table.schema, table.first_line, table.last_line) == ("archive", 3, 3)
    assert column.first_seen_at <= column.last_seen_at
    sentences = told([column])
    assert sentences[0].endswith("cdc/shop/1.jsonl line 2 to cdc/shop/2.jsonl line 1)")
    with shop.connect() as conn:
        conn.execute(
            "insert into ops.run_log (job_name, status, details) values ('run', 'failed', '{}')"
        )
    status = subprocess.run(
        [COMMAND, "status"], capture_output=True, text=True, check=False, env=environment(shop)
    )
    assert sentences[0] in status.stdout
    assert SECRET not in lines + "".join(sentences)
    kept = shop.rows(
        "select s::text from ops.schema_drift as s union all select d::text from ops.load_drift as d"
    )
    assert SECRET not in str(kept)

    (tmp_path / "shop.yml").write_text(
        CONTRACT.replace("org: integer}", "org: integer, plan: text}")
    )
    shop.load()
    assert [item.difference.kind for item in drift(shop.connect)] == ["undeclared_table"]
    everything = {i.difference.kind: i.is_open for i in drift(shop.connect, settled=True)}
    assert everything == {"undeclared_column": False, "undeclared_table": True}
    assert shop.rows("select id, plan from raw_cdc.shop__items order by 1") == [
        (1, None), (2, SECRET), (4, SECRET),
    ]  # fmt: skip


def test_dagster_warns_of_it(shop: Loading, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(shop).items():
        monkeypatch.setenv(name, value)
    definitions = defs()  # type: ignore[call-arg]

    def check() -> dg.AssetCheckEvaluation:
        job = definitions.resolve_job_def("load_landing").get_subset(asset_check_selection={CHECK})
        (outcome,) = job.execute_in_process().get_asset_check_evaluations()
        return outcome

    assert check().passed
    shop.put_and_load({"cdc/shop/1.jsonl": [change(10, {"id": 1, "org": 7, "plan": SECRET})]})
    found = check()
    assert not found.passed and found.severity is dg.AssetCheckSeverity.WARN
    assert found.description is not None and "plan: not in the contract" in found.description
    assert found.metadata["records"].value == 1
