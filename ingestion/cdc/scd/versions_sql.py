"""Folds changes into a table's versions (SCD2), set by set, as temp table `versions`.

The cost follows the batch, and the result depends on the set of changes alone (rules 50 to 56).
What is sorted and carried stays narrow: a version holds its image as JSON, and only the columns
that some change left out are typed early. A snapshot's row that shows what was known begins no
version. Belongs here: the SQL of that fold. Does not belong here:
which keys are folded (`affected`), where changes without a commit position stand (`positions`), writing
the versions (`write`).
"""

from typing import Any

import psycopg
from psycopg import sql

from ingestion.cdc.scd.affected import EVENT_OF_CHANGE, Affected, Batch, columns_with_gaps
from ingestion.cdc.scd.tables import FoldTarget, definitions, names, text

EVENT = (
    "_key, _op, _position, _stream_file, _stream_offset, _instant, _received_at, _load_id,"
    " _unavailable, _extra, after"
)
ORDER = "_position, _stream_file, _stream_offset"
_LATE_CHANGES = """
select {event} from (
    select
        {event_of_change}, changes.after,
        row_number() over (
            partition by changes.key_hash, changes.is_placed, changes.content_hash
            order by changes.position desc, changes.stream_file, changes.stream_offset
        ) as sighting
    from raw_cdc.changes
    inner join affected on affected._key = changes.key_hash
    where affected.is_late and changes.op <> 't'
) as late_changes
where sighting = 1
"""
_RESETS = """
union all
select
    affected._key, 't', resets.position, resets.stream_file, resets.stream_offset,
    resets.committed_at, resets.committed_at, resets.load_id, null, null, '{{}}'::jsonb{nulls}
from raw_cdc.resets
cross join affected
where resets.product = %(product)s and resets.table_name = %(table)s
    and (affected.is_late or resets.load_id = %(load_id)s)
"""
_FORMER = "lag({}) over in_order as {}"
_SAME = " and {} is not distinct from {}"
_VERSIONS = """
create temp table versions on commit drop as
with images as (
    {images}
),
events as (
    select {event}{columns}
    from images{typed}
    union all
    select
        current._key, 'seed', '\\x'::bytea, '', 0, current._valid_from, current._received_at,
        current._load_id, null, null, null{seeds}
    from {current} as current
    inner join affected on affected._key = current._key
    where affected.is_held and not affected.is_late
    {resets}
),
known as (
    {known}
),
successions as (
    select
        *,
        lag(_op) over in_order as _former_op,
        lag(after) over in_order as _former_after,
        lag(_extra) over in_order as _former_extra{formers}
    from known
    window in_order as (partition by _key order by {order})
),
changing as (
    select
        *,
        _op = 'r'
            and coalesce(_former_op in ('c', 'r', 'u'), false)
            and jsonb_populate_record(null::{current}, after - {gaps})
                is not distinct from jsonb_populate_record(null::{current}, _former_after - {gaps})
            and _extra is not distinct from _former_extra{same} as _shows_nothing_new
    from successions
),
timed as (
    select
        *,
        max(_instant) over (
            partition by _key order by {order} rows unbounded preceding
        ) as _valid_from
    from changing
    where not _shows_nothing_new
        and (_op not in ('d', 't') or coalesce(_former_op, 'd') not in ('d', 't'))
),
successive as (
    select *, lead(_valid_from) over (partition by _key order by {order}) as _valid_to
    from timed
),
instants as (
    select *, lead(_op) over (partition by _key order by {order}) as _next_op
    from successive
    where _valid_to is null or _valid_to > _valid_from
)
select
    _key, _op, after, _extra, _valid_from, _instant as _committed_at, _received_at, _load_id,
    case when _op in ('d', 't') then _valid_from else _valid_to end as _valid_to,
    _op in ('d', 't') or coalesce(_next_op in ('d', 't'), false) as _is_deleted{columns}
from instants
where _op not in ('d', 't') or _valid_to is null
"""


def fold(conn: psycopg.Connection[Any], target: FoldTarget, batch: Batch,
         affected: Affected) -> list[str]:  # fmt: skip
    """Make temp table `versions` of all affected keys; the columns typed in it already."""
    gaps = columns_with_gaps(conn, target, affected)
    parameters = {"table": target.name, "product": target.product, "load_id": batch.load_id}
    conn.execute(_versions(target, batch, affected, gaps), parameters)
    return gaps


def _versions(
    target: FoldTarget, batch: Batch, affected: Affected, gaps: list[str]
) -> sql.Composed:
    types = target.typed_columns()
    typed = {name: types[name] for name in gaps}
    columns = _more(names(gaps), gaps)
    lateral = " cross join lateral jsonb_to_record(images.after) as typed ({})"
    nulls = sql.SQL(", ").join(text(f"null::{kind}") for kind in typed.values())
    paired = (
        [sql.Identifier(n) for n in gaps],
        [sql.Identifier(f"_former_{n}") for n in range(len(gaps))],
    )
    formers = sql.SQL(", ").join(text(_FORMER).format(*pair) for pair in zip(*paired, strict=True))
    resets = text(_RESETS).format(nulls=_more(nulls, gaps))
    return text(_VERSIONS).format(
        images=_images(affected),
        event=text(EVENT),
        order=text(ORDER),
        columns=columns,
        typed=text(lateral).format(definitions(typed)) if gaps else text(""),
        seeds=_more(names(gaps, "current"), gaps),
        current=target.current,
        gaps=sql.SQL("{}::text[]").format(sql.Literal(gaps)),
        formers=_more(formers, gaps),
        same=sql.SQL("").join(text(_SAME).format(*pair) for pair in zip(*paired, strict=True)),
        resets=resets if batch.has_resets or affected.late else text(""),
        known=_carried(gaps),
    )


def _images(affected: Affected) -> sql.Composable:
    """The changes to fold; late keys take theirs from all that is stored."""
    fresh = f"select {EVENT} from fresh where table_name = %(table)s and _op <> 't'"
    if not affected.late:
        return text(fresh)
    on_time = " and _key in (select _key from affected where not is_late) union all "
    late = text(_LATE_CHANGES).format(event=text(EVENT), event_of_change=text(EVENT_OF_CHANGE))
    return sql.SQL("{}{}").format(text(fresh + on_time), late)


def _more(listed: sql.Composable, gaps: list[str]) -> sql.Composable:
    """A list to be put behind another."""
    return sql.SQL(", {}").format(listed) if gaps else text("")


def _carried(gaps: list[str]) -> sql.Composable:
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
            known=sql.Identifier(f"_known_{number}"),
            order=text(ORDER),
        )
        for number, name in enumerate(gaps)
    )
    return sql.SQL(
        "select {event}, {values} from (select *, {counters} from events window so_far as"
        " (partition by _key order by {order} rows unbounded preceding)) as counted"
    ).format(event=text(EVENT), values=values, counters=counters, order=text(ORDER))
