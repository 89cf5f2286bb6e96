"""All definitions at a glance, and the rule that folder, schema, group and key prefix are one."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ml.discovery import find_specs
from orchestration.dbt_project import manifest
from orchestration.definitions import defs
from tallyhouse.settings import PROJECT_ROOT

SNAPSHOT = Path(__file__).with_name("definitions_snapshot.json")
HINT = "python -m tests.python.orchestration.test_definitions writes the snapshot anew"


@pytest.fixture(scope="module")
def repository() -> dg.RepositoryDefinition:
    return load_repository()


def load_repository() -> dg.RepositoryDefinition:
    loaded = defs()  # type: ignore[call-arg]
    definitions = loaded.load_fn() if hasattr(loaded, "load_fn") else loaded
    return definitions.get_repository_def()


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
    assert {s.execution_timezone for s in schedules.values()} == {"UTC"}


def test_every_model_lies_between_features_and_prediction_marts(
    repository: dg.RepositoryDefinition,
) -> None:
    graph = repository.asset_graph
    models = {dg.AssetKey(["ml", spec.name]) for spec in find_specs()}
    for model in models:
        assert {key.path[0] for key in graph.get(model).parent_keys} == {"features"}
    for table in ("predictive_models", "predictions"):
        written = graph.get(dg.AssetKey(["ml", table]))
        assert written.parent_keys == models
        assert any(key.path[0] == "staging" for key in written.child_keys)


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(describe(load_repository()), indent=1) + "\n", encoding="utf-8")
