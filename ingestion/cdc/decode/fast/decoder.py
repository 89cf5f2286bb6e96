"""A record as typed structs: the usual envelope, and a table's row and key made from its contract.

Every field is named and nothing is skipped, so that a text that decodes is JSON throughout and means
to the parser what it means here; a field more, a field less or another type does not decode.
Belongs here: the fields and JSON types of plain records. Does not belong here: what values mean.
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from ingestion.cdc.contract import TYPE, Table
from ingestion.cdc.names import stored_column

Whole = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_BITS = {"smallint": 15, "integer": 31, "bigint": 63}
_JSON_TYPES: dict[str, Any] = {
    "text": str | None,
    "uuid": str | None,
    "boolean": bool | None,
    "date": Whole | str | None,
    "timestamp": Whole | str | None,
    "timestamptz": Whole | str | None,
    "numeric": Whole | float | str | None,
    "double precision": Whole | float | None,
    "jsonb": str | None,
    "text[]": list[str | None] | None,
}
_NO_KEY = frozenset({"jsonb", "text[]", *(f"{name}[]" for name in _BITS)})


class Source(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Debezium's `source` block, as its connector for Postgres writes it."""

    lsn: Whole
    table: str
    schema: str | None = None
    db: str | None = None
    snapshot: str | bool | None = None
    sequence: str | None = None
    tx_id: Whole | None = msgspec.field(default=None, name="txId")
    ts_ms: Whole | None = None
    ts_us: Whole | None = None
    ts_ns: Whole | None = None
    xmin: Whole | None = None
    origin: str | None = None
    origin_lsn: Whole | None = None
    version: str | None = None
    connector: str | None = None
    name: str | None = None


class Transaction(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Where a change stands in its transaction."""

    total_order: Whole | None = None
    data_collection_order: Whole | None = None
    id: str | None = None


class Envelope(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A change, its image undecoded."""

    op: str
    source: Source
    before: dict[str, Any] | None = None
    after: msgspec.Raw = msgspec.Raw(b"null")
    transaction: Transaction | None = None
    ts_ms: Whole | None = None
    ts_us: Whole | None = None
    ts_ns: Whole | None = None


class Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A change with its topic and key."""

    value: Envelope
    key: msgspec.Raw
    topic: str | None = None
    partition: Whole | None = None
    offset: Whole | None = None
    headers: Any = None
    timestamp: Any = None


decode_record: Callable[[bytes], Record] = msgspec.json.Decoder(Record).decode
decode_envelope: Callable[[bytes], Envelope] = msgspec.json.Decoder(Envelope).decode


def base_type(declared: str) -> str:
    """`numeric` of numeric(12,2); an array keeps its brackets."""
    match = TYPE.match(declared)
    assert match is not None, declared
    return match[1].split("(", 1)[0] + (match[6] or "")


def is_plain(table: Table) -> bool:
    """Whether rows have keys and each column's values are of one of the types known here."""
    types = {name: base_type(column.type) for name, column in table.columns.items()}
    owners = {types[name] for name in (table.tenant, table.user) if name is not None}
    return (
        bool(table.primary_key)
        and all(map(_is_usual_name, table.columns))
        and all(base.removesuffix("[]") in _BITS or base in _JSON_TYPES for base in types.values())
        and not any(types[name] in _NO_KEY for name in table.primary_key)
        and owners <= {"text", "uuid", *_BITS}
        and not any(table.columns[name].personal for name in (table.tenant, table.user) if name)
    )


def _is_usual_name(name: str) -> bool:
    """Whether a column is stored by its own name, and JSON writes it as it is."""
    return stored_column(name) == name and name.isprintable() and not {'"', "\\"} & set(name)


def row_decoder(table: Table) -> Callable[[msgspec.Raw | bytes], Any]:
    """JSON to a struct with exactly the declared columns, in their order."""
    return _decoder(table, list(table.columns))


def key_decoder(table: Table) -> Callable[[msgspec.Raw | bytes], Any]:
    """JSON to a struct with exactly the columns of the primary key, by name, as they are stored."""
    return _decoder(table, sorted(table.primary_key))


def stored_row(table: Table, *own: str) -> Callable[..., Any]:
    """A struct of a row as it is stored; the columns of our own are left out where they are null."""
    fields = [(f"c{n}", Any) for n in range(len(table.columns))]
    mine = [(f"own{n}", Any, None) for n in range(len(own))]
    names = {f"c{n}": name for n, name in enumerate(table.columns)}
    return msgspec.defstruct(
        "Stored",
        [*fields, *mine],
        rename={**names, **{f"own{n}": name for n, name in enumerate(own)}},
        omit_defaults=True,
        gc=False,
    )


def _decoder(table: Table, names: list[str]) -> Callable[[msgspec.Raw | bytes], Any]:
    fields = [(f"c{n}", _json_type(table.columns[name].type)) for n, name in enumerate(names)]
    struct = msgspec.defstruct(
        "Columns",
        fields,
        rename={f"c{n}": name for n, name in enumerate(names)},
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(struct).decode


def _json_type(declared: str) -> Any:
    base = base_type(declared)
    bits = _BITS.get(base.removesuffix("[]"))
    if bits is None:
        return _JSON_TYPES[base]
    whole: Any = Annotated[int, msgspec.Meta(ge=-(1 << bits), le=(1 << bits) - 1)] | None
    return list[whole] | None if base.endswith("[]") else whole
