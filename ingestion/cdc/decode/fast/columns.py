"""Columns of plain rows: what becomes of many values of one type at once.

Belongs here: from JSON values to stored ones and to Arrow, refusing what asks for judgement. Does not
belong here: rows and their owners (`images`), any rule that `types` does not have.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.cdc.contract import Column as Declared
from ingestion.cdc.decode.decimals import DecimalForms, reads_both_ways
from ingestion.cdc.decode.fast.decoder import base_type
from ingestion.cdc.decode.placeholder import PLACEHOLDERS, is_placeholder
from ingestion.cdc.decode.table_decoder import TableDecoder, is_nobody
from ingestion.cdc.decode.times import PYTHON_RANGE_US, is_early, is_far, is_implausible
from ingestion.cdc.decode.types import decoder
from ingestion.values.arrow import BYTES_16, INSTANT
from ingestion.values.identity import UUID_TEXT
from ingestion.values.instants import has_usual_form

ARROW: dict[str, pa.DataType] = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "text": pa.string(),
    "uuid": BYTES_16, "boolean": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"),
    "timestamptz": INSTANT, "double precision": pa.float64(), "numeric": pa.string(),
    "jsonb": pa.string(), "text[]": pa.list_(pa.string()), "smallint[]": pa.list_(pa.int16()),
    "integer[]": pa.list_(pa.int32()), "bigint[]": pa.list_(pa.int64()),
}  # fmt: skip
# Their JSON is stored as it comes: the struct's types and the Arrow type say that it is sound.
AS_THEY_ARE = frozenset(
    {
        "smallint",
        "integer",
        "bigint",
        "text",
        "uuid",
        "boolean",
        "double precision",
        "text[]",
        "smallint[]",
        "integer[]",
        "bigint[]",
    }
)
WHOLE = ("smallint", "integer", "bigint")
_REMEMBERED = 30_000

# What a value that cannot be read in bulk raises.
NOT_PLAIN = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, pa.ArrowException)


class Memo(dict[Any, Any]):
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


class ProductInterners:
    """What the tables of one product have in common; `table_decoder` may be that of any of them."""

    def __init__(self, plan: TableDecoder) -> None:
        self._plan = plan
        self.forms = plan.forms
        self.uuids = Memo(usual_uuid_bytes)
        self.people = Memo(self._person)
        # ids that are a person's by their form
        self.is_keyed, self.is_persons_number = Memo(plan.is_keyed), Memo(plan.is_persons_number)
        self.is_nobody = Memo(is_nobody)

    def _person(self, pair: tuple[Any, Any]) -> tuple[Any, ...]:
        """The ids of a tenant and a user, as text and as bytes."""
        tenant, user = pair
        tenant_id = None if tenant is None else self._plan.tenant_of(tenant)
        user_id = None
        if user is not None:
            user_id = self._plan.user_of(user, tenant_id or self._plan.default_tenant)
        ids = (tenant_id, user_id)
        return (*ids, *(text and usual_uuid_bytes(text) for text in ids))


class Column(NamedTuple):
    name: str
    base: str
    decode: Callable[[Any], Any]
    personal: str | None
    is_key: bool

    @property
    def is_stored_as_it_comes(self) -> bool:
        return self.base in AS_THEY_ARE and self.personal is None


def usual_uuid_bytes(text: str) -> bytes:
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


def column_decoder(column: Declared, forms: DecimalForms) -> Callable[[Any], Any]:
    """A column's decoder that refuses what only a closer look can tell from a value."""
    decode = decoder(column, forms)
    if base_type(column.type) == "uuid":
        return _usual_uuid
    is_doubtful = base_type(column.type) == "numeric" and column.encoding is None
    is_decimal, is_date = base_type(column.type) == "numeric", column.type == "date"

    def run(value: Any) -> Any:
        if value in PLACEHOLDERS:
            raise ValueError("a value that was not sent")
        if is_doubtful and type(value) is str and reads_both_ways(value):
            raise ValueError("a decimal that may be base64")
        if is_date and is_implausible("date", 6, column.encoding, value):
            raise ValueError("a date that may be counted in another unit")
        if is_decimal and type(value) is float and (abs(value) >= 1e15 or len(repr(value)) > 16):
            raise ValueError("a number that may have had more digits than a double holds")
        return decode(value)

    return Memo(run).__getitem__ if base_type(column.type) in ("date", "numeric") else run


def _usual_uuid(text: str) -> str:
    usual_uuid_bytes(text)
    return text


def decoded(values: Sequence[Any], column: Column) -> list[Any]:
    decode = column.decode
    if column.base != "timestamptz":
        return [None if value is None else decode(value) for value in values]
    return [  # whether the usual text is a time at all is seen when it becomes one
        value if value is None or (type(value) is str and has_usual_form(value)) else decode(value)
        for value in values
    ]


def column_array(values: Sequence[Any], base: str, known: ProductInterners) -> pa.Array:
    """A column's values; raises for one that is not what it seems."""
    kind = ARROW[base]
    if base == "uuid":
        return pa.array([known.uuids[value] for value in values], kind)
    if base == "double precision":
        return pc.add(pa.array(values, kind), 0.0)  # JSON numbers in the database have no -0
    if not pa.types.is_temporal(kind):
        found = pa.array(values, kind)
        texts = found.flatten() if base == "text[]" else found
        if base in ("text", "text[]") and _holds_odd_text(texts):
            raise ValueError("a value that was not sent, or NUL")
        if base.endswith("[]") and any(map(is_placeholder, values)):
            raise ValueError("an array that was not sent")
        return found
    found = pa.array(values, pa.string()).cast(kind)
    if base != "date":
        first, last = PYTHON_RANGE_US
        edges = pc.min_max(found.cast(pa.int64())).as_py()
        if edges["min"] is not None and not first <= edges["min"] <= edges["max"] <= last:
            raise ValueError("a year that Python does not know")
        micros = found.cast(pa.int64()).fill_null(0).to_numpy()
        if (is_far(micros) | is_early(micros)).any():
            raise ValueError("a time that may be counted in another unit")
    return found
