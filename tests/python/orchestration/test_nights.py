"""One unreadable file or one broken table fails the night's run, and stops nothing else of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from app import building, guard, learning
from ingestion.quality import LandedCheck
from ingestion.quality.check import load_suites
from ml.discovery import find_specs
from orchestration.definitions import defs
from tallyhouse.database import Warehouse
from tests.keys import put_key
from tests.python.ingestion.conftest import KEY, Loading, line

pytestmark = pytest.mark.slow
BROKEN = "raw_stripe.events"
DOES_NOT_HOLD = "expect_column_values_to_not_be_null {'column': 'id'}: 2 rows do not fit"


class Night:
    """The night's job on a small landing folder; dbt and training are replaced by what they come to."""

    def __init__(self, warehouse: Warehouse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.loading = Loading(warehouse, folder)
        self.broken: dict[str, list[str]] = {}
        self.built: list[str] = []
        self.learned: set[str] = set()
        put_key(folder / "pii.key", KEY)
        for name, value in {
            "TALLYHOUSE_HOME": str(warehouse.settings.home),
            "TALLYHOUSE_DATABASE_URL": warehouse.url,
            "TALLYHOUSE_LANDING": str(self.loading.landing),
            "TALLYHOUSE_LAKE": self.loading.settings.lake,
            "TALLYHOUSE_PII_KEY_FILE": str(folder / "pii.key"),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(guard, "check", lambda *_: self.outcomes())
        monkeypatch.setattr(guard, "is_due", lambda *_: False)
        monkeypatch.setattr(building, "build_due", self.build)
        monkeypatch.setattr(learning, "train", self.train)

    def outcomes(self) -> list[LandedCheck]:
        return [
            LandedCheck(
                table, table not in self.broken, 1, tuple(self.broken.get(table, ())), Path()
            )
            for table in load_suites()
        ]

    def build(self, *_: Any, predictions: bool, **__: Any) -> building.Built:
        """Nothing is due: of what the next steps read, nothing is materialized."""
        self.built.append("predictions" if predictions else "warehouse")
        return building.Built(broken=self.broken)

    def train(self, *_: Any, only: list[str], only_due: bool) -> list[str]:
        assert only_due
        self.learned.update(only)
        return [f"{name}: so it is." for name in only]

    def run(self) -> dg.ExecuteInProcessResult:
        definitions = defs()  # type: ignore[call-arg]
        with dg.DagsterInstance.ephemeral() as instance:
            return definitions.resolve_job_def("run_everything").execute_in_process(
                instance=instance, raise_on_error=False
            )


@pytest.fixture
def night(
    fresh_database: Callable[..., Warehouse], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Night:
    return Night(fresh_database("night", prepared=True), tmp_path, monkeypatch)


def everything_else_ran(night: Night, done: dg.ExecuteInProcessResult) -> None:
    made = {event.asset_key.to_user_string() for event in done.get_asset_materialization_events()}
    models = {spec.name for spec in find_specs()}
    assert night.built == ["warehouse", "predictions"]
    assert night.learned == models
    assert {"raw_events/events", "raw_stripe/events", "ops/load_manifest"} <= made
    assert {f"ml/{name}" for name in models} <= made
    assert "core/dim_date" not in made, "what was not built is not materialized"
    assert not [event for event in done.all_events if event.is_step_skipped]


def test_an_unreadable_file_and_a_broken_table_fail_the_night_and_stop_nothing_else(
    night: Night,
) -> None:
    good, late = ([line(number) for number in numbers] for numbers in (range(3), range(3, 6)))
    night.loading.put("events/upcoach/good.jsonl", good)
    bad = night.loading.put("events/upcoach/bad.jsonl.gz", late)
    bad.write_bytes(bad.read_bytes()[:-8] + bytes(8))  # a checksum that does not hold
    night.broken = {BROKEN: [DOES_NOT_HOLD]}
    done = night.run()
    everything_else_ran(night, done)
    assert not done.success
    reasons = {
        event.step_key: str(event.event_specific_data) for event in done.get_step_failure_events()
    }
    assert reasons.keys() == {"every_file_is_read", "build_predictions"}
    assert DOES_NOT_HOLD in reasons["build_predictions"]
    red = {
        f"{check.asset_key.to_user_string()} {check.check_name}": str(check.description)
        for check in done.get_asset_check_evaluations()
        if not check.passed
    }
    assert red.keys() == {
        "ops/load_manifest every_file_is_read",
        "raw_stripe/events great_expectations",
    }
    assert "bad.jsonl.gz" in red["ops/load_manifest every_file_is_read"]

    night.loading.put("events/upcoach/bad.jsonl.gz", late)
    night.built, night.learned, night.broken = [], set(), {}
    done = night.run()
    everything_else_ran(night, done)
    assert done.success
