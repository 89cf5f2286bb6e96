"""All definitions at a glance, and the rule that folder, schema, group and key prefix are one."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from ml.discovery import find_specs
from orchestration.dbt_project import manifest
from orchestration.definitions import defs
from orchestration.defs.automation.retention import RETENTION_LOG
from orchestration.defs.transformation.days import REBUILT_DAYS
from tallyhouse.settings import PROJECT_ROOT

SNAPSHOT = Path(__file__).with_name("definitions_snapshot.json")
HINT = "python -m tests.python.orchestration.test_definitions writes the snapshot anew"


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return load_repository()


def load_repository() -> dg.RepositoryDefinition:
    loaded = defs()  # type: ignore[call-arg]
    definitions = loaded.load_fn() if hasattr(loaded, "load_fn") else loaded
    repository = definitions.get_repository_def()
    repository.load_all_definitions()  # as Dagster's code server does: names must not clash
    return repository


def describe(repository: dg.RepositoryDefinition) -> dict[str, Any]:
    graph = repository.asset_graph
    return {
        "assets": {
            "/".join(key.path): graph.get(key).group_name
            for key in sorted(graph.materializable_asset_keys)
        },
        "great_expectations": sorted(
            "/".join(k.asset_key.path)
            for k in graph.asset_check_keys
            if k.name == "great_expectations"
        ),
        "source_reconciliation": [
            "/".join(k.asset_key.path)
            for k in graph.asset_check_keys
            if k.name == "source_reconciliation"
        ],
        "open_drift": [
            "/".join(k.asset_key.path) for k in graph.asset_check_keys if k.name == "open_drift"
        ],
        "jobs": sorted(n for n in repository.job_names if not n.startswith("__")),
        "schedules": {
            s.name: [s.cron_schedule, s.execution_timezone] for s in repository.schedule_defs
        },
        "sensors": sorted(s.name for s in repository.sensor_defs),
    }


def test_definitions_are_those_of_the_snapshot(repository: dg.RepositoryDefinition) -> None:
    expected = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    assert describe(repository) == expected, HINT


def test_every_test_of_the_project_is_an_asset_check_with_a_description(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    checks = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys}
    own = {path.stem for path in (PROJECT_ROOT / "tests" / "dbt").rglob("*.sql")}
    assert len(own) >= 12
    assert own <= checks.keys()
    assert not [name for name in own if not checks[name].description]


def test_folder_is_schema_is_group_is_key_prefix(repository: dg.RepositoryDefinition) -> None:
    graph = repository.asset_graph
    for node in manifest()["nodes"].values():
        if node["resource_type"] != "model":
            continue
        folders = Path(node["original_file_path"]).parts[1:-1]
        layer, *domain = folders
        expected = domain[0] if layer == "marts" else layer
        key = dg.AssetKey([node["schema"], node["alias"]])
        assert node["schema"] == expected, node["original_file_path"]
        assert graph.get(key).group_name == expected
        assert key.path[0] == expected


def test_every_schedule_is_in_utc_and_nightly_kpis_run_at_two(
    repository: dg.RepositoryDefinition,
) -> None:
    schedules = {s.name: s for s in repository.schedule_defs}
    assert schedules["nightly_kpis"].cron_schedule == "0 2 * * *"
    assert schedules["hourly_loading"].cron_schedule == "0 * * * *"
    assert schedules["nightly_retention"].cron_schedule == "0 4 * * *", "after the night's build"
    assert {s.execution_timezone for s in schedules.values()} == {"UTC"}


def test_every_model_lies_between_features_and_prediction_marts(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    models = {dg.AssetKey(["ml", spec.name]) for spec in find_specs()}
    for model in models:
        assert {key.path[0] for key in graph.get(model).parent_keys} == {"features"}
    for table in ("predictive_models", "predictions", "feature_drift"):
        written = graph.get(dg.AssetKey(["ml", table]))
        assert written.parent_keys == models
        assert any(key.path[0] == "staging" for key in written.child_keys)


def test_every_asset_has_a_team_and_the_file_that_defines_it(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    for key in graph.materializable_asset_keys:
        spec = graph.get(key)
        assert spec.owners, key
        assert all(owner.startswith("team:") or "@" in owner for owner in spec.owners), key
        (reference,) = spec.metadata["dagster/code_references"].code_references
        assert isinstance(reference, dg.LocalFileCodeReference), "no foreign host"
        assert Path(reference.file_path).is_relative_to(PROJECT_ROOT), key
        assert Path(reference.file_path).is_file(), key
    assert graph.get(dg.AssetKey(["revenue", "metrics_daily_mrr"])).owners == [
        "team:Finance analytics"
    ]


def test_days_are_rebuilt_by_one_asset_and_no_other_run_has_days(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    by_day = {key for key in graph.materializable_asset_keys if graph.get(key).partitions_def}
    assert by_day == {REBUILT_DAYS}
    assert repository.get_job("rebuild_days").asset_layer.selected_asset_keys == by_day
    nightly = repository.get_job("run_everything").asset_layer
    assert nightly.selected_asset_keys == graph.materializable_asset_keys - by_day - {RETENTION_LOG}
    checked = nightly.asset_graph.asset_check_keys
    assert checked == graph.asset_check_keys, "the night runs every check"


def test_what_hangs_on_the_date_is_to_be_fresh_each_day_and_the_ledger_each_hour(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    windows = {
        "ops/load_manifest": timedelta(hours=2),
        "revenue/metrics_daily_mrr": timedelta(hours=26),
    }
    for key, window in windows.items():
        policy = graph.get(dg.AssetKey(key.split("/"))).freshness_policy
        assert isinstance(policy, TimeWindowFreshnessPolicy)
        assert policy.warn_window
        assert policy.warn_window.to_timedelta() == window
    seed = graph.get(dg.AssetKey(["governance", "retention_policies"]))
    assert seed.freshness_policy is None, "a seed is as old as it is"


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(describe(load_repository()), indent=1) + "\n", encoding="utf-8")
