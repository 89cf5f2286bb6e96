"""The ledger is broken by hand, the tables are broken by hand: reconciliation says so, and where."""

import os
import subprocess
from datetime import UTC, datetime

import dagster as dg
import pytest

from ingestion.quality import Reconciliation, reconcile
from orchestration.definitions import defs
from tests.end_to_end.house import COMMAND
from tests.python.ingestion.conftest import OTHER_TENANT, TENANT, Loading, line

pytestmark = pytest.mark.slow
FOLDER = "events/upcoach"
CHECK = dg.AssetCheckKey(dg.AssetKey(["ops", "load_manifest"]), "source_reconciliation")


def count(loading: Loading, everything: bool = False) -> Reconciliation:
    return reconcile(loading.warehouse.connect, everything=everything)


def change(loading: Loading, statement: str) -> None:
    with loading.warehouse.connect(autocommit=True) as conn:
        conn.execute(statement)  # type: ignore[call-overload]


@pytest.fixture
def loaded(loading: Loading) -> Loading:
    """Two days of two tenants, a line that is doubled, one that is junk, and an earlier body."""
    change(loading, "drop table if exists ops.quality_marks")
    days = [{"occurred_at": f"2026-03-0{1 + n % 2}T10:00:00Z",
             "tenant_id": (TENANT, OTHER_TENANT)[n % 3 == 0]} for n in range(30)]  # fmt: skip
    lines = [line(n, **days[n]) for n in range(30)]
    loading.put(f"{FOLDER}/a.jsonl", [*lines, lines[3], b"junk"])
    loading.load()
    earlier = line(4, **days[4], session_id="s-2", received_at="2026-03-01T10:00:01Z")
    loading.put(f"{FOLDER}/b.jsonl", [earlier, line(50)])
    loading.load()
    return loading


def test_what_was_loaded_adds_up_and_is_counted_once(loaded: Loading) -> None:
    found = count(loaded)
    assert (found.loads, found.rows, found.differences) == (2, 31, ())
    assert loaded.rows("select stored_count, withdrawn_count from ops.load_manifest order by 1") == [
        (2, 0), (30, 1)]  # fmt: skip
    assert count(loaded).loads == 0
    assert count(loaded, everything=True).rows == 31


def test_rows_that_are_gone_are_named_by_source_and_day_until_they_are_back(
    loaded: Loading,
) -> None:
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    change(loaded, "create table kept as select * from raw_events.events_20260302")
    change(loaded, "delete from raw_events.events_20260302 where source_event_id like '%1'")
    (sentence,) = count(loaded).differences
    assert sentence == (
        f"events upcoach, loaded on {day}: 3 fewer rows in raw_events.events than the ledger says"
        f" were stored (in 1 files, first {FOLDER}/a.jsonl)."
    )
    assert count(loaded).differences == (sentence,)
    change(loaded, "insert into raw_events.events_20260302 select * from kept"
                   " where source_event_id like '%1'")  # fmt: skip
    change(loaded, "drop table kept")
    assert count(loaded).differences == ()


def test_rows_too_many_and_of_nobody(loaded: Loading) -> None:
    change(loaded, "insert into raw_events.events select * from raw_events.events"
                   " where source_event_id like '%50'")  # fmt: skip
    change(loaded, "update raw_events.events set load_id = 999999 where source_event_id like '%07'")
    sentences = sorted(count(loaded).differences)
    assert "(unknown)" in sentences[0] and "1 more rows" in sentences[0]
    assert "upcoach" in sentences[1] and "1 fewer rows" in sentences[1]
    assert "upcoach" in sentences[2] and "1 more rows" in sentences[2]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("update ops.load_manifest set record_count = record_count + 2",
         "4 more records in files than were stored, duplicate, rejected or ignored (in 2 files"),
        ("delete from ops.rejected_records",
         "1 fewer rows in ops.rejected_records than the ledger counts as rejected"),
        ("update ops.load_manifest set withdrawn_count = 0",
         "1 fewer rows in raw_events.events than the ledger says were stored"),
    ],
)  # fmt: skip
def test_a_ledger_changed_by_hand(loaded: Loading, statement: str, told: str) -> None:
    change(loaded, statement)
    (sentence,) = count(loaded).differences
    assert told in sentence


