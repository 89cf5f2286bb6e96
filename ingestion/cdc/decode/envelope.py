"""Finds the change in a record, whichever of Debezium's envelopes it travels in.

The value is bare, `{schema, payload}`, or flattened to the row itself (with `__op`, `__deleted`, …
beside its columns); it stands alone or as `{topic, key, value}`. Belongs here: telling these apart
and naming table, operation, images and times. Does not belong here: the meaning of column values.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ingestion.cdc.decode.connectors import WITHOUT_SCHEMAS, connector_of, refusal
from ingestion.cdc.decode.position import BAD_POSITION, UNPLACED, commit_position
from ingestion.cdc.decode.table_names import Place
from ingestion.cdc.decode.times import stated_us
from ingestion.values.json_lines import decode_digits
from ingestion.values.outcomes import Ignored, Rejected

ROW_OPERATIONS = frozenset("crud")
TRUNCATE = "t"
OPERATIONS = ROW_OPERATIONS | {TRUNCATE}
_NOTHING: dict[str, Any] = {}
_OBJECT_OR_NONE = (dict, type(None))
_TRANSACTION_STATES = ("BEGIN", "END")
_HISTORY_FIELDS = ("ddl", "tableChanges")
Fields = Sequence[Mapping[str, Any]] | None
# What `add.fields` of ExtractNewRecordState can put beside a row's columns, after `__`.
_FLAT_NAMES = """
    op deleted ts_ms ts_us ts_ns version connector name db schema table collection keyspace shard snapshot
    sequence lsn txId xmin file pos row gtid server_id thread query scn commit_scn lcr_position rs_id ssn
    redo_thread user_name commit_lsn change_lsn event_serial_no ord rs lsid txnNumber wallTime vgtid
    id total_order data_collection_order
