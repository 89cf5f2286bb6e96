"""A table whose changes were taken back: it is emptied, to be folded from what is left.

Belongs here: emptying, and noting whom that touches. Does not belong here: taking back
(`storing.withdrawal`), the fold that follows (`apply`).
"""

from typing import Any

import psycopg
from psycopg import sql

from ingestion.cdc.scd.progress import forget
from ingestion.cdc.scd.tables import FoldTarget, is_made, text

_EMPTY = """
with people as (
    select _tenant_id, _user_id from {current}
    union
    select _tenant_id, _user_id from {closed}
),
current as (delete from {current}),
closed as (delete from {closed})
insert into ops.load_touched
    (load_id, source_kind, product, entity_type, tenant_id, entity_id)
select {load_id}, 'cdc', {product}, 'cdc_table', null, {table}
union all
select distinct
    {load_id}, 'cdc', {product}, 'tenant', _tenant_id, cast(_tenant_id as text)
from people
where {is_tenant} and _tenant_id is not null
union all
select {load_id}, 'cdc', {product}, 'user', _tenant_id, cast(_user_id as text)
from people
where _user_id is not null
"""


def empty(conn: psycopg.Connection[Any], target: FoldTarget, load_id: int) -> None:
    """Remove current state and closed versions of a table, and forget how far it was folded."""
    if not is_made(conn, target):  # declared since
        return
    conn.execute(
        text(_EMPTY).format(
            current=target.current,
            closed=target.closed,
            load_id=sql.Literal(load_id),
            product=sql.Literal(target.product),
            table=sql.Literal(target.relation),
            is_tenant=sql.Literal(target.table.is_tenant_table),
        )
    )
    conn.execute(
        "delete from raw_cdc.resets where product = %s and table_name = %s",
        [target.product, target.name],
    )
    forget(conn, target)
