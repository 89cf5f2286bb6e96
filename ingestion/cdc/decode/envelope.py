"""Finds the change in a record, whichever of Debezium's envelopes it travels in.

The value is bare, `{schema, payload}`, or flattened to the row itself (with `__op`, `__deleted`, …
beside its columns); it stands alone or as `{topic, key, value}`. Belongs here: telling these apart
and naming table, operation, images and times. Does not belong here: the meaning of column values.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ingestion.cdc.decode.position import BAD_POSITION, UNPLACED, commit_position
from ingestion.cdc.decode.times import stated_us
from ingestion.values.json_lines import decode_exactly, decode_object
from ingestion.values.outcomes import Ignored, Rejected

ROW_OPERATIONS = frozenset("crud")
TRUNCATE = "t"
OPERATIONS = ROW_OPERATIONS | {TRUNCATE}
_NOTHING: dict[str, Any] = {}
_OBJECT_OR_NONE = (dict, type(None))
_TRANSACTION_STATES = ("BEGIN", "END")
_HISTORY_FIELDS = ("ddl", "tableChanges")


class Change(NamedTuple):
    """One operation on one row (or, for `t`, on a whole table), undecoded."""

    table: str
    schema: str | None
    op: str  # c, r, u, d, t
    key: Mapping[str, Any] | None  # the record's key, when it has one
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    position: str  # commit position in hex, see `position`
    lsn: int | None
    transaction_id: int | None
    transaction_order: int | None
    committed_us: int | None  # microseconds since 1970
    received_us: int | None
    partition: int | None
    offset: int | None
    is_flat: bool


class NotAChange(Exception):
    """The record is something else, or broken; `outcome` says what."""

    def __init__(self, outcome: Ignored | Rejected) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def read_change(record: Any) -> Change:
    """The change of one parsed line; raises NotAChange."""
    if not isinstance(record, dict):
        raise NotAChange(
            Rejected("not_an_object", "The line is not a JSON object, so it is no change.")
        )
    topic: str | None = None
    key: Any = None
    partition = offset = None
    value: Any = record
    if "value" in record and ("topic" in record or "key" in record):
        topic, key, value = record.get("topic"), record.get("key"), record["value"]
        if "offset" in record:
            partition, offset = _whole(record.get("partition")), _whole(record["offset"])
        if topic is not None:
            if not isinstance(topic, str):
                raise NotAChange(Rejected("bad_topic", "The record's `topic` is not a text."))
            if topic.startswith("__debezium-heartbeat"):
                raise NotAChange(Ignored("heartbeat"))
        if type(value) is str:
            value = _parsed(value)
    if value is None:
        raise NotAChange(Ignored("tombstone"))
    if not isinstance(value, dict):
        raise NotAChange(Rejected("not_an_object", "The record's `value` is not a JSON object."))
    if len(value) == 2:
        value = _payload(value)
        if value is None:
            raise NotAChange(Ignored("tombstone"))
        if not isinstance(value, dict):
            reason = "The record's `payload` is not a JSON object."
            raise NotAChange(Rejected("not_an_object", reason))
    if key is not None:
        key = _payload(_parsed(key))
        if not isinstance(key, dict):
            key = None  # a key of one value has no name to match a column by
    if "op" in value and ("source" in value or "after" in value or "before" in value):
        return _enveloped(value, topic, key, partition, offset)
    return _other(value, topic, key, partition, offset)


def _enveloped(
    value: dict[str, Any], topic: str | None, key: Any, partition: int | None, offset: int | None
) -> Change:
    get = value.get
    op = get("op")
    if not isinstance(op, str) or op not in OPERATIONS:
        if op == "m":
            raise NotAChange(Ignored("message"))
        raise NotAChange(
            Rejected("unknown_operation", f"The operation {str(op)[:20]!r} is unknown.")
        )
    source, transaction = get("source") or _NOTHING, get("transaction") or None
    before, after = get("before"), get("after")
    if not isinstance(source, dict) or not isinstance(transaction, _OBJECT_OR_NONE):
        raise NotAChange(Rejected("bad_envelope", "`source` and `transaction` must be objects."))
    if not isinstance(before, _OBJECT_OR_NONE) or not isinstance(after, _OBJECT_OR_NONE):
        raise NotAChange(Rejected("bad_envelope", "`before` and `after` must be objects or null."))
    if after is None and op in "cru":
        raise NotAChange(Rejected("bad_envelope", f"The operation {op} has no `after`."))
    field = source.get
    table, schema = field("table"), field("schema") or field("db")
    if not table:
        schema, table = _from_topic(topic)
    try:
        position = commit_position(source, transaction)
    except BAD_POSITION as error:
        raise NotAChange(
            Rejected("bad_position", "`source.lsn`, `sequence` or `total_order` is no position.")
        ) from error
    received_us = _instant_us(value)
    order = None if transaction is None else _whole(transaction.get("total_order"))
    return Change(
        str(table or ""), schema if isinstance(schema, str) else None, op, key, before, after,
        position, _whole(field("lsn")), _whole(field("txId")), order,
        _instant_us(source) or received_us, received_us, partition, offset, False,
    )  # fmt: skip


def _other(
    value: dict[str, Any], topic: str | None, key: Any, partition: int | None, offset: int | None
) -> Change:
    """Records without an envelope: a flattened row, or one of the connector's own notices."""
    if value.get("status") in _TRANSACTION_STATES and "id" in value and "event_count" in value:
        raise NotAChange(Ignored("transaction marker"))
    if value.keys() == {"ts_ms"}:
        raise NotAChange(Ignored("heartbeat"))
    if any(field in value for field in _HISTORY_FIELDS) and "databaseName" in value:
        raise NotAChange(Ignored("schema change"))
    if "after" in value and ("source" in value or "before" in value):
        reason = "The record has the envelope's fields but no `op`, so nobody knows what was done."
        raise NotAChange(Rejected("no_operation", reason))
    meta: dict[str, Any] = {}
    row: dict[str, Any] = {}
    for name, item in value.items():
        if name.startswith("__"):
            meta[name[2:].removeprefix("source_")] = item
        else:
            row[name] = item
    op = meta.get("op") or "u"
    if str(meta.get("deleted")).lower() == "true":
        op = "d"
    if not isinstance(op, str) or op not in ROW_OPERATIONS:
        raise NotAChange(
            Rejected("unknown_operation", f"`__op` is {str(op)[:20]!r}, not one of c r u d.")
        )
    schema, table = _from_topic(topic)
    try:
        position = commit_position(meta, None)
    except BAD_POSITION:
        position = UNPLACED
    instant = _instant_us(meta)
    return Change(
        str(meta.get("table") or table or ""), schema, op, key,
        row if op == "d" else None, None if op == "d" else row, position,
        _whole(meta.get("lsn")), _whole(meta.get("txId")), None, instant, instant,
        partition, offset, True,
    )  # fmt: skip


def _parsed(value: Any) -> Any:
    """Some consumers write key and value as text that holds JSON."""
    if isinstance(value, str) and value[:1] == "{":
        text = value.encode()
        parsed = decode_exactly(text) if b"\\u0000" in text else decode_object(text)
        return value if isinstance(parsed, Rejected) else parsed
    return value


def _payload(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"schema", "payload"}:
        return value["payload"]
    return value


def _from_topic(topic: str | None) -> tuple[str | None, str | None]:
    """`prefix.schema.table`; anything shorter names a table alone."""
    parts = topic.split(".") if topic else []
    return (parts[-2] if len(parts) > 2 else None), (parts[-1] if parts else None)


def _instant_us(holder: Mapping[str, Any]) -> int | None:
    return stated_us(holder.get("ts_us"), holder.get("ts_ms"))


def _whole(value: Any) -> int | None:
    return value if type(value) is int and -(1 << 63) <= value < 1 << 63 else None
