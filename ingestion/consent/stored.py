"""Follows answers that came later than the events that they are about, so that no order of loading matters.

Somebody turns out to have refused: their events of then leave the raw table and the lake, and are counted. Somebody
turns out to have agreed: the loads that hold uncounted events of those days are to be read again (`ingestion.load`
does). Belongs here: both, in the open transaction. Does not belong here: answers (`answers`).
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import NamedTuple

import psycopg

from ingestion.cdc.contract import CdcContract
from ingestion.consent import kept
from ingestion.consent.answers import fold
from ingestion.values.identity import record_key

NO_CONSENT = "no_consent"
_AT_ONCE = 10_000
# What differs between the refusals until now and those of now: refused anew, and given since.
_PIECES = """
create temporary table {name} on commit drop as
select more.product, more.tenant_id, more.user_id,
    lower(piece) as from_at, upper(piece) as until_at
from {more} as more
left join {less} as less using (product, tenant_id, user_id)
cross join unnest(more.refused - coalesce(less.refused, '{{}}'::tstzmultirange)) as piece
"""
_EXCHANGE = """
insert into ops.consent_refusals select * from refusals_now
"""
_TAKE_OUT = """
create temporary table taken_out on commit drop as
with gone as (
    delete from raw_events.events as held
    using refused_anew as refused
    where held.product = refused.product and held.tenant_id = refused.tenant_id
        and held.user_id = refused.user_id
        and held.occurred_at >= refused.from_at and held.occurred_at < refused.until_at
        and held.event_date >= %(since)s
    returning held.event_date, held.load_id, held.product, held.tenant_id, held.source, held.event_id
)
select * from gone
"""
_COUNTED = """
with loads as (select load_id, count(*) as record_count from taken_out group by load_id),
ledger as (
    update ops.load_manifest as held set withdrawn_count = withdrawn_count + loads.record_count
    from loads where held.load_id = loads.load_id
    returning held.load_id, held.source_kind, held.source_name, loads.record_count
)
insert into ops.withheld_records as held (load_id, source_kind, source_name, reason_code, record_count)
select load_id, source_kind, source_name, %(reason)s, record_count from ledger
on conflict (load_id, reason_code) do update set record_count = held.record_count + excluded.record_count
"""
_TOUCHED = """
insert into ops.load_touched (load_id, source_kind, product, entity_type, tenant_id, touched_on)
select distinct %(load_id)s::bigint, 'events', product, 'tenant_day', tenant_id, event_date from taken_out
"""
# A load that was read again since is known by the one that took its place.
_REREADS = """
insert into ops.consent_rereads
select distinct loads.load_id
from given
inner join ops.load_manifest as loads
    on loads.source_kind = 'events' and loads.source_name = given.product and loads.superseded_by is null
inner join raw_events.event_keys as keys
    on keys.load_id = loads.load_id
    and keys.event_date between cast(given.from_at at time zone 'UTC' as date)
        and cast(given.until_at at time zone 'UTC' as date)
inner join raw_events.withheld_keys as withheld on keys.key = withheld.key
on conflict do nothing
"""


class TakenOut(NamedTuple):
    """Stored events that left, and their days."""

    rows: int = 0
    days: frozenset[date] = frozenset()
    kept_rows: int = 0  # of days whose events are gone, in models

    @property
    def notes(self) -> list[str]:
        """A sentence about each, where there are any."""
        told = []
        if self.rows:
            were = "1 stored event was" if self.rows == 1 else f"{self.rows:,} stored events were"
            told.append(
                f"{were} taken out and counted: the people had not consented then"
                f" ({NO_CONSENT} in ops.withheld_records)."
            )
        if self.kept_rows:
            those = "1 row" if self.kept_rows == 1 else f"{self.kept_rows:,} rows"
            told.append(
                f"{those} that marts keep of days whose events are gone went, too: the people had not consented then."
            )
        return told


def follow(
    conn: psycopg.Connection, contracts: Iterable[CdcContract], next_load_id: Callable[[], int]
) -> TakenOut:
    """Bring what is stored to what people have answered by now."""
    fold(conn, contracts)
    differs = conn.execute(
        "select exists (select * from refusals_now except select * from ops.consent_refusals)"
        " or exists (select * from ops.consent_refusals except select * from refusals_now)"
    ).fetchone()
    if differs != (True,):
        return TakenOut()
    for name, more, less in (
        ("refused_anew", "refusals_now", "ops.consent_refusals"),
        ("given", "ops.consent_refusals", "refusals_now"),
    ):
        conn.execute(f"drop table if exists pg_temp.{name}".encode())
        conn.execute(_PIECES.format(name=name, more=more, less=less).encode())
    conn.execute("delete from ops.consent_refusals")
    conn.execute(_EXCHANGE)
    if conn.execute("select exists (select from given)").fetchone() == (True,):
        conn.execute(_REREADS)
    taken_out = _take_out(conn, next_load_id)
    return taken_out._replace(kept_rows=kept.take_out(conn, next_load_id))


def _take_out(conn: psycopg.Connection, next_load_id: Callable[[], int]) -> TakenOut:
    """Take out the events of whoever refused anew."""
    since = conn.execute(
        "select min(case when from_at > '-infinity' then cast(from_at at time zone 'UTC' as date)"
        " else '0001-01-01' end) from refused_anew"
    ).fetchone()
    if since is None or since[0] is None:
        return TakenOut()
    conn.execute("drop table if exists pg_temp.taken_out")
    conn.execute(_TAKE_OUT, {"since": since[0]})
    days = conn.execute("select event_date, count(*) from taken_out group by event_date").fetchall()
    if days:
        _withhold_keys(conn)
        conn.execute(_COUNTED, {"reason": NO_CONSENT})
        conn.execute(_TOUCHED, {"load_id": next_load_id()})
    return TakenOut(sum(count for _, count in days), frozenset(day for day, _ in days))


def _withhold_keys(conn: psycopg.Connection) -> None:
    """The keys stay as those of records that were counted. An event's id is its key, or is part of it."""
    with conn.cursor(name="taken_out") as cursor:
        cursor.execute("select product, tenant_id::text, source, event_id::text from taken_out")
        while rows := cursor.fetchmany(_AT_ONCE):
            keys = [row[3] for row in rows] + [record_key(*row) for row in rows]
            conn.execute(
                "insert into raw_events.withheld_keys select known.key from unnest(%s::uuid[]) as asked (key)"
                " inner join raw_events.event_keys as known on known.key = asked.key on conflict do nothing",
                (keys,),
            )


def due_rereads(conn: psycopg.Connection) -> list[int]:
    """Loads that are to be read again, because of somebody who turned out to have agreed."""
    found = conn.execute("select load_id from ops.consent_rereads order by load_id")
    return [load_id for (load_id,) in found]


def forget_rereads(conn: psycopg.Connection) -> None:
    """They were read again, or cannot be."""
    conn.execute("delete from ops.consent_rereads")
