"""Whose time zone a tenant's days are counted in: a person's word, any product's database, a contract (rule 68)."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from ingestion.load import load_all
from ingestion.storing.tenant_statements import NotAZone, state
from ingestion.values.identity import entity_uuid
from tallyhouse.database import Warehouse
from tests.hand_made import CORE, HandMade
from tests.keys import put_key
from tests.shared_data import shared

pytestmark = pytest.mark.slow

NEW_YORK = entity_uuid("tenantzone", "tenant", "nyc")
SHOP = "5c0ac4e0-0005-4a00-8000-0000000000aa"
REGISTER = """
kind: cdc
product: shops
tables:
  companies:
    primary_key: [id]
    tenant: id
    is_tenant_table: true
    columns: {id: uuid, tz: {type: text, staged_as: timezone}}
"""
EVENTS = "kind: events\nproduct: shops\nclock: server\nunknown_events: accept\n"


@pytest.fixture
def zones(fresh_database: Callable[..., Warehouse], tmp_path: Path) -> HandMade:
    """Two products that have no staging models: events of New York, and events and a database."""
    contracts, landing = tmp_path / "contracts", tmp_path / "landing"
    case = shared("cases/events/tenantzone")
    shutil.copytree(case / "contract", contracts)
    shutil.copytree(case / "landing", landing)
    (contracts / "shops_cdc.yml").write_text(REGISTER)
    (contracts / "shops.yml").write_text(EVENTS)
    company = {"before": None, "after": {"id": SHOP, "tz": "asia/TOKYO"}, "op": "c", "ts_ms": 1,
               "source": {"connector": "postgresql", "db": "shops", "schema": "public",
                          "table": "companies", "lsn": 7, "txId": 1, "ts_ms": 1790000000000}}  # fmt: skip
    event = {"event_id": "1", "event_name": "open", "occurred_at": "2026-01-01T23:30:00Z",
             "tenant_id": SHOP, "user_id": "u"}  # fmt: skip
    for path, record in (("cdc/shops/a.jsonl", company), ("events/shops/a.jsonl", event)):
        (landing / path).parent.mkdir(parents=True)
        (landing / path).write_text(json.dumps(record) + "\n")
    put_key(tmp_path / "key", b"\x07" * 32)
    made = HandMade(fresh_database("zones", prepared=True))
    made.stand_in()
    settings = replace(
        made.warehouse.settings, landing=str(landing), lake=str(tmp_path / "lake"),
        contracts=(contracts,), pii_key_file=tmp_path / "key",
    )  # fmt: skip
    report = load_all(made.warehouse.connect, settings, processes=1)
    assert (report.unreadable, report.rejected) == ([], 0)
    return made


def days(made: HandMade) -> dict[str, tuple[str, date]]:
    """By product the zone of its tenant and the day of its event."""
    return {
        product: (zone, day)
        for product, zone, day in made.rows(
            "select events.product, tenants.timezone, events.date_key from core.fact_events as events"
            " inner join core.dim_tenant as tenants on events.tenant_id = tenants.tenant_id"
        )
    }


def test_a_zone_may_come_from_anywhere(zones: HandMade) -> None:
    zones.build(*CORE)
    assert days(zones) == {
        "tenantzone": ("America/New_York", date(2026, 1, 1)),  # 23:30 there, the next day in UTC
        "shops": ("Asia/Tokyo", date(2026, 1, 2)),  # 23:30 UTC is the next morning there
    }
    with zones.warehouse.connect() as conn:
        assert state(conn, NEW_YORK, "pacific/AUCKLAND", "Kiwis") == "Pacific/Auckland"
    zones.build(*CORE)
    assert days(zones)["tenantzone"] == ("Pacific/Auckland", date(2026, 1, 2))
    incremental = zones.contents("core.dim_tenant", "core.fact_events")
    zones.build(*CORE, "--full-refresh")
    assert zones.contents("core.dim_tenant", "core.fact_events") == incremental
    labels = zones.rows("select tenant_label from core.dim_tenant where tenant_id = %s", NEW_YORK)
    assert labels == [("Kiwis",)]


def test_what_a_person_says_is_checked_and_kept(zones: HandMade) -> None:
    with zones.warehouse.connect() as conn:
        with pytest.raises(NotAZone, match="'Mars/Olympus' is no IANA time zone"):
            state(conn, NEW_YORK, "Mars/Olympus", None)
        state(conn, NEW_YORK, "Europe/Amsterdam", None)
        state(conn, NEW_YORK, None, "Bikes")
    said = "select timezone, tenant_label from ops.tenant_statements where origin = 'person'"
    assert zones.rows(said) == [("Europe/Amsterdam", "Bikes")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody", "--timezone", "UTC"], "'nobody' is no tenant"),
        ([SHOP], "--timezone, --label, or both"),
    ],
)
def test_the_command_says_what_is_missing(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["tenant", "set", *arguments])
    assert result.exit_code == 1 and said in result.output
