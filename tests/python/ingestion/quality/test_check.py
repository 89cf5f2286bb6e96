"""What was landed is held against the suites, on a real database."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from ingestion.quality import check_landed, check_new
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


@pytest.mark.slow
def test_a_bad_batch_stays_red_until_it_is_mended_and_good_ones_are_not_seen_again(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    warehouse = fresh_database("quality", prepared=True)

    def check() -> tuple[bool, int]:
        (outcome,) = check_new(warehouse.connect, warehouse.url, tmp_path, (TABLE,))
        with warehouse.connect() as connection:
            row = connection.execute("select max(last_good_load_id) from ops.quality_marks")
            return outcome.success, (row.fetchone() or (None,))[0] or 0

    with warehouse.connect(autocommit=True) as connection:
        connection.execute(f"create table {TABLE}_all partition of {TABLE} default")
        load(connection, 1)
        insert(connection, load_id=1, **GOOD)
    assert check() == (True, 1)
    with warehouse.connect(autocommit=True) as connection:
        load(connection, 2)
        insert(connection, load_id=2, **{**GOOD, "country_code": "Netherlands"})
    assert check() == (False, 1)
    assert check() == (False, 1)
    with warehouse.connect(autocommit=True) as connection:
        connection.execute(f"update {TABLE} set country_code = 'NL' where load_id = 2")
    assert check() == (True, 2)


@pytest.mark.slow
def test_a_file_that_was_read_again_is_no_fault_and_one_read_twice_is(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    warehouse = fresh_database("quality", prepared=True)
    ledger = "ops.load_manifest"

    def fits() -> bool:
        (outcome,) = check_landed(warehouse.url, tmp_path, tables=(ledger,))
        return outcome.success

    with warehouse.connect(autocommit=True) as connection:
        for load_id in (1, 2, 3):
            connection.execute(
                f"update {ledger} set superseded_by = %s where superseded_by is null", [load_id]
            )
            load(connection, load_id, content="same")
        assert fits(), "each reading took the former's place"
        connection.execute("drop index ops.load_manifest_content")  # which refuses what follows
        connection.execute(f"update {ledger} set superseded_by = null where load_id = 2")
        assert not fits()


def load(connection: psycopg.Connection, load_id: int, content: str | None = None) -> None:
    """Enter a load in the ledger."""
    connection.execute(
        "insert into ops.load_manifest"
        " (load_id, source_kind, source_name, file_path, content_hash, size_bytes)"
        " values (%s, 'events', 'upcoach', 'f', %s, 1)",
        [load_id, content or str(load_id)],
    )


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
