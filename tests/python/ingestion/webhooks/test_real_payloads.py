"""Real payloads of both providers: every record stored or rejected with a reason, none lost."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion.load import load_all
from tallyhouse.database import Warehouse
from tests.python.ingestion.webhooks.conftest import shared_json

pytestmark = pytest.mark.slow


def load(warehouse: Warehouse, folder: str, records: list[Any]) -> None:
    target = Path(warehouse.settings.landing) / folder / f"{len(records)}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("".join(json.dumps(record) + "\n" for record in records))
    load_all(warehouse.connect, warehouse.settings, processes=1)


def account(warehouse: Warehouse, kind: str) -> Counter[str]:
    """records, stored, duplicates, rejected of a kind of source; reasons must be sentences."""
    names = ("records", "stored", "duplicates", "rejected")
    with warehouse.connect() as conn:
        found = conn.execute(
            "select sum(record_count), sum(stored_count), sum(duplicate_count), sum(rejected_count)"
            " from ops.load_manifest where source_kind = %s",
            [kind],
        ).fetchone()
        reasons = conn.execute("select reason from ops.rejected_records").fetchall()
    assert all(reason.endswith(".") and len(reason) > 20 for (reason,) in reasons)
    assert found is not None
    return Counter(dict(zip(names, map(int, found), strict=True)))


@pytest.fixture
def warehouse(fresh_database: Callable[..., Warehouse]) -> Warehouse:
    return fresh_database("webhooks", prepared=True)


def test_mock_events_with_ids_of_their_own_are_all_stored(warehouse: Warehouse) -> None:
    events = shared_json("stripe/ruby_mock_webhooks")
    given = [{**event, "id": f"evt_{number}"} for number, event in enumerate(events.values())]
    load(warehouse, "stripe/acct_upcoach", given)
    assert account(warehouse, "stripe") == Counter(
        records=len(events), stored=len(events), duplicates=0, rejected=0
    )


def test_mock_events_as_they_are_count_each_id_once(warehouse: Warehouse) -> None:
    """Rule 40: one row per id; the others are duplicates, and other bodies are logged."""
    events = list(shared_json("stripe/ruby_mock_webhooks").values())
    load(warehouse, "stripe/acct_upcoach", events)
    ids = {event["id"] for event in events}
    counts = account(warehouse, "stripe")
    assert (counts["stored"], counts["rejected"]) == (len(ids), 0)
    assert counts["duplicates"] == len(events) - len(ids)
    with warehouse.connect() as conn:
        logged = conn.execute("select count(*) from ops.record_conflicts").fetchone()
    assert logged is not None and logged[0] > 0


def test_objects_and_connect_events_of_dj_stripe(warehouse: Warehouse) -> None:
    records = list(shared_json("stripe/dj_stripe").values())
    events = [record for record in records if record.get("object") == "event"]
    load(warehouse, "stripe/acct_upcoach", records)
    counts = account(warehouse, "stripe")
    pages = [record for record in records if record.get("object") == "list"]
    records = [record for record in records if record not in pages]
    records += [record for page in pages for record in page["data"]]
    assert len(pages) == 1 and len(pages[0]["data"]) == 2  # in lines of other things
    objects = [record for record in records if record.get("object") != "event"]
    timeless = [record for record in objects if type(record.get("created")) is not int]
    assert counts["records"] == len(records)
    assert counts["stored"] == len(objects) - len(timeless) - 1 > 30  # one is of the year 1973
    with warehouse.connect() as conn:
        codes = dict(
            conn.execute(
                "select reason_code, count(*) from ops.rejected_records group by reason_code"
            ).fetchall()
        )
    # their accounts are nobody's here; what has no time of its own cannot be dated
    assert codes["undeclared_account"] == len(events)
    assert (codes["absurd_time"], codes["bad_time"]) == (1, len(timeless))
    assert "no_id" not in codes


def test_one_object_of_every_kind(warehouse: Warehouse) -> None:
    """Each of the 176 kinds, as the API lists it and in an event: in events all are stored."""
    resources = shared_json("stripe/openapi")["fixtures3.json"]["resources"]
    wrapped = [
        {"id": f"evt_{kind}", "object": "event", "type": f"{kind}.updated", "created": 1_700_000_000,
         "livemode": True, "data": {"object": resource}}
        for kind, resource in resources.items()
    ]  # fmt: skip
    load(warehouse, "stripe/acct_upcoach", [*resources.values(), *wrapped])
    counts = account(warehouse, "stripe")
    assert counts["records"] == 2 * len(resources)
    assert counts["stored"] >= len(wrapped)
    assert counts["stored"] + counts["duplicates"] + counts["rejected"] == counts["records"]


def test_documented_revenuecat_bodies(warehouse: Warehouse) -> None:
    bodies = list(shared_json("revenuecat/docs_2024").values())
    for number, body in enumerate(bodies):
        body["event"]["id"] = f"event-{number}"
    load(warehouse, "revenuecat/upcoach", bodies)
    # the documented TRANSFER happened in the year 4466
    assert account(warehouse, "revenuecat") == Counter(
        records=15, stored=14, duplicates=0, rejected=1
    )
