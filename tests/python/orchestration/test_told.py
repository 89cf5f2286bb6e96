"""What a run of the command line did stands in Dagster's history, once."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from app import build_ledger, building, pipeline, told
from app.dagster_home import prepare_instance
from ingestion.quality import LandedCheck, Reconciliation
from ingestion.report import LoadReport
from orchestration import dbt_project
from orchestration.defs.automation.told import runs_of_the_command_line
from orchestration.runs_told import TakenOver, take_over
from orchestration.warehouse import WarehouseResource
from tallyhouse import dbt
from tallyhouse.database import Warehouse
from tallyhouse.progress import Reporter
from tallyhouse.settings import PROJECT_ROOT, Settings
from tests.python.ingestion.conftest import Loading, line

pytestmark = pytest.mark.slow


def build_dim_date(warehouse: Warehouse) -> None:
    """What a run of the command line leaves that built one model, tested it and had two models learn."""
    with told.telling(warehouse.settings) as tell:
        tell.loaded_after(0)
        built = ["build", "--select", "dim_date", "--indirect-selection", "cautious"]
        assert dbt.run(built, warehouse.settings, warehouse=warehouse, on_event=tell).success
        tell.learned(["customer_churn beats its baselines: so it does.", "shift_fill: left out."])


def history(instance: dg.DagsterInstance) -> list[dg.DagsterEvent]:
    """All that Dagster was told of assets and their checks, oldest first."""
    kinds = (dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [
        record
        for kind in kinds
        for record in instance.get_event_records(dg.EventRecordsFilter(kind), ascending=True)
    ]
    found.sort(key=lambda record: record.storage_id)
    return [record.event_log_entry.get_dagster_event() for record in found]


def materialized(events: list[dg.DagsterEvent]) -> dict[str, dict[str, dg.MetadataValue]]:
    """Asset → what is said of its last materialization."""
    return {
        event.materialization.asset_key.to_user_string(): dict(event.materialization.metadata)
        for event in events
        if event.is_step_materialization
    }


def test_builds_of_the_command_line_are_materialized_once_with_rows_seconds_and_checks(
    warehouse: Warehouse,
) -> None:
    build_dim_date(warehouse)
    house = WarehouseResource()
    with dg.DagsterInstance.ephemeral() as slow, dg.DagsterInstance.ephemeral() as fast:
        tick = dg.build_sensor_context(instance=fast, resources={"house": house})
        (file,) = told.waiting(warehouse.settings)
        text = file.read_text("utf-8")
        tested = ["LogTestResult" in line for line in text.splitlines()]
        assert tested == sorted(tested), "what was built comes before what was tested"
        assert set(tested) == {False, True}
        answers = [take_over(slow, house, -1.0)]
        while answers[-1].left:
            answers.append(take_over(slow, house, -1.0))
        assert len(answers) == len(text.splitlines()), (
            "a line at a time, where there is no more time"
        )
        assert answers[-1] == TakenOver(1, 0)
        assert set(answers[:-1]) == {TakenOver(0, 1)}
        assert told.waiting(warehouse.settings) == []
        assert list(file.parent.glob("*.read")) == []

        file.write_text(text, encoding="utf-8")
        answer = runs_of_the_command_line(tick)
        assert isinstance(answer, dg.SkipReason)
        assert answer.skip_message == "1 run of the command line taken over, none left."
        events = history(fast)
        kinds = [(event.event_type_value, event.asset_key) for event in history(slow)]
        assert kinds == [(event.event_type_value, event.asset_key) for event in events]

        again = runs_of_the_command_line(tick)
        assert isinstance(again, dg.SkipReason)
        assert again.skip_message == "The command line has built nothing since."
        assert len(history(fast)) == len(events), "nothing is told twice"

    with warehouse.connect() as connection:
        days = connection.execute("select count(*) from core.dim_date").fetchone()
    made = materialized(events)
    assert days
    assert made["core/dim_date"]["rows written"].value == days[0]
    assert made["core/dim_date"]["dagster/row_count"].value == days[0]
    assert made["core/dim_date"]["Execution Duration"].value > 0
    holidays = made["core/dim_date"]["dagster/column_lineage"].value.deps_by_column
    assert [dep.column_name for dep in holidays["holiday_name_za"]] == [
        "country_code",
        "holiday_name",
    ]
    assert {dep.asset_key for dep in holidays["holiday_name_za"]} == {
        dg.AssetKey(["reference", "public_holidays"])
    }
    assert holidays["date_key"] == []
    assert "so it does" in str(made["ml/customer_churn"]["report"].value)
    assert "ml/shift_fill" not in made
    assert not any(key.startswith("raw_") for key in made), "nothing was loaded"
    checks = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
    assert checks
    assert all(check.passed for check in checks)
    (drift,) = [check for check in checks if check.asset_key != dg.AssetKey(["core", "dim_date"])]
    assert drift.check_name == "open_drift"


def test_the_program_that_dev_starts_tells_the_storage_that_dagster_will_open(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.dagster_home.write_closed", lambda *_: None)  # not the project's .env
    build_dim_date(warehouse)
    environment = {**os.environ, **prepare_instance(warehouse.settings, warehouse)}
    program = [sys.executable, "-m", "orchestration.runs_told", "300"]
    done = subprocess.run(
        program, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "1 run of the command line taken over, none left."
    for name in ("DAGSTER_HOME", "TALLYHOUSE_DAGSTER_URL"):
        monkeypatch.setenv(name, environment[name])
    with dg.DagsterInstance.get() as instance:
        assert "core/dim_date" in materialized(history(instance))


def test_whoever_comes_second_leaves_it_to_the_first(warehouse: Warehouse) -> None:
    with told.telling(warehouse.settings) as tell:
        tell.loaded_after(0)
        tell.learned([])
    with dg.DagsterInstance.ephemeral() as instance:
        with told.only_reader(warehouse.settings) as is_alone:
            assert is_alone
            assert take_over(instance, WarehouseResource(), 60).is_read_elsewhere
        assert take_over(instance, WarehouseResource(), 60) == TakenOver(1, 0)


def test_a_table_that_is_gone_and_a_line_that_cannot_be_told_keep_no_other_from_being_told(
    warehouse: Warehouse,
) -> None:
    build_dim_date(warehouse)
    (file,) = told.waiting(warehouse.settings)
    nonsense = '{"info": {"name": "LogModelResult"}, "data": {"node_info": {"unique_id": "model.x"'
    file.write_text(f"{nonsense}\n{file.read_text('utf-8')}", encoding="utf-8")
    with warehouse.connect() as connection:
        connection.execute("drop table core.dim_date cascade")
    with dg.DagsterInstance.ephemeral() as instance:
        done = take_over(instance, WarehouseResource(), 300)
        made = materialized(history(instance))
    assert (done.runs, done.left) == (1, 0)
    (sentence,) = done.passed_over
    assert "model.x cannot be told to Dagster and is passed over (JSONDecodeError" in sentence
    assert str(done).startswith("1 run of the command line taken over, none left. What a run")
    assert "dagster/row_count" not in made["core/dim_date"]
    assert made["core/dim_date"]["rows written"].value > 0
    assert "ml/customer_churn" in made, "what comes after it"
    assert told.waiting(warehouse.settings) == []


def test_a_model_that_is_younger_than_the_process_shows_when_dagster_starts_again(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_dim_date(warehouse)
    node_id, house = "model.tallyhouse.dim_date", WarehouseResource()
    with dg.DagsterInstance.ephemeral() as instance:
        with monkeypatch.context() as before:
            before.delitem(dbt_project.manifest()["nodes"], node_id)
            before.setattr(dbt_project.dbt, "is_current", lambda *_: False)  # a file is newer
            done = take_over(instance, house, 300)
            assert (done.runs, done.left, done.put_off) == (1, 0, 1)
            assert "younger than Dagster's process show when it starts again" in str(done)
            made = materialized(history(instance))
            assert "core/dim_date" not in made
            assert "ml/customer_churn" in made, "the others do not wait for it"
            assert take_over(instance, house, 300) == TakenOver(0, 0)
        assert take_over(instance, house, 300) == TakenOver(0, 0), "this process is the old one"
        parsed, written_at, _ = dbt_project._manifest()
        monkeypatch.setattr(dbt_project, "_manifest", lambda: (parsed, written_at, time.time() + 1))
        assert take_over(instance, house, 300) == TakenOver(1, 0)
        assert "core/dim_date" in materialized(history(instance))
        assert take_over(instance, house, 300) == TakenOver(0, 0)
    assert not (warehouse.settings.home / told.FOLDER / told.LATER).exists()


def test_a_process_is_outdated_once_the_manifest_was_written_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parsed, _, read_at = dbt_project._manifest()
    written_at = (PROJECT_ROOT / "target" / "manifest.json").stat().st_mtime_ns
    for is_current, age, expected in ((True, 0, False), (True, 1, True), (False, 0, True)):
        seen = (parsed, written_at - age, read_at)
        monkeypatch.setattr(dbt_project.dbt, "is_current", lambda *_, found=is_current: found)
        monkeypatch.setattr(dbt_project, "_manifest", lambda seen=seen: seen)
        assert dbt_project.is_outdated() == expected


def test_what_earlier_commands_loaded_is_told_with_the_next_run_and_once(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    loading, records = Loading(warehouse, tmp_path), []

    def run_that_loads_nothing() -> None:
        with told.telling(warehouse.settings) as tell, warehouse.connect() as connection:
            tell.loaded_after(build_ledger.newest_load(connection))
            tell.learned([])

    with dg.DagsterInstance.ephemeral() as instance:
        for number in range(2):
            loading.put(f"events/upcoach/{number}.jsonl", [line(2 * number), line(2 * number + 1)])
            loading.load()
            run_that_loads_nothing()
            run_that_loads_nothing()
            assert take_over(instance, WarehouseResource(), 300).runs == 2
        for event in history(instance):
            if event.is_step_materialization and event.asset_key == dg.AssetKey(
                ["raw_events", "events"]
            ):
                figures = event.materialization.metadata
                records.append((figures["files"].value, figures["record_count"].value))
        assert "raw_stripe/events" in materialized(history(instance)), "no upstream is missing"
    assert records == [(1, 2), (1, 2)]


def test_what_the_command_line_found_amiss_is_red_in_dagster(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run as the command line makes it, whose parts are replaced by what they come to."""
    learned, built = {"learned": [], "tests": {}}, building.Built()
    outcomes = [
        LandedCheck("raw_stripe.events", False, 3, ("2 rows do not fit",), Path("page.html")),
        LandedCheck("raw_events.events", True, 4, (), Path("other.html")),
    ]
    unreadable = LoadReport(unreadable=["events/a.gz: its checksum does not hold"])
    counted = Reconciliation(2, 7, ("1 fewer rows in raw_events.events",))
    monkeypatch.setattr(pipeline, "load", lambda *_: unreadable)
    monkeypatch.setattr(pipeline, "reconcile", lambda *_: counted)
    monkeypatch.setattr(pipeline.guard, "is_due", lambda *_: True)
    monkeypatch.setattr(pipeline.guard, "check", lambda *_: outcomes)
    monkeypatch.setattr(building, "parse", lambda *_: None)
    monkeypatch.setattr(building, "build_due", lambda *_, **__: built)
    monkeypatch.setattr(pipeline.learning, "train", lambda *_, **__: learned["learned"])
    monkeypatch.setattr(pipeline.summary, "collect", lambda *_, **__: {})
    monkeypatch.setattr(pipeline.report_page, "write", lambda *_: "report.html")
    settings = warehouse.settings
    assert pipeline.run(settings, warehouse, Reporter(quiet=True), may_sample=False).problems

    with dg.DagsterInstance.ephemeral() as instance:
        assert take_over(instance, WarehouseResource(), 300) == TakenOver(1, 0)
        checks = [
            event.asset_check_evaluation_data
            for event in history(instance)
            if event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ]
    found = {
        (check.asset_key.to_user_string(), check.check_name): (check.passed, check.description)
        for check in checks
    }
    assert found == {
        ("ops/load_manifest", "open_drift"): (True, "Sources and contracts agree."),
        ("ops/load_manifest", "every_file_is_read"): (False, unreadable.failures[0]),
        ("ops/load_manifest", "source_reconciliation"): (False, counted.differences[0]),
        ("raw_stripe/events", "great_expectations"): (False, None),
        ("raw_events/events", "great_expectations"): (True, None),
    }
    (red,) = [c for c in checks if not c.passed and c.check_name == "great_expectations"]
    assert red.metadata["does not fit"].value == "2 rows do not fit"


