"""What a run of the command line did stands in Dagster's history, once."""

from collections.abc import Callable

import dagster as dg
import pytest

from app import told
from orchestration.defs.automation.told import runs_of_the_command_line
from orchestration.warehouse import WarehouseResource
from tallyhouse import dbt
from tallyhouse.database import Warehouse

pytestmark = pytest.mark.slow


def events_of(found: dg.SensorResult | dg.SkipReason) -> list[object]:
    assert isinstance(found, dg.SensorResult)
    return list(found.asset_events)


def test_builds_of_the_command_line_are_materialized_once_with_rows_seconds_and_checks(
    fresh_database: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = fresh_database("told", seeded=True)
    settings = warehouse.settings
    monkeypatch.setenv("TALLYHOUSE_HOME", str(settings.home))
    monkeypatch.setenv("TALLYHOUSE_DATABASE_URL", warehouse.url)
    with told.telling(settings) as tell:
        tell.loaded_after(0)
        built = ["build", "--select", "dim_date", "--indirect-selection", "cautious"]
        assert dbt.run(built, settings, warehouse=warehouse, on_event=tell).success
        tell.learned(["customer_churn beats its baselines: so it does.", "shift_fill: left out."])

    def tick(cursor: str | None) -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(
            instance=dg.DagsterInstance.ephemeral(),
            cursor=cursor,
            resources={"house": WarehouseResource()},
        )
        answer = runs_of_the_command_line(context)
        assert isinstance(answer, dg.SensorResult | dg.SkipReason)
        return answer

    monkeypatch.setattr("orchestration.defs.automation.told.SECONDS", -1.0)
    ticks = [tick(None)]
    while isinstance(ticks[-1], dg.SensorResult) and " " in str(ticks[-1].cursor):
        ticks.append(tick(ticks[-1].cursor))
    assert len(ticks) > 3, "one line at a time, where a tick has no more time"
    by_lines = [event for found in ticks for event in events_of(found)]
    monkeypatch.undo()
    monkeypatch.setenv("TALLYHOUSE_HOME", str(settings.home))
    monkeypatch.setenv("TALLYHOUSE_DATABASE_URL", warehouse.url)

    first = tick(None)
    assert isinstance(first, dg.SensorResult)
    assert [type(event) for event in by_lines] == [type(event) for event in events_of(first)]
    assert ticks[-1].cursor == first.cursor
    with warehouse.connect() as connection:
        days = connection.execute("select count(*) from core.dim_date").fetchone()
    made = {
        event.asset_key.to_user_string(): event.metadata
        for event in first.asset_events
        if isinstance(event, dg.AssetMaterialization)
    }
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
    checks = [e for e in first.asset_events if isinstance(e, dg.AssetCheckEvaluation)]
    assert checks
    assert all(check.passed for check in checks)
    assert {check.asset_key.to_user_string() for check in checks} == {"core/dim_date"}

    assert len(told.waiting(settings)) == 1, "kept until Dagster has written it down"
    assert isinstance(tick(first.cursor), dg.SkipReason)
    assert told.waiting(settings) == []


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
