"""Whom a fold touched, as the end of the statement that folds: models rebuild what these rows name.

Belongs here: that end. Does not belong here: the folds, which name their people.
"""

from psycopg import sql

from ingestion.cdc.scd.tables import FoldTarget, text

_NOTE = """
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


def note_touched(target: FoldTarget, load_id: int) -> sql.Composable:
    """Notes the table, and the tenants and users of a query `people` (_tenant_id, _user_id)."""
    return text(_NOTE).format(
        load_id=sql.Literal(load_id),
        product=sql.Literal(target.product),
        table=sql.Literal(target.relation),
        is_tenant=sql.Literal(target.table.is_tenant_table),
    )
