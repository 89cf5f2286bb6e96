"""Fixtures of the webhook tests: parsers by the default contracts, the shared real payloads."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.contracts.model import load_contracts
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.source import LineParser
from ingestion.privacy.tokens import Tokeniser
from ingestion.webhooks.revenuecat import RevenueCatSource
from ingestion.webhooks.stripe import StripeSource
from tests.shared_data import shared

PROJECT = Path(__file__).resolve().parents[4]


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
    files = sorted(shared(folder).glob("*.json"))
    return {file.name: json.loads(file.read_bytes()) for file in files}
