"""Sources that were read wrongly and are reloaded: the marts are those of a clean run, built by affected keys."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from app import building, guard, pipeline, run_log
from ingestion.load import load_all, reload
from tallyhouse.database import Warehouse
from tallyhouse.progress import Reporter
from tallyhouse.settings import PROJECT_ROOT
from tests.building import NO_SEEDS, NO_TESTS, run_dbt
from tests.built_sample import BuiltSample
from tests.python.marts.house import House, assert_equal
from tests.python.marts.test_as_of import marts
from tests.python.marts.upcoach_lines import event, organization, owned

pytestmark = pytest.mark.slow
SOURCES = ("cdc", "events", "revenuecat", "stripe")


def wrong_contracts(folder: Path) -> Path:
    """An event that is missing, columns that are missing or dropped, other owners of accounts."""

    def without(path: str, part: str, keep: str = "") -> None:
        text = (PROJECT_ROOT / "contracts" / path).read_text()
        assert part in text
        (folder / path.replace("/", "-")).write_text(text.replace(part, keep, 1))

    without("cdc/rostracore.yml", "      industry: text\n")
    task = "      goal_id: bigint\n      status: text\n      created_at: timestamptz\n"
    without("cdc/upcoach.yml", f"{task}      completed_at: timestamptz\n", keep=task)
    without(
        "events/upcoach.yml",
        "  screen_viewed: {domain: engagement, optional: {screen: string}}\n",
    )
    (folder / "stripe.yml").write_text(
        "kind: webhooks\nprovider: stripe\ndrop: [tenant_id]\n"
        "accounts: {acct_rostracore: {product: rentguy}}\n"
    )
    (folder / "revenuecat.yml").write_text(
        "kind: webhooks\nprovider: revenuecat\ndrop: [tenant_id]\n"
    )
    return folder


def build(warehouse: Warehouse, *selected: str) -> None:
    outcome = run_dbt(warehouse, "build", *selected, *NO_TESTS, *NO_SEEDS)
    assert outcome.success, outcome.failures


def test_after_a_reload_the_marts_are_those_of_a_clean_run(
    sample_copy: Callable[[str], BuiltSample], tmp_path: Path
) -> None:
    sample = sample_copy("reload")
    settings = replace(
        sample.warehouse.settings, landing=str(sample.truth.parent / "landing"),
        lake=str(tmp_path / "lake"),
    )  # fmt: skip
    clean = marts(sample.warehouse)
    connect = sample.warehouse.connect
    wrongly = replace(settings, contracts=(wrong_contracts(tmp_path),))
    assert reload(connect, wrongly, SOURCES, processes=1).unreadable == []
    build(sample.warehouse)
    wrong = marts(sample.warehouse)
    for table in ("core.fact_events", "core.fact_sessions", "revenue.metrics_daily_mrr",
                  "engagement.metrics_daily_engagement"):  # fmt: skip
        assert wrong[table] != clean[table], table
    assert reload(connect, settings, SOURCES, processes=1).unreadable == []
    build(sample.warehouse)
    assert_equal(marts(sample.warehouse), clean, "reloaded")


def test_what_a_contract_change_decodes_anew_is_built_though_no_file_came(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    """Two tenants, whose finished tasks nobody had declared."""
    house = House(fresh_database("decoded", seeded=True))
    task = "      goal_id: bigint\n      status: text\n      created_at: timestamptz\n"
    finished = f"{task}      completed_at: timestamptz\n"
    text = (PROJECT_ROOT / "contracts/cdc/upcoach.yml").read_text()
    assert finished in text
    (tmp_path / "upcoach.yml").write_text(text.replace(finished, task))
    done = {"status": "done", "completed_at": "2026-03-02T09:00:00.000000Z"}
    for number, tenant in enumerate(("north", "south")):
        lines = [
            organization(tenant, "c", "2026-03-01 00:00:00", "Africa/Johannesburg"),
            owned("tasks", "c", "2026-03-02 09:00:00", number, tenant, "ada", **done),
        ]
        house.put(f"cdc/upcoach/{tenant}.jsonl", lines)
        house.put(f"events/upcoach/{tenant}.jsonl",
                  [event(f"{tenant}-1", tenant, "ada", "2026-03-02 09:00:00")])  # fmt: skip
    house.load([tmp_path])
    house.build()
    finished_tasks = "select sum(tasks_completed) from coaching.fact_productivity"
    assert house.query(finished_tasks) == [(0,)]
    house.load()
    house.build()
    assert house.query(finished_tasks) == [(2,)]


def test_what_a_contract_change_took_away_is_built_though_no_file_came(
    sample_copy: Callable[[str], BuiltSample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A typed column is made anew, and the staging views on it go: a run must not say that nothing is new."""
    warehouse = sample_copy("lost").warehouse
    Path(warehouse.settings.landing).mkdir(parents=True, exist_ok=True)
    text = (PROJECT_ROOT / "contracts/cdc/rostracore.yml").read_text()
    assert "      required_count: integer\n" in text
    changed = text.replace("      required_count: integer\n", "      required_count: bigint\n")
    (tmp_path / "rostracore.yml").write_text(changed)
    said: list[str] = []
    monkeypatch.setattr(guard, "is_due", lambda _: False)
    monkeypatch.setattr(building, "build_due", lambda *_, **__: (_ for _ in ()).throw(Built))

    def run() -> None:
        reporter = Reporter()
        monkeypatch.setattr(reporter, "say", said.append)
        pipeline._build_and_train(
            warehouse.settings, warehouse, reporter, full_refresh=False, tell=Mock()
        )

    before = run_log.fingerprint(warehouse.settings, warehouse)
    with run_log.logged(warehouse, "build", before):
        pass
    run()
    assert said.pop().startswith("Nothing new")
    load_all(warehouse.connect, replace(warehouse.settings, contracts=(tmp_path,)), processes=1)
    assert run_log.fingerprint(warehouse.settings, warehouse) != before
    with run_log.logged(warehouse, "build", run_log.fingerprint(warehouse.settings, warehouse)):
        pass
    assert "stg_rostracore__shifts" in lost(warehouse)
    with pytest.raises(Built):
        run()
    build(warehouse, "--select", "path:models/staging/rostracore")
    assert lost(warehouse) == []


class Built(Exception):
    """In place of a build."""


def lost(warehouse: Warehouse) -> list[str]:
    with warehouse.connect() as connection:
        return run_log.lost_relations(connection, PROJECT_ROOT)