def test_loads_found_good_are_not_counted_again_but_by_night(loaded: Loading) -> None:
    count(loaded)
    change(loaded, "delete from raw_events.events where source_event_id like '%07'")
    assert count(loaded).differences == ()
    assert len(count(loaded, everything=True).differences) == 1


@pytest.mark.parametrize("kind", ["stripe", "revenuecat", "cdc"])
def test_every_kind_of_source_is_counted(loading: Loading, kind: str) -> None:
    change(loading, "drop table if exists ops.quality_marks")
    put_one(loading, kind)
    report = loading.load()
    assert report.stored == 1 and not report.rejected
    found = count(loading, everything=True)
    assert (found.loads, found.rows, found.differences) == (1, 1, ())
    table = "raw_cdc.changes" if kind == "cdc" else f"raw_{kind}.events"
    change(loading, f"delete from {table}")
    (sentence,) = count(loading, everything=True).differences
    assert f"1 fewer rows in {table}" in sentence


def put_one(loading: Loading, kind: str) -> None:
    if kind == "stripe":
        loading.put("stripe/acct_upcoach/1.jsonl", [
            b'{"object": "event", "id": "evt_1", "type": "customer.created", "created": 1772000000,'
            b' "livemode": true, "data": {"object": {"object": "customer", "id": "cus_1"}}}'])  # fmt: skip
    elif kind == "revenuecat":
        loading.put("revenuecat/upcoach/1.jsonl", [
            b'{"event": {"id": "e1", "type": "RENEWAL", "event_timestamp_ms": 1772000000000,'
            b' "app_user_id": "u1"}}'])  # fmt: skip
    else:
        loading.put("cdc/upcoach/1.jsonl", [
            b'{"op": "c", "before": null, "after": {"id": 1}, "ts_ms": 1772000000000, "source":'
            b' {"table": "undeclared", "lsn": 10, "txId": 1, "ts_ms": 1772000000000}}'])  # fmt: skip


def test_load_and_status_say_it_and_end_with_1(loaded: Loading) -> None:
    settings = loaded.settings
    environment = {**os.environ, "TALLYHOUSE_DATABASE_URL": loaded.warehouse.url,
                   "TALLYHOUSE_HOME": str(loaded.warehouse.settings.home),
                   "TALLYHOUSE_LANDING": settings.landing, "TALLYHOUSE_LAKE": settings.lake,
                   "TALLYHOUSE_PII_KEY_FILE": str(settings.pii_key_file)}  # fmt: skip

    def tell(command: str) -> tuple[int, str]:
        done = subprocess.run([COMMAND, command], env=environment, capture_output=True, text=True,
                              check=False)  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    assert tell("load")[0] == 0
    change(loaded, "delete from raw_events.events where source_event_id like '%07'")
    change(loaded, "insert into ops.run_log (job_name, status, details)"
                   " values ('run', 'failed', '{\"reason\": \"a reason\"}')")  # fmt: skip
    code, told = tell("status")
    assert code == 1 and "1 fewer rows in raw_events.events" in told and "a reason" in told
    change(loaded, "update ops.load_manifest set record_count = record_count + 2")
    for command in ("load", "status"):
        code, told = tell(command)
        assert code == 1 and "4 more records in files than were stored" in told, told


def test_the_asset_check_fails_with_the_sentence(
    loaded: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYHOUSE_DATABASE_URL", loaded.warehouse.url)
    monkeypatch.setenv("TALLYHOUSE_HOME", str(loaded.warehouse.settings.home))
    monkeypatch.setenv("TALLYHOUSE_PII_KEY_FILE", str(loaded.settings.pii_key_file))
    definitions = defs()  # type: ignore[call-arg]

    def run(job: str) -> dg.AssetCheckEvaluation:
        done = definitions.resolve_job_def(job).get_subset(asset_check_selection={CHECK})
        ended = done.execute_in_process(raise_on_error=False)
        (outcome,) = ended.get_asset_check_evaluations()
        assert ended.success == outcome.passed, "as `tallyhouse run` ends"
        return outcome

    assert run("load_landing").passed
    change(loaded, "delete from raw_events.events where source_event_id like '%07'")
    assert run("load_landing").passed  # seen before and found good
    nightly = run("run_everything")
    assert not nightly.passed
    assert nightly.description is not None and "1 fewer rows" in nightly.description
