"""When webhooks came: what a landed file's path says of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestion.contracts.model import load_contracts
from ingestion.landing.file_info import FileInfo
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.outcomes import Row
from ingestion.webhooks.common import arrival
from ingestion.webhooks.revenuecat import RevenueCatSource
from ingestion.webhooks.stripe import StripeSource

PROJECT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize(
    ("path", "came"),
    [
        ("received/2026-04-01/235959.000001-a1b2c3d4e5f6.jsonl", "2026-04-01T23:59:59.000001"),
        ("2026-04-01.jsonl", "2026-04-01"),
        ("2026-04-01-week.jsonl.gz", "2026-04-01"),
        ("date=2026-04-01/part-0.jsonl", "2026-04-01"),
        ("2026-03-01/2026-04-01.jsonl", "2026-04-01"),  # the newest
        ("2026-02-30.jsonl", None),  # no day
        ("12026-04-01.jsonl", None),
        ("order-2026-04-011.jsonl", None),
        ("a.jsonl", None),
    ],
)
def test_what_a_path_says(path: str, came: str | None) -> None:
    found = arrival(f"stripe/acct_upcoach/{path}")
    assert (None if found is None else datetime.fromtimestamp(found / 1e6, UTC)) == (
        None if came is None else datetime.fromisoformat(came).replace(tzinfo=UTC)
    )


CREATED = 1_775_044_800  # 2026-04-01 12:00


@pytest.mark.parametrize(
    ("day", "received"),
    [("2026-04-03", 1_775_174_400), ("2026-04-01", CREATED), ("2026-01-01", CREATED)],
)
def test_nothing_comes_before_it_happened(day: str, received: int) -> None:
    contracts, tokeniser = load_contracts([PROJECT / "contracts"]), Tokeniser(b"k" * 32)
    bodies: dict[str, dict[str, Any]] = {
        "stripe/acct_upcoach": {
            "id": "evt_1", "object": "event", "created": CREATED, "type": "customer.updated",
            "livemode": True, "data": {"object": {"id": "cus_1", "object": "customer"}},
        },
        "revenuecat/upcoach": {
            "event": {"id": "e", "type": "RENEWAL", "event_timestamp_ms": CREATED * 1000}
        },
    }  # fmt: skip
    for source in (StripeSource(contracts, tokeniser), RevenueCatSource(contracts, tokeniser)):
        folder = next(folder for folder in bodies if folder.startswith(source.kind))
        file = FileInfo(*folder.split("/"), f"{folder}/{day}.jsonl", "0", 1)
        outcome = source.open(file).parse(1, json.dumps(bodies[folder]).encode())
        assert isinstance(outcome, Row)
        assert (outcome.event_date, outcome.received_us) == ("2026-04-01", received * 1_000_000)
        assert (
            source.came_at(file.path)
            == datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1_000_000
        )
