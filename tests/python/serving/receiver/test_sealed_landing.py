"""What the receiver lands lies sealed, and is loaded, read again and known as if it did not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.load import load_all, reload
from ingestion.report import LoadReport
from tallyhouse.database import Warehouse
from tallyhouse.settings import Settings
from tests.keys import put_key
from tests.python.serving.receiver.conftest import SECRETS, Running
from tests.python.serving.receiver.test_receiver import post_stripe, signature

pytestmark = pytest.mark.slow
HELD = {"id": "cus_1", "object": "customer", "email": "ann@secret.example", "balance": 5}


class Received:
    """A warehouse that loads what a receiver landed."""

    def __init__(self, receiver: Running, warehouse: Warehouse) -> None:
        self.receiver, self.warehouse = receiver, warehouse
        self.settings: Settings = replace(
            warehouse.settings, landing=str(receiver.landing), lake=str(receiver.home / "lake"),
            pii_key_file=put_key(receiver.home / "pii.key", bytes(range(32))),
        )  # fmt: skip

    def post(self, number: int) -> None:
        event = {"id": f"evt_{number}", "object": "event", "type": "customer.updated", "livemode": True,
                 "created": 1_770_000_000 + number, "data": {"object": HELD}}  # fmt: skip
        body = json.dumps(event).encode()
        assert post_stripe(self.receiver, body, signature(body, SECRETS[0])).status_code == 200

    def landed(self) -> list[Path]:
        return sorted((self.receiver.landing / "stripe").rglob("*.jsonl"))

    def load(self) -> LoadReport:
        return load_all(self.warehouse.connect, self.settings, processes=1)

    def reload(self) -> LoadReport:
        return reload(self.warehouse.connect, self.settings, ["stripe"], processes=1)

    def rows(self) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as conn:
            query = (
                "select event_id, payload, content_hash from raw_stripe.events order by event_id"
            )
            return conn.execute(query).fetchall()


@pytest.fixture
def received(receiver: Running, fresh_database: Callable[..., Warehouse]) -> Received:
    return Received(receiver, fresh_database("sealed", prepared=True))


def test_it_is_sealed_on_the_disk_and_loaded_and_read_again_as_it_came(received: Received) -> None:
    received.post(1)
    received.post(2)
    assert len(received.landed()) == 2
    for path in received.landed():
        assert path.stat().st_mode & 0o777 == 0o600
        content = path.read_bytes()
        assert b"ann" not in content and b"customer" not in content and b"cus_1" not in content
    assert received.load().stored == 2
    before = received.rows()
    assert [event_id for event_id, _, _ in before] == ["evt_1", "evt_2"]
    assert before[0][1]["data"]["object"]["email"].startswith("tok_")
    assert received.load().stored == 0
    assert received.reload().stored == 2 and received.rows() == before


def test_the_same_lines_unsealed_are_the_same_file(received: Received) -> None:
    received.post(1)
    received.load()
    (line,) = received.receiver.lines("stripe")
    (received.receiver.landing / "stripe" / "acct_upcoach" / "copy.jsonl").write_bytes(line + b"\n")
    report = received.load()
    assert (report.stored, report.duplicates, report.files_loaded) == (0, 0, 0)


def test_without_its_key_a_file_waits_and_the_load_says_for_what(received: Received) -> None:
    received.post(1)
    key = received.receiver.landing_key
    kept = key.rename(key.with_name("elsewhere"))
    report = received.load()
    assert report.stored == 0
    assert any(
        "sealed with a landing key" in said and "landing.key" in said for said in report.unreadable
    )
    kept.rename(key.with_name("landing.key.former-0"))
    put_key(key, b"\x07" * 32)
    report = received.load()
    assert (report.stored, report.unreadable) == (1, [])


def test_a_damaged_one_gives_nothing(received: Received) -> None:
    received.post(1)
    (path,) = received.landed()
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    report = received.load()
    assert report.stored == 0 and any("damaged" in said for said in report.unreadable)
    path.write_bytes(content)
    assert received.load().stored == 1
