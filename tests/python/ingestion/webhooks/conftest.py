"""Fixtures of the webhook tests: parsers by the default contracts, the shared real payloads."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ingestion.contracts import load_contracts
from ingestion.pii import Tokeniser
from ingestion.sources import FileInfo, LineParser
from ingestion.webhooks import RevenueCatSource, StripeSource

PROJECT = Path(__file__).resolve().parents[4]
SHARED_DATA = Path(os.environ.get("TALLYHOUSE_SHARED_DATA", PROJECT.parent / "shared" / "data"))


@pytest.fixture
def stripe() -> LineParser:
    source = StripeSource(load_contracts([PROJECT / "contracts"]), Tokeniser(b"k" * 32))
    return source.open(FileInfo("stripe", "acct_upcoach", "stripe/acct_upcoach/x.jsonl", "0", 1))


@pytest.fixture
def revenuecat() -> LineParser:
    source = RevenueCatSource(load_contracts([PROJECT / "contracts"]), Tokeniser(b"k" * 32))
    return source.open(FileInfo("revenuecat", "upcoach", "revenuecat/upcoach/x.jsonl", "0", 1))


def shared_json(folder: str) -> dict[str, Any]:
    """File name → content of a shared data set; skips the test where it is absent."""
    path = SHARED_DATA / folder
    if not path.is_dir():
        pytest.skip(f"the shared data set is not at {path} (TALLYHOUSE_SHARED_DATA)")
    return {file.name: json.loads(file.read_bytes()) for file in sorted(path.glob("*.json"))}
