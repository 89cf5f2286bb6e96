"""What people answered and from when until when they refused, by the histories of the products' databases.

An answer holds until another one: a row that says nothing, or is deleted, takes no answer back. The first one holds
back to the beginning, because who was asked and refused had never agreed. Without an answer nobody refused.
Belongs here: folding histories into ops.consent_refusals, and reading these. Does not belong here: what follows from a
new answer for what is stored (`stored`).
"""

from collections.abc import Iterable

import psycopg
from psycopg import sql

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.names import TENANT_ID, USER_ID, stored_column
from ingestion.cdc.scd.tables import FoldTarget, is_made, outdated, target_of
from ingestion.consent.refusals import BEGINNING, END, Refusal, Refusals

_NOW = """
create temporary table refusals_now (
    product text, tenant_id uuid, user_id uuid, refused tstzmultirange
) on commit drop
"""
# Of a person's answers only those that differ from the one before count; each holds until the next.
_FOLD = """
insert into refusals_now
with answers as (
    select {tenant} as tenant_id, {user} as user_id, {answer} as is_given,
        valid_from, version_number, _key
    from {history}
    where {answer} is not null and {tenant} is not null
        and {user} in (select {user} from {history} where not {answer})
),
compared as (
    select *, lag(is_given) over (
        partition by tenant_id, user_id order by valid_from, version_number, _key
    ) as former
    from answers
),
changes as (
    select *, lead(valid_from, 1, 'infinity') over (
        partition by tenant_id, user_id order by valid_from, version_number, _key
    ) as valid_to
    from compared
    where former is distinct from is_given
)
select %(product)s, tenant_id, user_id,
    range_agg(tstzrange(case when former is null then '-infinity' else valid_from end, valid_to))
from changes
where not is_given and (former is null or valid_from < valid_to)
group by tenant_id, user_id
"""
_HELD = """
select held.product, held.tenant_id::text, held.user_id::text,
    case when lower(piece) > '-infinity' then cast(extract(epoch from lower(piece)) * 1000000 as bigint) end,
    case when upper(piece) < 'infinity' then cast(extract(epoch from upper(piece)) * 1000000 as bigint) end
from ops.consent_refusals as held cross join unnest(held.refused) as piece
"""


def consent_targets(contracts: Iterable[CdcContract]) -> list[FoldTarget]:
    """Tables in which a product keeps the answers of its users. Answers of people who are no users, a studio's
    clients, are about no events."""
    return [
        target_of(contract, name)
        for contract in contracts
        for name, table in contract.tables.items()
        if table.consent is not None and table.user is not None
    ]


def fold(conn: psycopg.Connection, contracts: Iterable[CdcContract]) -> None:
    """Make pg_temp.refusals_now, in the open transaction. Of a product whose contract cannot be used, or whose table
    has not followed its contract yet, everybody stands by what is known."""
    contracts = list(contracts)
    conn.execute("drop table if exists pg_temp.refusals_now")
    conn.execute(_NOW)
    waiting = {(target.product, target.name) for target in outdated(conn, contracts)}
    targets = consent_targets(contracts)
    unsettled = {target.product for target in targets if (target.product, target.name) in waiting}
    settled = {contract.product for contract in contracts} - unsettled
    conn.execute(
        "insert into refusals_now select * from ops.consent_refusals where product <> all(%s)",
        (sorted(settled),),
    )
    for target in targets:
        if target.product not in settled or not is_made(conn, target):
            continue
        table = target.table
        assert table.consent is not None
        conn.execute(
            sql.SQL(_FOLD).format(
                tenant=sql.Identifier(TENANT_ID), user=sql.Identifier(USER_ID),
                answer=sql.Identifier(stored_column(table.consent)), history=target.history,
            ),
            {"product": target.product},
        )  # fmt: skip


def held_refusals(conn: psycopg.Connection) -> Refusals:
    """The refusals by which the door goes."""
    return Refusals(
        Refusal(
            product, bytes.fromhex(tenant.replace("-", "")), bytes.fromhex(user.replace("-", "")),
            BEGINNING if from_us is None else from_us, END if until_us is None else until_us,
        )
        for product, tenant, user, from_us, until_us in conn.execute(_HELD)
    )  # fmt: skip
