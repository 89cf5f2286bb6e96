"""Many plain rows of one table at once: their columns judged, their images as text and as Arrow.

Belongs here: what becomes of each type of column. Does not belong here: the envelope and identity of
a change (`bulk`), any rule that `plan` and `types` do not have.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.cdc.bulk_struct import base_type, key_decoder, row_decoder, stored_row
from ingestion.cdc.placeholder import PLACEHOLDERS
from ingestion.cdc.plan import TENANT_ID, USER_ID, TablePlan
from ingestion.cdc.types import decoder
from ingestion.identity import UUID_TEXT, identity_prefix
from ingestion.times import MARKS, USUAL

BYTES_16 = pa.binary(16)
INSTANT = pa.timestamp("us", tz="UTC")
ARROW: dict[str, pa.DataType] = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "text": pa.string(),
    "uuid": BYTES_16, "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
    "timestamptz": INSTANT, "double precision": pa.float64(), "numeric": pa.string(),
}  # fmt: skip
# Their JSON is stored as it comes: the struct's types and the Arrow type say that it is sound.
_AS_THEY_ARE = frozenset(
    {"smallint", "integer", "bigint", "text", "uuid", "boolean", "double precision"}
)
_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999
_REMEMBERED = 30_000
_encode = msgspec.json.encode
_fields = msgspec.structs.astuple

# What a value that cannot be read in bulk raises.
ODD = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, pa.ArrowException)


class Images(NamedTuple):
    """Rows of one table: image i as JSON text, and its columns with the ids of tenant and user."""

    texts: list[bytes]
    columns: pa.Table


class _Memory(dict[Any, Any]):
    """What a function made of values before."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__({None: None})
        self._make = make

    def __missing__(self, value: Any) -> Any:
        if len(self) > _REMEMBERED:
            self.clear()
            self[None] = None
        found = self[value] = self._make(value)
        return found


class Known:
    """What the tables of one product have in common; `plan` may be that of any of them."""

    def __init__(self, plan: TablePlan) -> None:
        self._plan = plan
        self.uuids = _Memory(uuid_bytes)
        self.people = _Memory(self._person)

    def _person(self, pair: tuple[Any, Any]) -> tuple[Any, ...]:
        """The ids of a tenant and a user, as text and as bytes."""
        tenant, user = pair
        tenant_id = None if tenant is None else self._plan.tenant_of(tenant)
        user_id = None
        if user is not None:
            user_id = self._plan.user_of(user, tenant_id or self._plan.default_tenant)
        return (
            tenant_id, user_id, tenant_id and uuid_bytes(tenant_id), user_id and uuid_bytes(user_id)
        )  # fmt: skip


class _Column(NamedTuple):
    name: str
    base: str
    decode: Callable[[Any], Any]
    personal: str | None
    is_key: bool

    @property
    def is_stored_as_it_comes(self) -> bool:
        return self.base in _AS_THEY_ARE and self.personal is None


