"""The machine's clock jumps, back or forth, between loads and under the receiver."""

import ast
import asyncio
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import serving.receiver.app
import serving.receiver.landing_writer
from ingestion.contracts.model import load_contracts
from ingestion.landing.listing import open_landing
from serving.receiver.app import Receiver
from serving.receiver.audit import SPOOL, AuditLog
from serving.receiver.credentials import ApiKey, Credentials
from serving.receiver.landing_writer import LandingWriter
from tallyhouse.settings import PROJECT_ROOT
from tests.patience import wait_until
from tests.python.ingestion.conftest import TENANT
from tests.python.ingestion.faults.conftest import State, Trial

ASKING = {"now", "today", "utcnow", "time", "time_ns", "localtime", "gmtime"}
# Written when something happens, for people to read; nothing is ordered or decided by them.
NOTED = {
    "loaded_at", "rejected_at", "logged_at", "first_seen_at", "last_seen_at", "settled_at",
    "marked_at", "stated_at", "taken_at", "retired_at", "done_at",
    "requested_at", "raw_erased_at", "certified_at", "issued_at", "placed_at", "lifted_at",
}  # fmt: skip


def test_nothing_in_loading_asks_the_clock() -> None:
    for path in sorted((PROJECT_ROOT / "ingestion").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                asks = called.value.id in ("time", "datetime", "date") and called.attr in ASKING
                assert not asks, f"{path}:{node.lineno} asks the clock"
    drafting = PROJECT_ROOT / "ingestion" / "drafting"  # loads nothing, and lists words of SQL
    for path in sorted((PROJECT_ROOT / "ingestion").rglob("*")):
        if path.suffix in (".py", ".sql") and drafting not in path.parents:
            text = path.read_text("utf-8")
            for line in re.findall(r".*(?:\bnow\(\)|current_|clock_timestamp).*", text):
                names = set(re.findall(r"(\w+)\W+timestamptz not null default now\(\)", line))
                names |= set(re.findall(r"(\w+) = now\(\)", line))
                assert (names and names <= NOTED) or "current_" in line, f"{path}: {line}"
                assert not re.search(r"current_(date|time|timestamp)\b", line), f"{path}: {line}"


@pytest.mark.slow
@pytest.mark.parametrize("jump", [timedelta(days=-4000), timedelta(days=4000)])
def test_a_jump_between_two_loads(
    new_trial: Callable[[], Trial], clean: State, landing_copy: Path,
    monkeypatch: pytest.MonkeyPatch, jump: timedelta,
) -> None:  # fmt: skip
    """Half of the files, a jump of eleven years, the other half: seen from the second load, the
    first was in the future or in the distant past."""
    trial = new_trial()
    trial = Trial(replace(trial.warehouse, settings=replace(
        trial.warehouse.settings, landing=str(landing_copy))))  # fmt: skip
    listed = open_landing(str(landing_copy)).files()  # in the order in which they are loaded
    second = [landing_copy / file.path for file in listed[len(listed) // 2 :]]
    for path in second:
        path.rename(path.with_name(path.name + ".tmp"))
    trial.load()
    with trial.warehouse.connect() as conn:
        for table, column in (("load_manifest", "loaded_at"), ("record_conflicts", "logged_at"),
                              ("rejected_records", "rejected_at")):  # fmt: skip
            conn.execute(f"update ops.{table} set {column} = {column} - %s".encode(), [jump])
    for path in second:
        path.with_name(path.name + ".tmp").rename(path)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump.total_seconds())
    trial.load()
    monkeypatch.undo()
    trial.assert_like(clean)


Post = Callable[..., int]


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """Post a body to a receiver in this process, whose clock can be changed; gives the status."""
    key = ApiKey(sha256=hashlib.sha256(b"key").hexdigest(), product="upcoach", tenant=TENANT)
    credentials = Credentials(stripe={"acct_upcoach": ("whsec_a",)}, keys=(key,))
    contracts = load_contracts([PROJECT_ROOT / "contracts"]).events
    writer = LandingWriter(str(tmp_path / "landing"))
    audit = AuditLog(tmp_path / SPOOL)
    transport = httpx.ASGITransport(Receiver(credentials, contracts, writer, audit).app())

    async def send(path: str, **given: Any) -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return (await client.post(path, **given)).status_code

    yield lambda path, **given: asyncio.run(send(path, **given))
    writer.close()
    audit.close()


def lines(tmp_path: Path, folder: str) -> list[bytes]:
    files = sorted((tmp_path / folder).rglob("*.jsonl"))
    return [line for file in files for line in file.read_bytes().splitlines()]


def test_a_signature_too_old_by_the_receivers_clock_is_refused_audited_and_sent_again(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b'{"id": "evt_1", "object": "event"}'

    def send() -> int:
        moment = int(real())  # Stripe's clock is right
        signed = hmac.new(b"whsec_a", b"%d." % moment + body, hashlib.sha256).hexdigest()
        header = {"Stripe-Signature": f"t={moment},v1={signed}"}
        return post("/webhooks/stripe/acct_upcoach", content=body, headers=header)

    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 400)
    assert send() == 400
    monkeypatch.setattr(time, "time", real)
    assert send() == 200
    assert lines(tmp_path, "landing/stripe") == [body]
    wait_until(lambda: lines(tmp_path, SPOOL), "the refusal was not noted")
    refused = lines(tmp_path, SPOOL)
    assert json.loads(refused[0])["details"] == {"status": 400, "reason": "bad_signature"}


@pytest.mark.slow
def test_the_receivers_clock_goes_back(
    post: Post, tmp_path: Path, new_trial: Callable[[], Trial],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Sent again under a clock that is three days late: one row, dated by the earlier arrival and
    flagged, because a device cannot be days ahead of the receiver."""

    def send(number: int, clock: datetime) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return clock

        monkeypatch.setattr(serving.receiver.app, "datetime", Clock)
        monkeypatch.setattr(serving.receiver.landing_writer, "datetime", Clock)
        event = {"event_id": f"00000000-0000-4000-8000-{number:012d}", "event_name": "goal_viewed",
                 "occurred_at": "2026-03-04T10:00:00Z", "user_id": "u-1",
                 "properties": {"goal_id": 1}}  # fmt: skip
        assert post("/events/upcoach", json=event, headers={"X-Api-Key": "key"}) == 200

    right = datetime(2026, 3, 4, 10, 0, 5, tzinfo=UTC)
    send(1, right)
    send(1, right - timedelta(days=3))
    send(2, right - timedelta(days=3))
    trial = new_trial()
    settings = replace(trial.warehouse.settings, landing=str(tmp_path / "landing"))
    trial = Trial(replace(trial.warehouse, settings=settings))
    report = trial.load()
    assert (report.stored + report.duplicates, report.rejected) == (3, 0)
    held = "select occurred_at = received_at, is_time_corrected, event_date::text"
    assert trial.rows(f"{held} from raw_events.events") == [(True, True, "2026-03-01")] * 2
    trial.assert_sound()


def test_a_receiver_started_hours_ahead_takes_no_record_that_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes drafts for abandoned that another is writing: that one's caller hears of it."""
    writer = LandingWriter(str(tmp_path), linger_seconds=0)
    make_folder, real = serving.receiver.landing_writer._make_folder, time.time

    def meanwhile(folder: Path, root: Path) -> None:
        make_folder(folder, root)
        monkeypatch.setattr(time, "time", lambda: real() + 7200)
        LandingWriter(str(tmp_path)).close()

    monkeypatch.setattr(serving.receiver.landing_writer, "_make_folder", meanwhile)
    with pytest.raises(OSError):
        writer.submit("events/upcoach", [b"1"]).result()
    monkeypatch.undo()
    writer.submit("events/upcoach", [b"1"]).result()
    writer.close()
    assert lines(tmp_path, "events") == [b"1"]
