"""Foreign shapes through mapping contracts, without code: CSV, blanks, five trackers.

Files of real exports are read where they lie (`../shared/data`) and skipped where they are absent.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.contracts.model import Contracts, load_contracts
from ingestion.events.source import EventSource, choose_contract
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.source import LineParser
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.outcomes import Row
from tallyhouse.settings import PROJECT_ROOT
from tests.python.ingestion.conftest import KEY, Loading
from tests.python.ingestion.events.test_parser import columns, properties
from tests.shared_data import shared

EXAMPLES = PROJECT_ROOT / "contracts" / "examples"


@pytest.fixture(scope="module")
def trackers() -> Contracts:
    return load_contracts([EXAMPLES / "trackers"])


RECORDS: dict[str, dict[str, Any]] = {
    "segment": {
        "messageId": "m-1", "type": "track", "event": "Order Completed", "userId": "u-1",
        "anonymousId": "a-1", "timestamp": "2026-03-01T10:00:00.000Z",
        "receivedAt": "2026-03-01T10:00:01.000Z",
        "context": {"ip": "203.0.113.77", "userAgent": "Mozilla/5.0 (Windows) Chrome/99",
                    "library": {"name": "analytics.js"}},
        "properties": {"revenue": 39.95},
    },
    "mixpanel": {
        "event": "Order Completed",
        "properties": {"time": 1772359200, "distinct_id": "u-1", "$insert_id": "m-1",
                       "$device_id": "a-1", "mp_country_code": "NL", "revenue": 39.95,
                       "mp_processing_time_ms": 1772359201000},
    },
    "amplitude": {
        "$insert_id": "m-1", "event_type": "Order Completed", "user_id": "u-1", "device_id": "a-1",
        "event_time": "2026-03-01 10:00:00.000000", "session_id": -1,
        "server_received_time": "2026-03-01 10:00:01.000000", "ip_address": "203.0.113.77",
        "event_properties": {"revenue": 39.95},
    },
    "snowplow": {
        "event_id": "m-1", "event_name": "Order Completed", "user_id": "u-1",
        "domain_userid": "a-1", "derived_tstamp": "2026-03-01 10:00:00.000",
        "collector_tstamp": "2026-03-01 10:00:01.000", "app_id": "shop", "revenue": 39.95,
        "user_ipaddress": "203.0.113.77", "mkt_term": None,
    },
    "posthog": {
        "uuid": "m-1", "event": "Order Completed", "distinct_id": "u-1",
        "timestamp": "2026-03-01T10:00:00Z", "created_at": "2026-03-01T10:00:01Z",
        "properties": {"$ip": "203.0.113.77", "$browser": "Chrome", "$device_id": "a-1",
                       "revenue": 39.95, "token": "phc_secret"},
    },
}  # fmt: skip


@pytest.mark.parametrize("tracker", sorted(RECORDS))
def test_trackers_reach_the_envelope(
    tracker: str, trackers: Contracts, parser_of: Callable[..., LineParser]
) -> None:
    parser = parser_of(tracker, with_contracts=trackers)
    outcome = parser.parse(1, json.dumps(RECORDS[tracker]).encode())
    row = columns(outcome)
    assert (row["source_event_id"], row["event_name"]) == ("m-1", "Order Completed")
    assert (row["user_source_id"], row["anonymous_id"]) == ("u-1", "a-1")
    assert row["session_id"] is None
    assert row["occurred_at"] == "2026-03-01T10:00:00Z" or "10:00:00" in str(row["occurred_at"])
    assert "10:00:01" in str(row["received_at"])
    if tracker != "mixpanel":
        assert row["ip_subnet"] == "203.0.113.0/24"
    held = properties(outcome)
    assert held["revenue"] == 39.95
    text = json.dumps(held)
    assert "203.0.113.77" not in text and "phc_secret" not in text and "u-1" not in text
    assert not parser.drift


@pytest.mark.parametrize(
    ("product", "file", "count"),
    [
        ("segment", "dbt_segment_seeds/example_segment_pages.csv", 1),
        ("mixpanel", "dbt_mixpanel_seeds/event.csv", 5),
        ("amplitude", "dbt_amplitude_seeds/amplitude_event_data.csv", 10),
        ("snowplow", "dbt_snowplow_apache2/sp_event.csv", 6),
    ],
)
def test_real_exports_lose_nothing(
    trackers: Contracts, product: str, file: str, count: int
) -> None:
    lines = shared(f"events/{file}").read_bytes().splitlines()
    info = FileInfo("events", product, f"events/{product}/a.csv", "ab" * 32, 1, lines[0])
    assert choose_contract(trackers, info).format.type == "csv"
    parser = EventSource(trackers, Tokeniser(KEY)).open(info)
    rows = [parser.parse(number, one) for number, one in enumerate(lines[1:], 2)]
    assert all(isinstance(row, Row) for row in rows), rows
    assert len(rows) == count
    assert "@gmail" not in "".join(row.copy for row in rows if isinstance(row, Row))


@pytest.mark.slow
def test_cdnow_and_ecom_load_whole(loading: Loading) -> None:
    loading.settings = replace(loading.settings, contracts=(EXAMPLES / "cdnow", EXAMPLES / "ecom"))
    for name, source in (
        ("cdnow", "cdnow/CDNOW_sample.txt"),
        ("ecom", "retentioneering_ecom/ecom.csv.gz"),
    ):
        target = loading.landing / "events" / name / Path(source).name
        target.parent.mkdir(parents=True)
        target.write_bytes(shared(f"events/{source}").read_bytes())
    report = loading.load()
    assert report.rejected == report.duplicates == 0
    assert loading.rows(
        "select product, count(*), count(distinct user_id) from raw_events.events group by 1 order by 1"
    ) == [("cdnow", 6919, 2357), ("ecom", 31106, 600)]
    assert (
        loading.one(
            "select round(sum((properties ->> 'dollars')::numeric), 2) from raw_events.events"
            " where product = 'cdnow'"
        )
        == _cdnow_dollars()
    )


def _cdnow_dollars() -> Any:
    from decimal import Decimal

    lines = shared("events/cdnow/CDNOW_sample.txt").read_text().splitlines()
    return sum((Decimal(one.split()[4]) for one in lines if one.strip()), Decimal(0))


def test_quoted_csv_with_line_breaks(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(
        "kind: events\nproduct: x\nformat: {type: csv}\nunknown_events: accept\nclock: server\n"
        "envelope: {event_name: name, occurred_at: at}\n"
        "properties: {path: null, rest: keep, fields: {n: {path: n, type: integer}}}\n"
    )
    contracts = load_contracts([tmp_path])
    info = FileInfo("events", "x", "events/x/a.csv", "ab" * 32, 1, b"name,at,n,text")
    parser = EventSource(contracts, Tokeniser(KEY)).open(info)
    row = parser.parse(2, b'buy,2026-03-01,7,"two\nlines, ""quoted"""')
    assert properties(row) == {"n": 7, "text": 'two\nlines, "quoted"'}
    assert columns(row)["source_event_id"] == "ab" * 16 + ":2"
    assert getattr(parser.parse(3, b"buy,2026-03-01"), "reason_code", "") == "wrong_column_count"