class BulkTable:
    """One declared table with plain columns, see `bulk_struct.is_plain`."""

    def __init__(self, plan: TablePlan, known: "Known") -> None:
        assert plan.table is not None
        self.plan, self.name = plan, plan.name
        # what has taken in the beginning of an identity within this table
        self.blank = blake2b(identity_prefix(plan.product, plan.name), digest_size=16)
        columns = plan.table.columns
        self._columns = [
            _Column(name, base_type(c.type), _decoder(c), c.personal, name in plan.primary_key)
            for name, c in columns.items()
        ]
        self._known = known
        places = list(columns)
        self._tenant = places.index(plan.table.tenant) if plan.table.tenant else None
        self._user = places.index(plan.table.user) if plan.table.user else None
        self._is_stored_as_it_comes = all(c.is_stored_as_it_comes for c in self._columns) and (
            self._tenant is self._user is None
        )
        self._stored = stored_row(plan.table, TENANT_ID, USER_ID)
        self.decode_row = row_decoder(plan.table)
        self.decode_key = key_decoder(plan.table)
        key = [self._columns[places.index(name)] for name in sorted(plan.primary_key)]
        self._key_fields = [f"c{places.index(column.name)}" for column in key]
        self._key_changes = [
            (f"c{n}", column)
            for n, column in enumerate(key)
            if column.base == "uuid" or not column.is_stored_as_it_comes
        ]
        nulls = _encode({column.name: None for column in key})
        self._key_type = type(self.decode_key(msgspec.Raw(nulls)))

    def key_of_row(self, row: Any) -> Any:
        return self._key_type(*[getattr(row, field) for field in self._key_fields])

    def key_text(self, key: Any) -> bytes:
        """A key as it is stored: by name, decoded, tokens for what is personal."""
        for field, column in self._key_changes:
            value = getattr(key, field)
            if value is not None:
                value = column.decode(value)
                if column.personal == "token":
                    value = self.plan.token(self.plan.default_tenant, value)
                setattr(key, field, value)
        return _encode(key)

    def images(self, rows: Sequence[Any]) -> Images:
        """Raises one of ODD when any value asks for judgement."""
        listed: list[Any] = list(zip(*map(_fields, rows), strict=True))
        listed = listed or [()] * len(self._columns)
        for place, column in enumerate(self._columns):
            if column.base not in _AS_THEY_ARE:
                listed[place] = _decoded(listed[place], column)
        people = self._ids(listed, len(rows))
        arrays = [self._array(v, c.base) for v, c in zip(listed, self._columns, strict=True)]
        for place, column in enumerate(self._columns):
            if column.personal:
                listed[place] = self._hidden(listed[place], column, people)
                arrays[place] = pa.array(listed[place], ARROW[column.base])
        tenants, users, tenant_bytes, user_bytes = people
        stored = rows if self._is_stored_as_it_comes else map(self._stored, *listed, tenants, users)
        arrays += [pa.array(tenant_bytes, BYTES_16), pa.array(user_bytes, BYTES_16)]
        names = [*(column.name for column in self._columns), TENANT_ID, USER_ID]
        return Images(list(map(_encode, stored)), pa.Table.from_arrays(arrays, names=names))

    def _ids(self, listed: Sequence[Sequence[Any]], count: int) -> tuple[Sequence[Any], ...]:
        """The ids of the rows' tenants and users, as text and as bytes."""
        nobody = [None] * count
        tenants = nobody if self._tenant is None else listed[self._tenant]
        users = nobody if self._user is None else listed[self._user]
        known = self._known.people
        found = [known[pair] for pair in zip(tenants, users, strict=True)]
        return tuple(zip(*found, strict=True)) if found else ((), (), (), ())

    def _hidden(
        self, values: Sequence[Any], column: _Column, people: tuple[Sequence[Any], ...]
    ) -> list[Any]:
        """A personal column as the contract says."""
        if column.personal == "drop":
            return [None] * len(values)
        own, token = self.plan.default_tenant, self.plan.token
        return [
            None if v is None else token(own if column.is_key else tenant or own, v)
            for v, tenant in zip(values, people[0], strict=True)
        ]

    def _array(self, values: Sequence[Any], base: str) -> pa.Array:
        """A column's values; raises for one that is not what it seems."""
        kind = ARROW[base]
        if base == "uuid":
            known = self._known.uuids
            return pa.array([known[value] for value in values], kind)
        if base == "double precision":
            return pc.add(pa.array(values, kind), 0.0)  # JSON numbers in the database have no -0
        if not pa.types.is_temporal(kind):
            found = pa.array(values, kind)
            if base == "text" and _holds_odd_text(found):
                raise ValueError("a value that was not sent, or NUL")
            return found
        found = pa.array(values, pa.string()).cast(kind)
        if base != "date":
            edges = pc.min_max(found.cast(pa.int64())).as_py()
            if edges["min"] is not None and (edges["min"] < _FIRST or edges["max"] > _LAST):
                raise ValueError("a year that Python does not know")
        return found


def uuid_bytes(text: str) -> bytes:
    """The bytes of a UUID in its usual spelling; raises ValueError for any other."""
    if not UUID_TEXT.match(text) or text in PLACEHOLDERS or text.lower() != text:
        raise ValueError("not a UUID in its usual spelling")
    return bytes.fromhex(text.replace("-", ""))


def _holds_odd_text(texts: pa.Array) -> bool:
    not_sent = pa.array(sorted(PLACEHOLDERS), pa.string())
    return bool(
        pc.any(pc.is_in(texts, value_set=not_sent)).as_py()
        or pc.any(pc.match_substring(texts, "\0")).as_py()
    )


def _decoder(column: Any) -> Callable[[Any], Any]:
    """A column's decoder that refuses what only a closer look can tell from a value."""
    decode = decoder(column)
    if base_type(column.type) == "uuid":
        return _usual_uuid

    def run(value: Any) -> Any:
        if value in PLACEHOLDERS:
            raise ValueError("a value that was not sent")
        return decode(value)

    return _Memory(run).__getitem__ if base_type(column.type) in ("date", "numeric") else run


def _usual_uuid(text: str) -> str:
    uuid_bytes(text)
    return text


def _decoded(values: Sequence[Any], column: _Column) -> list[Any]:
    decode = column.decode
    if column.base != "timestamptz":
        return [None if value is None else decode(value) for value in values]
    return [  # whether the usual text is a time at all is seen when it becomes one
        value
        if value is None
        or (
            type(value) is str
            and value[-1:] == "Z"
            and value[10:11] == "T"
            and value[4:20:3] in MARKS
            and len(value) in USUAL
        )
        else decode(value)
        for value in values
    ]
