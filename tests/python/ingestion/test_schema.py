"""A store that is prepared again: it waits for no reader, and one made long ago is brought along."""

from collections.abc import Callable
from dataclasses import replace

from psycopg import sql

from tallyhouse.database import Warehouse

RELATIONS = """
    select table_schema, table_name from information_schema.tables
    where table_schema in ('ops', 'ml', 'governance') or table_schema like 'raw\\_%'
"""
SHAPE = """
    select table_schema, table_name, column_name, data_type, is_nullable, view_definition
    from information_schema.columns left join information_schema.views
        using (table_schema, table_name)
    where table_schema = 'ops' or table_schema like 'raw\\_%'
    order by 1, 2, 3
"""


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
        impatient(warehouse).prepare()


def test_a_store_of_before_is_brought_along(fresh_database: Callable[..., Warehouse]) -> None:
    warehouse = fresh_database("schema", prepared=True)
    with warehouse.connect() as conn:
        now = conn.execute(SHAPE).fetchall()
        conn.execute("alter table raw_cdc.folded_tables drop column newest_instant")
        conn.execute("drop view ops.source_reconciliation")
        conn.execute(
            "alter table ops.load_manifest drop column withdrawn_count, drop column event_dates"
        )
        conn.execute("create view ops.source_reconciliation as select 'events' as source_kind")
    warehouse.prepare()
    with warehouse.connect() as conn:
        assert conn.execute(SHAPE).fetchall() == now
