"""Follows a contract that changed: stored changes are decoded by it again.

Nothing already loaded is lost (rule 57): a column declared now is found in what was kept aside, where it lay sealed;
one no longer declared goes there, one of another type is read from what is stored of it. What is stored of a time or
a decimal is what the former contract made of it, and of a value that it called personal next to nothing: only
loading the files again makes them right, and the load says so. Belongs here: that second decoding. Does not
belong here: the first (`table_decoder`), the tables' new form (`tables`), folding them anew (`source`).
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row

from ingestion.cdc.contract import Column
from ingestion.cdc.decode.table_decoder import TableDecoder
from ingestion.cdc.names import TENANT_ID, USER_ID
from ingestion.cdc.scd.tables import FoldTarget, form_of
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.drift import Drift
from ingestion.values.identity import record_key
from ingestion.values.json_lines import encode

# What is judged anew when a contract changed.
REMOVED_VALUE, IMPLAUSIBLE = "removed_value", "implausible_time"
REJUDGED = (
    "undeclared_table", "undeclared_column", "undecodable_value", "missing_column", REMOVED_VALUE,
    "contract_disagrees", "unsure_decimal", "unnamed_schema", "placeholder_id",
)  # fmt: skip
# What of that is said again. A column that is declared now was not sent before, which nobody need be told.
_STILL_SO = (
    "undeclared_column", "undecodable_value", REMOVED_VALUE, "unsure_decimal", "placeholder_id", IMPLAUSIBLE,
)  # fmt: skip
_TIMES = ("date", "time", "interval")
_WHOLE = re.compile(r"-?\d{1,19}\Z", re.ASCII)
_CHUNK = 20_000


def decode_again(
    conn: psycopg.Connection[Any], target: FoldTarget, tokeniser: Tokeniser, load_id: int
) -> Drift:
    """Give the changes stored before this load the form of the table's present contract; what of them
    does not fit it."""
    row = conn.execute(
        "select column_types from raw_cdc.folded_tables where product = %s and table_name = %s",
        [target.product, target.name],
    ).fetchone()
    former: dict[str, str] = row[0] if row else {}
    plan = TableDecoder(target.product, target.name, target.table, tokeniser)
    drift = Drift()
    _decode(conn, target, _Again(plan, former, drift), load_id)
    return drift.of_kind(*_STILL_SO)


def _decode(
    conn: psycopg.Connection[Any], target: FoldTarget, again: "_Again", load_id: int
) -> None:
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
                    copy.write_row(again.row(row))
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


class _Again:
    """One table's stored changes, one by one, by the new contract."""

    def __init__(self, plan: TableDecoder, former: Mapping[str, str], drift: Drift) -> None:
        self._plan, self._drift = plan, drift
        self._kept = {
            name for name, column in plan.columns.items() if _keeps_form(former.get(name), column)
        }
        self._counts = {
            n for n, column in plan.columns.items()
            if former.get(n) == "text" and column.type.startswith(_TIMES)
        }  # fmt: skip
        self._decimals = {n for n, before in former.items() if before.startswith("numeric")}

    def row(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        plan = self._plan
        values: dict[str, Any] = orjson.loads(row["after"])
        sealed_for = values.pop(TENANT_ID, None) or plan.default_tenant
        values.pop(USER_ID, None)
        aside = plan.opened(row["extra"] or {}, sealed_for)
        unavailable = [
            name for name in row["unavailable"] or ()
            if name not in aside and name not in (TENANT_ID, USER_ID)
        ]  # fmt: skip
        kept = {name: value for name, value in values.items() if name in self._kept}
        decoded = None
        if row["op"] in "cru":
            others = {n: self._read(n, v) for n, v in values.items() if n not in kept}
            digits = self._decimals & others.keys()
            decoded = plan.decode_again(aside, others, kept, unavailable, digits, self._drift)
        former_key = plan.opened(row["key"], plan.default_tenant) if row["key"] else None
        key = plan.decode_key(former_key) if former_key else None
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

    def _read(self, name: str, value: Any) -> Any:
        """A number that was declared a text may become a time now, which counts."""
        is_count = name in self._counts and isinstance(value, str) and _WHOLE.match(value)
        return int(value) if is_count else value


def _keeps_form(before: str | None, column: Column) -> bool:
    """Whether decoded values can stay: the type is as before, or it is a number of any size."""
    if before is None or form_of(column) == before:
        return before is not None
    return column.type == "numeric" and before.split("(", 1)[0] in (
        "smallint", "integer", "bigint", "numeric", "real", "double precision",
    )  # fmt: skip
