"""Folds changes into a table's current state and its closed versions (SCD2), set by set.

The cost follows the batch, and the result depends on the set of changes alone (rules 50 to 56).
Belongs here: the SQL of that fold and the writing of what comes out. Does not belong here: which
keys are folded (`affected`), where changes without a commit position stand (`place`), the tables'
form (`tables`).
"""

from typing import Any

import psycopg
from psycopg import sql

from ingestion.cdc.affected import EVENT_OF_CHANGE, Batch, columns_with_gaps, find_affected
from ingestion.cdc.tables import FoldTarget, definitions, names, text

EVENT = (
    "_key, _op, _position, _stream_file, _stream_offset, _instant, _committed_at, _received_at,"
    " _load_id, _unavailable, _extra"
)
ORDER = "_position, _stream_file, _stream_offset"


def fold(conn: psycopg.Connection[Any], target: FoldTarget, batch: Batch) -> None:
    """Bring current state and closed versions of a table up to date with `fresh`."""
    find_affected(conn, target, batch)
    gaps = columns_with_gaps(conn, target)
    parameters = {"table": target.name, "product": target.product, "load_id": batch.load_id}
    conn.execute(_folding(target, gaps), parameters)
    _write(conn, target, batch.load_id)
    conn.execute("drop table affected, folded")


def _folding(target: FoldTarget, gaps: list[str]) -> sql.Composed:
    """The statement that makes temp table `folded`: the versions of all affected keys."""
    columns = target.typed_columns()
    return sql.SQL(
        """
        create temp table folded on commit drop as
        with late_changes as (
            select
                {event_of_change}, changes.after,
                row_number() over (
                    partition by changes.key_hash, changes.is_placed, changes.content_hash
                    order by changes.stream_file, changes.stream_offset
                ) as sighting
            from raw_cdc.changes
            inner join affected on affected._key = changes.key_hash
            where affected.is_late and changes.op <> 't'
        ),
        images as (
            select {event}, after from fresh
            where table_name = %(table)s and _op <> 't'
                and _key in (select _key from affected where not is_late)
            union all
            select {event}, after from late_changes where sighting = 1
        ),
        events as (
            select {event}, {columns}
            from images
            cross join lateral jsonb_to_record(images.after) as typed ({definitions})
            union all
            select
                current._key, 'seed', '\\x'::bytea, '', 0, current._valid_from,
                current._committed_at, current._received_at, current._load_id, null, current._extra,
                {seeds}
            from {current} as current
            inner join affected on affected._key = current._key
            where not affected.is_late
            union all
            select
                affected._key, 't', resets.position, resets.stream_file, resets.stream_offset,
                resets.committed_at, resets.committed_at, resets.committed_at, resets.load_id,
                null, null, {nulls}
            from raw_cdc.resets
            cross join affected
            where resets.product = %(product)s and resets.table_name = %(table)s
                and (affected.is_late or resets.load_id = %(load_id)s)
        ),
        known as (
            {known}
        ),
        successions as (
            select *, lag(_op) over (partition by _key order by {order}) as _former_op
            from known
        ),
        timed as (
            select
                *,
                max(_instant) over (
                    partition by _key order by {order} rows unbounded preceding
                ) as _valid_from
            from successions
            where _op not in ('d', 't') or coalesce(_former_op, 'd') not in ('d', 't')
        ),
        successive as (
            select *, lead(_valid_from) over (partition by _key order by {order}) as _next_from
            from timed
        ),
        instants as (
            select
                *,
                lead(_valid_from) over (partition by _key order by {order}) as _valid_to,
                lead(_op) over (partition by _key order by {order}) as _next_op
            from successive
            where _next_from is null or _next_from > _valid_from
        )
        select
            _key, {columns}, _extra, _valid_from, _committed_at, _received_at, _load_id,
            _valid_to, coalesce(_next_op in ('d', 't'), false) as _is_deleted
        from instants
        where _op not in ('d', 't')
        union all
        select
            _key, {nulls}, null, _valid_from, _committed_at, _received_at, _load_id,
            _valid_from, true
        from instants
        where _op in ('d', 't') and _valid_to is null
        """
    ).format(
        event_of_change=text(EVENT_OF_CHANGE),
        event=text(EVENT),
        order=text(ORDER),
        columns=names(columns),
        definitions=definitions(columns),
        seeds=names(columns, "current"),
        nulls=sql.SQL(", ").join(text(f"null::{kind}") for kind in columns.values()),
        current=target.current,
        known=_carried(list(columns), gaps),
    )


def _carried(columns: list[str], gaps: list[str]) -> sql.Composable:
    """Rule 52: where a change leaves a column out, the value known before it stays. A row's end is
    known to hold nothing, so that a later row with the same key begins empty."""
    if not gaps:
        return text("select * from events")
    counters = sql.SQL(", ").join(
        sql.SQL(
            "count(*) filter (where {} <> all(coalesce(_unavailable, '{{}}'))) over so_far as {}"
        ).format(sql.Literal(name), sql.Identifier(f"_known_{number}"))
        for number, name in enumerate(gaps)
    )
    carried = "first_value({column}) over (partition by _key, {known} order by {order}) as {column}"
    values = sql.SQL(", ").join(
        text(carried).format(
            column=sql.Identifier(name),
            known=sql.Identifier(f"_known_{gaps.index(name)}"),
            order=text(ORDER),
        )
        if name in gaps
        else sql.Identifier(name)
        for name in columns
    )
    return sql.SQL(
        "select {event}, {values} from (select *, {counters} from events window so_far as"
        " (partition by _key order by {order} rows unbounded preceding)) as counted"
    ).format(event=text(EVENT), values=values, counters=counters, order=text(ORDER))


def _write(conn: psycopg.Connection[Any], target: FoldTarget, load_id: int) -> None:
    """Replace the affected keys' rows, and log which tenants and users they concern."""
    listed = names(
        [*target.typed_columns(), "_key", "_extra", "_valid_from", "_committed_at", "_received_at",
         "_load_id"]
    )  # fmt: skip
    conn.execute(
        sql.SQL(
            """
            with ended as (
                delete from {closed} as versions using affected
                where affected.is_late and versions._key = affected._key
                returning versions._tenant_id, versions._user_id
            ),
            left_over as (
                delete from {current} as versions using affected
                where versions._key = affected._key
                returning versions._tenant_id, versions._user_id
            ),
            people as (
                select _tenant_id, _user_id from ended
                union
                select _tenant_id, _user_id from left_over
                union
                select _tenant_id, _user_id from folded
            )
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
        ).format(
            closed=target.closed, current=target.current, load_id=sql.Literal(load_id),
            product=sql.Literal(target.product),
            table=sql.Literal(f"{target.product}__{target.name}"),
            is_tenant=sql.Literal(target.table.is_tenant_table),
        )
    )  # fmt: skip
    conn.execute(
        sql.SQL(
            "insert into {closed} ({listed}, _valid_to, _is_deleted)"
            " select {listed}, _valid_to, _is_deleted from folded where _valid_to is not null"
        ).format(closed=target.closed, listed=listed)
    )
    conn.execute(
        sql.SQL(
            "insert into {current} ({listed}) select {listed} from folded where _valid_to is null"
        ).format(current=target.current, listed=listed)
    )
