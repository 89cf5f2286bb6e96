"""Closes the current rows of keys that changed, and tells which keys had one.

Belongs here: one statement over the keys of a load. Does not belong here: the versions that follow
(`write`), when a current row ends (`versions`).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from ingestion.cdc.names import TENANT_ID, USER_ID
from ingestion.cdc.scd.fast.versions import Flags, Versions
from ingestion.cdc.scd.tables import SYSTEM_COLUMNS, FoldTarget, names
from ingestion.values.arrow import BYTES_16, INSTANT, bytes_16
from ingestion.values.postgres_copy import copy_table

_FORMER = np.dtype([
    ("place", ">i4"), ("has_tenant", "u1"), ("tenant", "V16"), ("has_user", "u1"), ("user", "V16"),
])  # fmt: skip
_FOLDING = (
    "create temp table folding (_place integer, _key uuid, _valid_to timestamptz,"
    " _is_deleted boolean) on commit drop"
)
# Names begin with _ because the contract's columns stand beside them. What comes back is one value,
# for a client takes many rows one by one; nobody is 17 bytes of nothing.
_CLOSE = """
with gone as (
    delete from {current} as current
    using folding
    where current._key = folding._key
    returning {columns}, folding._valid_to, folding._is_deleted, folding._place
),
closing as (
    insert into {closed} ({names}, _valid_to, _is_deleted)
    select {names}, _valid_to, _is_deleted from gone
)
select
    string_agg(
        int4send(_place)
        || coalesce('\\x01'::bytea || uuid_send({tenant}), {nobody})
        || coalesce('\\x01'::bytea || uuid_send({user}), {nobody}),
        ''::bytea
    )
from gone
"""


@dataclass(frozen=True)
class FormerRows:
    """The current rows that the changed keys had: whether, by number of the key; and whose."""

    is_held: Flags
    tenants: pa.Array
    users: pa.Array


def close_current(
    conn: psycopg.Connection[Any], target: FoldTarget, keys: pa.Array, if_current: Versions
) -> FormerRows:
    """Turn the keys' current rows, where they have one, into closed versions. `if_current` says when
    each ends; all began before."""
    conn.execute("drop table if exists folding")
    conn.execute(_FOLDING)
    folding = pa.table({
        "_place": pa.array(np.arange(len(keys), dtype=np.int32)),
        "_key": keys,
        "_valid_to": pa.array(if_current.former_to).cast(INSTANT),
        "_is_deleted": pa.array(if_current.former_is_deleted),
    })  # fmt: skip
    copy_table(conn, sql.Identifier("folding"), folding)
    conn.execute("analyze folding")
    columns = [*SYSTEM_COLUMNS, *target.typed_columns()]
    statement = sql.SQL(_CLOSE).format(
        current=target.current, closed=target.closed, columns=names(columns, "current"),
        names=names(columns), nobody=sql.Literal(bytes(17)), tenant=sql.Identifier(TENANT_ID),
        user=sql.Identifier(USER_ID),
    )  # fmt: skip
    found = conn.cursor(binary=True).execute(statement).fetchone()
    rows = np.frombuffer((found and found[0]) or b"", _FORMER)
    is_held = np.zeros(len(keys), np.bool_)
    is_held[rows["place"]] = True
    return FormerRows(
        is_held,
        tenants=_ids(rows["tenant"], rows["has_tenant"]),
        users=_ids(rows["user"], rows["has_user"]),
    )


def _ids(raw: np.ndarray[Any, Any], is_known: np.ndarray[Any, Any]) -> pa.Array:
    known = pa.array(is_known.astype(np.bool_))
    return pc.if_else(known, bytes_16(raw.tobytes()), pa.scalar(None, BYTES_16))