KILLED = """
import sys, time
from app import told
from tallyhouse.settings import Settings
with told.telling(Settings.from_env()) as tell:
    tell.loaded_after(7)
    tell.learned(["shift_fill beats its baselines."])
    print("at work", flush=True)
    time.sleep(600)
"""


def test_what_a_killed_run_did_is_told_and_a_line_that_was_cut_off_is_dropped(
    tmp_path: Path,
) -> None:
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path)})
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TALLYHOUSE_HOME": str(tmp_path)},
    )  # fmt: skip
    try:
        assert run.stdout
        assert run.stdout.readline() == "at work\n"
        assert told.waiting(settings) == [], "a run that lives is not taken over"
    finally:
        run.kill()
        run.communicate()
    (draft,) = (tmp_path / told.FOLDER).glob(f".{run.pid}")
    with draft.open("a") as file:
        file.write('{"learned": ["half a li')
    (file_left,) = told.waiting(settings)
    lines = [json.loads(line) for line in file_left.read_text("utf-8").splitlines()]
    assert lines == [{"loads_after": 7}, {"learned": ["shift_fill beats its baselines."]}]
    assert not draft.exists()
    assert told.waiting(settings) == [file_left], "and once"


def test_a_run_that_found_nothing_to_do_tells_nothing_and_old_files_go(
    fresh_database: Callable[..., Warehouse],
) -> None:
    settings = fresh_database("told").settings
    with told.telling(settings) as tell:
        tell.loaded_after(0)
    assert told.waiting(settings) == []
    for number in range(told.KEPT + 2):
        with told.telling(settings) as tell:
            tell.loaded_after(number)
            tell.learned([])
    assert len(told.waiting(settings)) == told.KEPT
    assert '"loads_after": 2' in told.waiting(settings)[0].read_text("utf-8")
