"""Ids with an address in them that an earlier version stored as they came: told until a reload keyed them."""

import json
from typing import Any

import pytest

from ingestion.storing.stored_addresses import search_once
from tests.python.ingestion.conftest import Loading, line

pytestmark = pytest.mark.slow
ADDRESS = "auth0|ann@example.com"


@pytest.fixture
def earlier(loading: Loading) -> Loading:
    """A warehouse whose rows were stored before ids that hold an address were keyed."""
    with loading.warehouse.connect() as conn:
        conn.execute(
            "truncate raw_stripe.events, raw_stripe.event_keys, raw_revenuecat.events, raw_revenuecat.event_keys"
        )
    loading.put("events/upcoach/a.jsonl", [line(1, user_id=ADDRESS, anonymous_id=ADDRESS), line(2)])
    loading.put("events/upcoach/b.jsonl", [line(3, session_id="whatsapp:+27831234567")])
    loading.put("stripe/acct_upcoach/a.jsonl", [json.dumps({
        "object": "event", "id": "evt_addr", "type": "customer.created", "created": 1772359200, "livemode": True,
        "data": {"object": {"object": "customer", "id": "cus_1", "metadata": {"user_id": ADDRESS}}},
    }).encode()])  # fmt: skip
    loading.put("revenuecat/upcoach/a.jsonl", [json.dumps({"api_version": "1.0", "event": {
        "id": "rc_addr", "type": "INITIAL_PURCHASE", "event_timestamp_ms": 1772359200000, "app_user_id": ADDRESS,
        "original_app_user_id": ADDRESS, "environment": "PRODUCTION", "store": "APP_STORE",
    }}).encode()])  # fmt: skip
    report = loading.load()
    assert report.stored == 5, report.sentences()
    with loading.warehouse.connect() as conn:
        conn.execute("update raw_events.events set user_source_id = %s, anonymous_id = %s"
                     " where anonymous_id is not null", (ADDRESS, ADDRESS))  # fmt: skip
        conn.execute(
            "update raw_events.events set session_id = 'whatsapp:+27831234567' where session_id like 'tok%'"
        )
        conn.execute("update raw_revenuecat.events set app_user_id = %s, original_app_user_id = %s",
                     (ADDRESS, ADDRESS))  # fmt: skip
        conn.execute(
            "update raw_stripe.events set payload = jsonb_set(payload, '{data,object,metadata,user_id}', %s::jsonb)",
            (json.dumps(ADDRESS),),
        )
        conn.execute("truncate ops.searches_done")
    return loading


def told(notes: list[str]) -> list[str]:
    return [note for note in notes if "holds a person's address" in note]


def open_drift(loading: Loading) -> list[tuple[Any, ...]]:
    return loading.rows(
        "select source_kind, field_name, record_count from ops.schema_drift"
        " where kind = 'stored_address' order by 1, 2"
    )


def test_a_load_says_what_a_reload_heals(earlier: Loading) -> None:
    found = told(earlier.load().notes)
    assert [note.split(":")[0] for note in found] == [
        "Drift in events/upcoach, envelope", "Drift in revenuecat/upcoach, envelope",
        "Drift in stripe/acct_upcoach, metadata",
    ]  # fmt: skip
    assert "tallyhouse reload events/upcoach" in found[0]
    assert open_drift(earlier) == [
        ("events", "anonymous_id", 1), ("events", "session_id", 1), ("events", "user_source_id", 1),
        ("revenuecat", "app_user_id", 1), ("revenuecat", "original_app_user_id", 1), ("stripe", "user_id", 1),
    ]  # fmt: skip
    assert told(earlier.load().notes) == found  # until it is done
    said = told(earlier.reload("events").notes)
    assert [note.split(":")[0] for note in said] == [note.split(":")[0] for note in found[1:]]
    assert told(earlier.reload("stripe", "revenuecat").notes) == []
    assert open_drift(earlier) == []
    for table, column in (("raw_events", "events::text"), ("raw_stripe", "events::text"),
                          ("raw_revenuecat", "events::text")):  # fmt: skip
        assert (
            earlier.one(f"select count(*) from {table}.events where {column} ~ 'ann@|2783123'") == 0
        )
    assert earlier.one("select count(*) from raw_events.events") == 3


def test_it_is_searched_for_once(earlier: Loading) -> None:
    earlier.load()
    with earlier.warehouse.connect() as conn:
        before = conn.execute("select * from ops.schema_drift").fetchall()
        search_once(conn)
        assert conn.execute("select * from ops.schema_drift").fetchall() == before
