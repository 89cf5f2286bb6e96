"""A store that is prepared again: it waits for no reader, and one made long ago is brought along."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.errors import UniqueViolation

from app.preparation import prepare
from ingestion.storing.key_table import recent_of
from tallyhouse.database import Warehouse
from tests.python.ingestion.conftest import OTHER_TENANT, Loading, line

RELATIONS = """
    select table_schema, table_name from information_schema.tables
    where table_schema in ('ops', 'ml', 'governance') or table_schema like 'raw\\_%'
"""
TABLES = """
    select schemaname, tablename from pg_tables
    where schemaname = 'ops' or schemaname like 'raw\\_%'
"""
SHAPE = """
    select table_schema, table_name, column_name, data_type, is_nullable, view_definition
    from information_schema.columns left join information_schema.views
        using (table_schema, table_name)
    where table_schema = 'ops' or table_schema like 'raw\\_%'
    order by 1, 2, 3
"""
KEY_TABLES = (
    "raw_events.event_keys", "raw_stripe.event_keys",
    "raw_revenuecat.event_keys", "raw_cdc.change_keys",
)  # fmt: skip
BEFORE = """
    drop view ops.source_reconciliation;
    alter table ops.load_manifest drop column withdrawn_count, drop column event_dates;
    create view ops.source_reconciliation as select 'events' as source_kind;
    alter table raw_cdc.folded_tables drop column newest_instant;
    alter table ops.schema_drift drop column schema_name, drop column first_file, drop column first_line,
        drop column last_file, drop column last_line, drop column first_seen_at, drop column last_seen_at,
        drop column settled_at;
""" + "".join(
    f"insert into {name} table {name}_recent; drop table {name}_recent;"
    f"alter table {name} add column chunk integer not null default 1;"
    f"alter table {name} alter column chunk drop default;"
    for name in KEY_TABLES
)


def impatient(warehouse: Warehouse) -> Warehouse:
    """The same store, reached by connections that wait for no lock long."""
    options = {"options": "-c lock_timeout=2s"}
    return replace(warehouse, parameters={**warehouse.parameters, **options})


def test_a_long_query_stops_no_preparation(fresh_database: Callable[..., Warehouse]) -> None:
    warehouse = fresh_database("schema", prepared=True)
    with warehouse.connect() as reader:
        names = reader.execute(RELATIONS).fetchall()
        assert {("ops", "load_manifest"), ("raw_cdc", "folded_tables")} <= set(names)
        for name in names:
            reader.execute(sql.SQL("select from {} limit 1").format(sql.Identifier(*name)))
        prepare(impatient(warehouse))


def test_a_load_at_work_stops_no_preparation(fresh_database: Callable[..., Warehouse]) -> None:
    """Its transaction holds what it writes until a file's end, which may be far."""
    warehouse = fresh_database("schema", prepared=True)
    with warehouse.connect() as loader:
        names = loader.execute(TABLES).fetchall()
        assert {("ops", "load_touched"), ("raw_cdc", "changes")} <= set(names)
        for name in names:
            lock = "lock table {} in row exclusive mode"  # that of every insert, update, delete
            loader.execute(sql.SQL(lock).format(sql.Identifier(*name)))
        prepare(impatient(warehouse))


def test_every_index_is_made(fresh_database: Callable[..., Warehouse]) -> None:
    with fresh_database("schema", prepared=True).connect() as conn:
        found = conn.execute(
            "select indexrelid::regclass::text, indisunique, pg_get_expr(indpred, indrelid)"
            " from pg_index where indexrelid::regclass::text ~ '_(content|load|key)$'"
            " and not indisprimary order by 1"
        ).fetchall()
    indexes = {name: (is_unique, only) for name, is_unique, only in found}
    assert indexes["ops.load_manifest_content"] == (True, "(superseded_by IS NULL)")
    for name in ("ops.load_touched_load", "raw_cdc.changes_key", "raw_cdc.changes_load"):
        assert indexes[name] == (False, None)


def test_a_store_of_before_is_brought_along_and_loads_on(
    fresh_database: Callable[..., Warehouse], tmp_path: Path
) -> None:
    loading = Loading(fresh_database("schema", prepared=True), tmp_path)
    loading.put("events/upcoach/a.jsonl", [line(1), line(2, tenant_id=OTHER_TENANT)])
    assert loading.load().stored == 2
    now = loading.rows(SHAPE)
    with loading.warehouse.connect() as conn:
        conn.execute(BEFORE.encode())
    prepare(loading.warehouse)
    assert loading.rows(SHAPE) == now
    loading.put("events/upcoach/b.jsonl", [line(2, tenant_id=OTHER_TENANT), line(3)])
    report = loading.load()
    assert (report.stored, report.duplicates) == (1, 1)
    loading.put("events/upcoach/c.jsonl", [line(1), line(3), line(4, tenant_id=OTHER_TENANT)])
    report = loading.load()
    assert (report.stored, report.duplicates) == (1, 2)


def test_no_key_table_takes_a_key_twice(fresh_database: Callable[..., Warehouse]) -> None:
    row = "select gen_random_uuid(), date '2026-03-01', 0, 0, bytea ''"
    with fresh_database("schema", prepared=True).connect() as conn:
        for name in (*KEY_TABLES, *map(recent_of, KEY_TABLES)):
            conn.execute(f"insert into {name} {row}".encode())
            with pytest.raises(UniqueViolation), conn.transaction():
                conn.execute(f"insert into {name} select * from only {name}".encode())
        for name in KEY_TABLES:
            assert conn.execute(f"select count(*) from {name}".encode()).fetchone() == (2,)
