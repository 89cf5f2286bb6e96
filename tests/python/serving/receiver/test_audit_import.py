"""What the receiver refused stands in the database's audit log after the next load."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app import pipeline
from serving.receiver.audit import BURST, FOLDER, SPOOL, UNREADABLE, AuditLog
from tallyhouse.database import Warehouse

pytestmark = pytest.mark.slow


@pytest.fixture
def warehouse(fresh_database: Callable[..., Warehouse]) -> Warehouse:
    warehouse = fresh_database("audit", prepared=True)
    Path(warehouse.settings.landing).mkdir(exist_ok=True)
    return warehouse


def logged(warehouse: Warehouse) -> list[tuple[str, ...]]:
    with warehouse.connect() as conn:
        return conn.execute(
            "select actor, action, resource, outcome, details ->> 'reason', details ->> 'status'"
            " from governance.analytics_audit_log where action = 'receive' order by resource"
        ).fetchall()


def test_a_load_enters_refused_calls_once(warehouse: Warehouse) -> None:
    log = AuditLog(warehouse.settings.home / SPOOL)
    log.refused("10.0.0.1", "/events/rostracore", 401, "bad_key")
    log.refused("10.0.0.2", "/webhooks/stripe/acct_upcoach", 400, "bad_signature")
    log.close()
    for _ in range(2):
        assert not pipeline.load(warehouse.settings, warehouse).unreadable
        assert logged(warehouse) == [
            ("10.0.0.1", "receive", "/events/rostracore", "refused", "bad_key", "401"),
            ("10.0.0.2", "receive", "/webhooks/stripe/acct_upcoach", "refused", "bad_signature",
             "400"),
        ]  # fmt: skip
    assert not list((warehouse.settings.home / SPOOL).rglob("*.jsonl"))


def test_a_damaged_spool_is_named_once_set_aside_and_stops_nothing(warehouse: Warehouse) -> None:
    folder = warehouse.settings.home / SPOOL / FOLDER
    folder.mkdir(parents=True)
    for number, text in enumerate((b'{"happened_at"', b"7", b'{"details": {}}', b"\xff")):
        (folder / f"{number}.jsonl").write_bytes(text)
    log = AuditLog(warehouse.settings.home / SPOOL)
    log.refused("10.0.0.1", "/events/rostracore", 401, "bad_key")
    log.close()
    report = pipeline.load(warehouse.settings, warehouse)
    assert not report.unreadable
    assert all(str(folder / f"{n}.jsonl") in note for n, note in enumerate(report.notes))
    assert len(report.notes) == 4
    assert len(logged(warehouse)) == 1
    aside = warehouse.settings.home / SPOOL / UNREADABLE
    assert sorted(path.name for path in aside.iterdir()) == [f"{n}.jsonl" for n in range(4)]
    assert not pipeline.load(warehouse.settings, warehouse).notes


def test_what_no_database_text_can_hold_is_replaced(warehouse: Warehouse) -> None:
    log = AuditLog(warehouse.settings.home / SPOOL)
    log.refused("10.0.0.1", "/events/a\x00b\n", 404, "unknown")
    log.close()
    # a line as an earlier receiver wrote it
    entry = {"happened_at": "2026-01-01T00:00:00Z", "actor": "10.0.0.2", "action": "receive",
             "resource": "/webhooks/\x00", "outcome": "refused",
             "details": {"reason": "\x00", "status": 404}}  # fmt: skip
    folder = warehouse.settings.home / SPOOL / FOLDER
    (folder / "old.jsonl").write_text(json.dumps(entry) + "\n")
    report = pipeline.load(warehouse.settings, warehouse)
    assert not report.notes and not report.unreadable
    assert [row[2] for row in logged(warehouse)] == ["/events/a\ufffdb\ufffd", "/webhooks/\ufffd"]


def test_a_caller_refused_over_and_over_is_counted_not_written_each_time(
    warehouse: Warehouse,
) -> None:
    log = AuditLog(warehouse.settings.home / SPOOL)
    for _ in range(3 * BURST):
        log.refused("10.0.0.1", "/events/rostracore", 401, "bad_key")
    log.refused("10.0.0.2", "/events/rostracore", 401, "bad_key")
    log.close()
    pipeline.load(warehouse.settings, warehouse)
    with warehouse.connect() as conn:
        told = conn.execute(
            "select actor, count(*), sum(coalesce((details ->> 'further_calls')::int, 1))"
            " from governance.analytics_audit_log where action = 'receive'"
            " group by actor order by actor"
        ).fetchall()
    # the minute may turn over in between: then a second burst is written out
    assert told[0][2] == 3 * BURST and told[0][1] in (BURST + 1, 2 * BURST + 1, 2 * BURST + 2)
    assert told[1] == ("10.0.0.2", 1, 1)
