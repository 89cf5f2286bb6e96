"""Copies versions that were folded in columns to where they go, and says whom the load touched.

Belongs here: current state, closed versions and ops.load_touched, from arrays. Does not belong here:
making the versions (`versions`), the same from SQL (`write`).
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from struct import Struct
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql

from ingestion.cdc.names import TENANT_ID, USER_ID
from ingestion.cdc.scd.fast.close import FormerRows
from ingestion.cdc.scd.fast.versions import Ints, Versions
from ingestion.cdc.scd.tables import FoldTarget
from ingestion.values.arrow import BYTES_16, INSTANT, uuid_texts
from ingestion.values.postgres_copy import copy_table

JSON = frozenset({"_extra"})


def write_versions(
    conn: psycopg.Connection[Any], target: FoldTarget, load_id: int, changes: pa.Table,
    images: pa.Table, versions: Versions, former: FormerRows,
) -> None:  # fmt: skip
    """Add what came and ended, then what is current now; what was current is closed already."""
    images = _binary(images, target)
    closed = _rows(
        changes, images, versions.closed, versions.closed_from, load_id,
        _valid_to=versions.closed_to, _is_deleted=versions.closed_is_deleted,
    )  # fmt: skip
    ends = _rows(
        changes, images, versions.ends, versions.ends_at, load_id, _valid_to=versions.ends_at,
        _is_deleted=np.ones(len(versions.ends), np.bool_),
    )  # fmt: skip
    current = _rows(changes, images, versions.current, versions.current_from, load_id)
    json = JSON | {n for n, kind in target.typed_columns().items() if kind == "jsonb"}
    copy_table(conn, target.closed, pa.concat_tables([closed, ends]), json)
    copy_table(conn, target.current, current, json)
    ids = [TENANT_ID, USER_ID]
    owners = pa.table([former.tenants, former.users], names=ids)
    people = pa.concat_tables([owners, closed.select(ids), current.select(ids)])
    _touch(conn, target, load_id, people)


def _rows(
    changes: pa.Table, images: pa.Table, rows: Ints, valid_from: Ints, load_id: int, **more: Any
) -> pa.Table:
    """Versions as rows of the tables of the fold."""
    taken = pa.array(rows)
    own = {
        "_key": changes["key_hash"].take(taken),
        "_extra": pa.nulls(len(rows), pa.string()),
        "_valid_from": pa.array(valid_from).cast(INSTANT),
        "_committed_at": changes["committed_at"].take(taken),
        "_received_at": changes["received_at"].take(taken),
        "_load_id": pa.repeat(pa.scalar(load_id, pa.int64()), len(rows)),
    }
    table = pa.table(own)
    found = images.take(taken)
    for name in found.column_names:
        table = table.append_column(name, found[name])
    for name, values in more.items():
        array = pa.array(values)
        table = table.append_column(name, array.cast(INSTANT) if name == "_valid_to" else array)
    return table


def _binary(images: pa.Table, target: FoldTarget) -> pa.Table:
    """The images with numbers of any size in the form that a binary COPY takes."""
    for place, (name, kind) in enumerate(target.typed_columns().items()):
        if kind.startswith("numeric"):
            values = [None if v is None else numeric(v) for v in images[name].to_pylist()]
            images = images.set_column(place, name, pa.array(values, pa.binary()))
    return images


_HEAD = Struct(">hhHh").pack
_NOT_NUMBERS = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}


@lru_cache(maxsize=20_000)
def numeric(text: str) -> bytes:
    """A number as the database sends and takes it: digits to the base of 10,000."""
    if text in _NOT_NUMBERS:
        return _HEAD(0, 0, _NOT_NUMBERS[text], 0)
    sign, digits, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    whole = "".join(map(str, digits)) + "0" * max(exponent, 0)
    scale = max(-exponent, 0)
    whole, fraction = (whole[:-scale], whole[-scale:].rjust(scale, "0")) if scale else (whole, "")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    joined = whole + fraction
    groups = [int(joined[n : n + 4]) for n in range(0, len(joined), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    head = _HEAD(len(groups), weight if groups else 0, 0x4000 if sign and groups else 0, scale)
    return head + b"".join(group.to_bytes(2, "big") for group in groups)


def _touch(
    conn: psycopg.Connection[Any], target: FoldTarget, load_id: int, people: pa.Table
) -> None:
    """The table, and every tenant and user whose rows were or are in what changed."""
    found: list[tuple[str, Sequence[Any], pa.Array]] = [
        ("cdc_table", [None], pa.array([target.relation]))
    ]
    if target.table.is_tenant_table:
        tenants = people[TENANT_ID].combine_chunks().unique().drop_null()
        found.append(("tenant", tenants, uuid_texts(tenants)))
    users = (
        people.filter(people[USER_ID].is_valid())
        .group_by([TENANT_ID, USER_ID], use_threads=False)
        .aggregate([])
    )
    ids = users[USER_ID].combine_chunks()
    found.append(("user", users[TENANT_ID].combine_chunks(), uuid_texts(ids)))
    for entity_type, tenants, entities in found:
        if not (count := len(entities)):
            continue
        copy_table(
            conn,
            sql.Identifier("ops", "load_touched"),
            pa.table({
                "load_id": pa.repeat(pa.scalar(load_id, pa.int64()), count),
                "source_kind": pa.repeat(pa.scalar("cdc"), count),
                "product": pa.repeat(pa.scalar(target.product), count),
                "entity_type": pa.repeat(pa.scalar(entity_type), count),
                "tenant_id": pa.array(tenants, BYTES_16) if isinstance(tenants, list) else tenants,
                "entity_id": entities,
            }),
        )  # fmt: skip