"""
_FLAT_FIELDS = frozenset(_FLAT_NAMES.split())
_FLAT_PREFIXES = ("source_", "transaction_")
_DOCS = "docs/cdc.md says what is read."


class Change(NamedTuple):
    """One operation on one row (or, for `t`, on a whole table), undecoded."""

    place: Place
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
    row_fields: Fields = None  # what the record's own schema says of the row's columns
    key_fields: Fields = None
    is_read_again: bool = False  # by an incremental snapshot, which stands where the stream has it

    @property
    def table(self) -> str:
        return self.place.table


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
    topic, key, value, partition, offset = _unpacked(record)
    if topic is not None and topic.startswith("__debezium-heartbeat"):
        raise NotAChange(Ignored("heartbeat"))
    value, row_fields = _payload(_parsed(value))
    if value is None:
        raise NotAChange(Ignored("tombstone"))
    if not isinstance(value, dict):
        raise NotAChange(Rejected("not_an_object", "The record's `value` is not a JSON object."))
    key, key_fields = _payload(_parsed(key))
    if not isinstance(key, dict):
        key = None  # a key of one value has no name to match a column by
    if "op" in value and ("source" in value or "after" in value or "before" in value):
        change = _enveloped(value, topic, key, partition, offset)
        row_fields = _fields_of_images(row_fields)
    else:
        change = _other(value, topic, key, partition, offset)
    if row_fields is None and key_fields is None:
        return change
    return change._replace(row_fields=row_fields, key_fields=key_fields)


def _unpacked(record: dict[str, Any]) -> tuple[str | None, Any, Any, int | None, int | None]:
    """Topic, key, value, partition and offset of a record; a bare value has none but itself."""
    if "topic" not in record and not ("key" in record and "value" in record):
        return None, None, record, None, None
    if "value" in record:
        value = record["value"]
    elif "payload" in record:  # as kcat writes it
        value = record["payload"]
    elif "offset" in record or "key" in record:
        raise NotAChange(
            Rejected(
                "no_value",
                "The record has a `topic` and no `value` (nor `payload`, as kcat writes it), so it"
                f" says nothing of a row. {_DOCS}",
            )
        )
    else:
        return None, None, record, None, None  # a row with a column of that name
    topic = record.get("topic")
    if topic is not None and not isinstance(topic, str):
        raise NotAChange(Rejected("bad_topic", "The record's `topic` is not a text."))
    partition = offset = None
    if "offset" in record:
        partition, offset = _whole(record.get("partition")), _whole(record["offset"])
    return topic, record.get("key"), value, partition, offset


def _fields_of_images(fields: Fields) -> Fields:
    """Of an envelope's schema, what it says of the row's columns."""
    for name in ("after", "before"):
        for field in fields or ():
            if field.get("field") == name:
                return _fields_in(field)
    return None


def _enveloped(
    value: dict[str, Any], topic: str | None, key: Any, partition: int | None, offset: int | None
) -> Change:
    get = value.get
    op = get("op")
    source, transaction = get("source") or _NOTHING, get("transaction") or None
    if not isinstance(source, dict) or not isinstance(transaction, _OBJECT_OR_NONE):
        raise NotAChange(Rejected("bad_envelope", "`source` and `transaction` must be objects."))
    connector = connector_of(source)
    if (refused := refusal(connector)) is not None:
        raise NotAChange(refused)
    if not isinstance(op, str) or op not in OPERATIONS:
        if op == "m":
            raise NotAChange(Ignored("message"))
        raise NotAChange(
            Rejected("unknown_operation", "The record's `op` is not one of c r u d t m.")
        )
    before, after = get("before"), get("after")
    if not isinstance(before, _OBJECT_OR_NONE) or not isinstance(after, _OBJECT_OR_NONE):
        raise NotAChange(Rejected("bad_envelope", "`before` and `after` must be objects or null."))
    if after is None and op in "cru":
        raise NotAChange(Rejected("bad_envelope", f"The operation {op} has no `after`."))
    field = source.get
    try:
        position = commit_position(source, transaction)
    except BAD_POSITION as error:
        raise NotAChange(
            Rejected(
                "bad_position", "The position that `source` and `transaction` state is no position."
            )
        ) from error
    received_us = _instant_us(value)
    order = None if transaction is None else _whole(transaction.get("total_order"))
    return Change(
        _place(source, topic, connector), op, key, before, after,
        position, _whole(field("lsn")), _whole(field("txId")), order,
        _instant_us(source) or received_us, received_us, partition, offset, False,
        is_read_again=field("snapshot") == "incremental",
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
    if (maker := _other_maker(value)) is not None:
        raise NotAChange(
            Rejected(
                "unknown_envelope",
                f"The record is one of {maker}, whose envelope is not read: send Debezium's. {_DOCS}",
            )
        )
    if "after" in value and ("source" in value or "before" in value):
        reason = "The record has the envelope's fields but no `op`, so nobody knows what was done."
        raise NotAChange(Rejected("no_operation", reason))
    meta: dict[str, Any] = {}
    row: dict[str, Any] = {}
    for name, item in value.items():
        if name[:2] == "__" and (name[2:] in _FLAT_FIELDS or name[2:].startswith(_FLAT_PREFIXES)):
            meta[name[2:].removeprefix("source_")] = item
        else:
            row[name] = item
    op = meta.get("op") or "u"
    if str(meta.get("deleted")).lower() == "true":
        op = "d"
    if not isinstance(op, str) or op not in ROW_OPERATIONS:
        raise NotAChange(
            Rejected("unknown_operation", "The record's `__op` is not one of c r u d.")
        )
    connector = connector_of(meta)
    try:
        position = commit_position(meta, None)
    except BAD_POSITION:
        position = UNPLACED
    instant = _instant_us(meta)
    return Change(
        _place(meta, topic, connector), op, key,
        row if op == "d" else None, None if op == "d" else row, position,
        _whole(meta.get("lsn")), _whole(meta.get("txId")), None, instant, instant,
        partition, offset, True, is_read_again=meta.get("snapshot") == "incremental",
    )  # fmt: skip


def _other_maker(value: Mapping[str, Any]) -> str | None:
    """Who else writes such a record of change data, which as a row would be a row of envelopes."""
    if isinstance(value.get("data"), dict | list):
        if {"database", "table", "type"} <= value.keys():
            return "Maxwell or Canal"
        metadata = value.get("metadata")
        if isinstance(metadata, dict) and "operation" in metadata:
            return "AWS DMS"
    return "wal2json" if isinstance(value.get("change"), list) and len(value) <= 3 else None


def _parsed(value: Any) -> Any:
    """Some consumers write key and value as text that holds JSON."""
    if isinstance(value, str) and value[:1] == "{":
        parsed = decode_digits(value.encode())
        return value if isinstance(parsed, Rejected) else parsed
    return value


def _payload(value: Any) -> tuple[Any, Fields]:
    """What stands in `{schema, payload}`, and the fields that its schema names."""
    if isinstance(value, dict) and "specversion" in value and isinstance(value.get("data"), dict):
        value = value["data"]  # a CloudEvent
    if isinstance(value, dict) and len(value) == 2 and value.keys() == {"schema", "payload"}:
        return value["payload"], _fields_in(value["schema"])
    return value, None


def _fields_in(schema: Any) -> Fields:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, list) or not all(isinstance(item, dict) for item in fields):
        return None
    return fields


def _place(source: Mapping[str, Any], topic: str | None, connector: str | None) -> Place:
    """Where the row lies: by what `source` says, else by the topic: `prefix.schema.table`, or a table alone."""
    table = source.get("table") or source.get("collection")
    schema, database = source.get("schema"), source.get("db") or source.get("keyspace")
    if not table:
        *others, table = topic.split(".") if topic else [""]
        if schema is None and database is None and len(others) > 1:
            if connector in WITHOUT_SCHEMAS:
                database = others[-1]
            else:
                schema = others[-1]
    if connector in WITHOUT_SCHEMAS:
        schema = None
    return Place(str(table), _name(schema), _name(database), connector)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _instant_us(holder: Mapping[str, Any]) -> int | None:
    return stated_us(holder.get("ts_us"), holder.get("ts_ms"))


def _whole(value: Any) -> int | None:
    return value if type(value) is int and -(1 << 63) <= value < 1 << 63 else None
