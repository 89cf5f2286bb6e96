"""Follows a contract that changed: stored changes are decoded by it again.

Nothing already loaded is lost (rule 57): a column declared now is found in what was kept aside, one
no longer declared goes there. Belongs here: that second decoding. Does not belong here: the first
(`table_decoder`), the tables' new form (`tables`), folding them anew (`source`).
"""

from collections.abc import Mapping
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row

from ingestion.cdc.decode.table_decoder import TENANT_ID, USER_ID, TableDecoder
from ingestion.cdc.scd.tables import FoldTarget
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.identity import record_key
from ingestion.values.json_lines import encode

NUMBERS = ("smallint", "integer", "bigint", "numeric", "real", "double precision")
_CHUNK = 20_000


def decode_again(
    conn: psycopg.Connection[Any], target: FoldTarget, tokeniser: Tokeniser, load_id: int
) -> None:
    """Give the changes stored before this load the form of the table's present contract."""
    row = conn.execute(
        "select column_types from raw_cdc.folded_tables where product = %s and table_name = %s",
        [target.product, target.name],
    ).fetchone()
    former: dict[str, str] = row[0] if row else {}
    plan = TableDecoder(target.product, target.name, target.table, tokeniser)
    _decode(conn, target, plan, former, load_id)


def _decode(
    conn: psycopg.Connection[Any], target: FoldTarget, plan: TableDecoder,
    former: Mapping[str, str], load_id: int,
) -> None:  # fmt: skip
    conn.execute(
        "create temp table decoded (event_date date, stream_file text, stream_offset bigint,"
        " content_hash bytea, key jsonb, key_hash uuid, after jsonb, extra jsonb,"
        " unavailable text[]) on commit drop"
    )
    with conn.cursor("stored_changes", row_factory=dict_row) as stored:
        stored.execute(
            "select event_date, op, stream_file, stream_offset, content_hash, key, key_hash,"
            " cast(after as text) as after, extra, unavailable from raw_cdc.changes"
            " where product = %s and table_name = %s and load_id <> %s",
            [target.product, target.name, load_id],
        )
        stored.itersize = _CHUNK
        while rows := stored.fetchmany(_CHUNK):
            with conn.cursor().copy("copy decoded from stdin") as copy:
                for row in rows:
                    copy.write_row(_again(plan, former, row))
    conn.execute(
        """
        update raw_cdc.changes
        set key = decoded.key, key_hash = decoded.key_hash, after = decoded.after,
            extra = decoded.extra, unavailable = decoded.unavailable
        from decoded
        where changes.event_date = decoded.event_date and changes.product = %s
            and changes.table_name = %s and changes.content_hash = decoded.content_hash
            and changes.stream_file = decoded.stream_file
            and changes.stream_offset = decoded.stream_offset
        """,
        [target.product, target.name],
    )
    conn.execute("drop table decoded")


def _again(
    plan: TableDecoder, former: Mapping[str, str], row: Mapping[str, Any]
) -> tuple[Any, ...]:
    """One change by the new contract. Values keep the form they have where the type is the same."""
    values: dict[str, Any] = orjson.loads(row["after"])
    for own in (TENANT_ID, USER_ID):
        values.pop(own, None)
    unavailable = [name for name in row["unavailable"] or () if not name.startswith("_")]
    held = {**values, **(row["extra"] or {})}
    kept = {
        name: value
        for name, value in held.items()
        if name in values and _same_form(plan, former, name)
    }
    decoded = plan.decode_again(held, kept, unavailable) if row["op"] in "cru" else None
    key = plan.decode_key(row["key"]) if row["key"] else None
    if key is None and plan.primary_key and decoded is not None:
        key = {name: decoded.values.get(name) for name in plan.primary_key}
    key = key or row["key"]
    key_text = None if key is None else encode(key)
    return (
        row["event_date"], row["stream_file"], row["stream_offset"], row["content_hash"], key_text,
        row["key_hash"] if key_text is None else record_key(plan.product, plan.name, key_text),
        "{}" if decoded is None else orjson.dumps(decoded.values).decode(),
        encode(decoded.extra) if decoded is not None and decoded.extra else None,
        (decoded.unavailable or None) if decoded is not None else None,
    )  # fmt: skip


def _same_form(plan: TableDecoder, former: Mapping[str, str], name: str) -> bool:
    """Whether a decoded value can stay: its type is as before, or it goes from number to number."""
    assert plan.table is not None
    column = plan.table.columns.get(name)
    before = former.get(name)
    if column is None or before is None:
        return False
    return column.type == before or (before.startswith(NUMBERS) and column.type == "numeric")
