"""What was landed is held against the suites, on a real database."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ingestion.quality import check_landed
from tallyhouse.database import Warehouse

TABLE = "raw_events.events"

GOOD = {
    "properties": '{"note": "fine"}',
    "country_code": "ZA",
    "ip_subnet": "10.1.2.0/24",
    "occurred_at": "2026-01-05T10:00:00Z",
}

BROKEN = {
    "an e-mail address that was not tokenised": {"properties": '{"note": "a.b@example.org"}'},
    "a country that is no ISO code": {"country_code": "Netherlands"},
    "an address that was not cut": {"ip_subnet": "10.1.2.3"},
    "a device time days after its arrival": {"occurred_at": "2026-01-09T10:00:00Z"},
}


@pytest.mark.slow
def test_good_rows_pass_and_each_kind_of_bad_row_fails(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    warehouse = fresh_database("quality", prepared=True)
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(f"create table {TABLE}_all partition of {TABLE} default")
        insert(connection, load_id=1, **GOOD)
        for load_id, change in enumerate(BROKEN.values(), start=2):
            insert(connection, load_id=load_id, **{**GOOD, **change})

    (everything,) = check_landed(warehouse.url, tmp_path, tables=(TABLE,))
    assert not everything.success
    assert len(everything.failures) == len(BROKEN)
    assert everything.page.exists()

    (newest,) = check_landed(warehouse.url, tmp_path, since_load_id=len(BROKEN), tables=(TABLE,))
    assert len(newest.failures) == 1


@pytest.mark.slow
def test_a_good_table_passes(fresh_database: Callable[..., Warehouse], tmp_path: Path) -> None:
    warehouse = fresh_database("quality", prepared=True)
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(f"create table {TABLE}_all partition of {TABLE} default")
        insert(connection, load_id=1, **GOOD)
    (outcome,) = check_landed(warehouse.url, tmp_path, tables=(TABLE,))
    assert outcome.success, outcome.failures
    assert "passed" in (tmp_path / "index.html").read_text(encoding="utf-8")


def insert(connection: psycopg.Connection, load_id: int, **values: str) -> None:
    """Insert one event that is fine but for `values`."""
    connection.execute(
        f"""
        insert into {TABLE} (
            event_date, product, source, source_event_id, event_id, tenant_id, tenant_source_id,
            event_name, occurred_at, is_time_corrected, received_at, country_code, ip_subnet,
            schema_version, properties, content_hash, load_id
        ) values (
            '2026-01-05', 'upcoach', 'native', %(id)s, gen_random_uuid(), gen_random_uuid(), 't',
            'app_opened', %(occurred_at)s, false, '2026-01-05T10:00:05Z', %(country_code)s,
            %(ip_subnet)s, 1, %(properties)s, '\\x00', %(load_id)s
        )
        """,
        {"id": str(load_id), "load_id": load_id, **values},
    )
