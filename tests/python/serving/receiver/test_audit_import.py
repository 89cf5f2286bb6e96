"""What the receiver refused stands in the database's audit log after the next load."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app import pipeline
from serving.receiver.audit import FOLDER, SPOOL, AuditLog
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
            " from governance.analytics_audit_log order by resource"
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


def test_a_damaged_spool_is_named_and_stops_nothing(warehouse: Warehouse) -> None:
    folder = warehouse.settings.home / SPOOL / FOLDER
    folder.mkdir(parents=True)
    for number, text in enumerate((b'{"happened_at"', b"7", b'{"details": {}}', b"\xff")):
        (folder / f"{number}.jsonl").write_bytes(text)
    log = AuditLog(warehouse.settings.home / SPOOL)
    log.refused("10.0.0.1", "/events/rostracore", 401, "bad_key")
    log.close()
    problems = pipeline.load(warehouse.settings, warehouse).unreadable
    assert all(str(folder / f"{n}.jsonl") in problem for n, problem in enumerate(problems))
    assert len(problems) == 4
    assert len(logged(warehouse)) == 1
