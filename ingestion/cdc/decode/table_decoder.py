"""How rows of one table are decoded: a contract's table turned into what the hot path needs.

Belongs here: a source's row → typed values, values nobody declared, columns the source left out,
ids of tenant and user; personal data tokenised, rounded or dropped. Does not belong here: the envelope
(`envelope`), identity and order of the change (`parser`).
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from ingestion.cdc.contract import TYPE, Column, Table
from ingestion.cdc.decode.decimals import DecimalForms, reads_both_ways
from ingestion.cdc.decode.placeholder import PLACEHOLDER, is_placeholder, may_hold_placeholder
from ingestion.cdc.decode.sent_schema import Reader, disagrees, reader, sent_as
from ingestion.cdc.decode.times import is_implausible
from ingestion.cdc.decode.types import Decoder, decoder, without_decimals
from ingestion.cdc.names import TENANT_ID, USER_ID, stored_column
from ingestion.privacy.numbers import is_forbidden_number, is_mobile
from ingestion.privacy.scrub import Scrubber, TooDeep, is_scrubbed, of_suburb
from ingestion.privacy.sealing import Unopened, is_sealed
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.drift import Drift
from ingestion.values.identity import UUID_TEXT, uuid_text
from ingestion.values.identity import is_placeholder as is_word_for_nobody
from ingestion.values.json_lines import encode

_UNDECODABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
_SURROGATES = 100_000_000  # national ids and telephone numbers are longer
_SHORTEST_OF_PEOPLE = 10**9  # what has fewer digits is a number as any other
_MAX_VARIANTS = 1_000  # schemas of one table that are remembered


def _is_surrogate(value: Any) -> bool:
    """Whether a key of a table that nobody declared is one that databases make: it is nobody's number."""
    if isinstance(value, str):
        return UUID_TEXT.match(value) is not None
    return value is None or (isinstance(value, int) and abs(value) < _SURROGATES)


def is_nobody(value: Any) -> bool:
    """Whether a decoded id identifies nobody (rule 49)."""
    return value is not None and is_word_for_nobody(value if type(value) is str else str(value))


def _jsonable(value: Any) -> Any:
    """A value that is kept as it is; a number with more digits than JSON's have is their text."""
    return format(value, "f") if isinstance(value, Decimal) else without_decimals(value)


def _counted(column: Column) -> tuple[str, int, str | None] | None:
    """What a column's numbers count, as `is_implausible` asks it; None where they are no points in time."""
    match = TYPE.match(column.type)
    assert match is not None, column.type
    base = match[1].split("(", 1)[0]
    if base not in ("date", "timestamp", "timestamptz") or match[6]:
        return None
    return base, int(match[4]) if match[4] else 6, column.encoding


def _remember(known: dict[Any, str], value: Any, found: str) -> None:
    if len(known) > 50_000:
        known.clear()
    known[value] = found


Fields = Sequence[Mapping[str, Any]] | None


class Decoded(NamedTuple):
    values: dict[str, Any]  # column → JSON value that Postgres reads as the column's type
    extra: dict[str, Any] | None  # what no column takes, sealed
    unavailable: list[str]  # columns whose earlier value stays
    tenant_id: str  # UUID text; the product's own where the row names none


class TableDecoder:
    """One per table and process. `table` is None for a table that nobody declared. Columns have the names
    they are stored by."""

    def __init__(
        self, product: str, name: str, table: Table | None, tokeniser: Tokeniser,
        forms: DecimalForms | None = None,
    ) -> None:  # fmt: skip
        self.product, self.name, self.table = product, name, table
        self.is_declared = table is not None
        self.forms = forms or DecimalForms()
        columns: dict[str, Column] = {}
        self._renamed: dict[str, str] = {}
        for source_name, column in (table.columns if table else {}).items():
            stored = stored_column(source_name)
            columns[stored] = column
            if stored != source_name:
                self._renamed[source_name] = stored
        self.columns: Mapping[str, Column] = columns
        self.primary_key = tuple(map(stored_column, table.primary_key if table else ()))
        self._tokeniser = tokeniser
        self._scrubber = Scrubber(tokeniser, product)
        self.default_tenant = uuid_text(product, "tenant", product)
        self._decoders: dict[str, Decoder] = {n: decoder(c, self.forms) for n, c in columns.items()}
        self._decimals = tuple(n for n, c in columns.items() if c.type.startswith("numeric"))
        self._times = {n: c for n, found in columns.items() if (c := _counted(found)) is not None}
        self._disagreeing: tuple[str, ...] = ()
        self._readers: dict[str, Reader] = {}  # of columns that nobody declared
        self._variants: dict[bytes, TableDecoder] = {}
        self._tokens = tuple(n for n, c in columns.items() if c.personal == "token")
        self._drops = tuple(n for n, c in columns.items() if c.personal == "drop")
        self._rounded = tuple(n for n, c in columns.items() if c.personal == "round")
        self._json = tuple(n for n, c in columns.items() if c.type == "jsonb")
        self._tenant = stored_column(table.tenant) if table and table.tenant else None
        self._user = stored_column(table.user) if table and table.user else None
        owners = [
            name for name in (self._tenant, self._user)
            if name is not None and columns[name].personal is None
        ]  # fmt: skip
        people = map(stored_column, table.ids_of_people() if table else ())
        self.identifying = tuple(map(stored_column, table.identifying() if table else ()))
        # columns that hold ids of people, which are stored only where they name nobody by their form
        self.ids_as_text = (*(name for name in owners if columns[name].type == "text"), *people)
        self.ids_as_numbers = tuple(name for name in owners if columns[name].type == "bigint")
        self._shapes: dict[tuple[str, ...], tuple[tuple[str, Decoder], ...]] = {}
        self._tenants: dict[str, str] = {}
        self._users: dict[tuple[str, str], str] = {}

    def as_sent(self, row_fields: Fields, key_fields: Fields) -> "TableDecoder":
        """The decoder of records whose own schema names these fields."""
        fields = row_fields if row_fields is not None else key_fields
        shape = orjson.dumps(fields)
        variant = self._variants.get(shape)
        if variant is None:
            if len(self._variants) >= _MAX_VARIANTS:
                self._variants.clear()
            variant = self._variants[shape] = self._variant(fields or ())
        return variant

    def _variant(self, fields: Sequence[Mapping[str, Any]]) -> "TableDecoder":
        variant = copy.copy(self)
        variant._decoders, variant._readers = dict(self._decoders), {}
        variant._shapes, variant._times = {}, dict(self._times)
        disagreeing = []
        for field in fields:
            name, sent = field.get("field"), sent_as(field)
            if not isinstance(name, str) or sent is None:
                continue
            name = self._renamed.get(name, name)
            column = self.columns.get(name)
            if column is not None:
                variant._decoders[name] = decoder(column, self.forms, sent)
                if sent.unit is not None:
                    variant._times.pop(name, None)
                if disagrees(column, sent):
                    disagreeing.append(name)
            elif (read := reader(sent)) is not None:
                variant._readers[name] = read
        variant._disagreeing = tuple(disagreeing)
        return variant

    def decode(
        self, row: Mapping[str, Any], drift: Drift,
        kept: Mapping[str, Any] = MappingProxyType({}),
    ) -> Decoded:  # fmt: skip
        """A row's image; `kept` is decoded already."""
        if self._renamed:
            row = {self._renamed.get(name, name): value for name, value in row.items()}
        extra: dict[str, Any] = {}
        unavailable: list[str] = []
        for name in self._disagreeing:
            drift[self.name, name, "contract_disagrees"] += 1
        values = None if kept else self._decode_usual(row)
        if values is None:
            values = {**kept}
            self._column_by_column(row, values, extra, unavailable, drift)
            if len(values) + len(unavailable) < len(self._decoders):
                self._note_missing(values, unavailable, drift)
        if self.forms.unsure:
            self._note_unsure(row, values, drift)
        for name, counted in self._times.items():
            if name in values and is_implausible(*counted, row.get(name)):
                drift[self.name, name, "implausible_time"] += 1
        for name in self.identifying:
            if is_nobody(values.get(name)):
                extra[name], values[name] = values[name], None
                drift[self.name, name, "placeholder_id"] += 1
        tenant_id = self._ids(values, unavailable)
        for name in self.ids_as_numbers:
            if self.is_persons_number(values.get(name)):  # a token is no number
                extra[name] = values.pop(name)
                unavailable.append(name)
                drift[self.name, name, "undecodable_value"] += 1
        self._hide(values, tenant_id)
        if not extra:
            return Decoded(values, None, unavailable, tenant_id)
        if self.is_declared:
            for name in extra:
                if name not in self._decoders:
                    drift[self.name, name, "undeclared_column"] += 1
        return Decoded(values, self._sealed(extra, tenant_id), unavailable, tenant_id)

    def _decode_usual(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The values of a row with exactly the declared columns, all sent and all sound, as nearly
        every row is; None for any other."""
        shape = tuple(row)
        decoders = self._shapes.get(shape)
        if decoders is None:
            if shape == () or self._decoders.keys() != set(shape) or len(self._shapes) > 100:
                return None
            decoders = self._shapes[shape] = tuple((n, self._decoders[n]) for n in shape)
        if may_hold_placeholder(row):
            return None
        try:
            return {
                name: None if value is None else decode(value)
                for (name, decode), value in zip(decoders, row.values(), strict=True)
            }
        except _UNDECODABLE:
            return None

    def _column_by_column(
        self, row: Mapping[str, Any], values: dict[str, Any], extra: dict[str, Any],
        unavailable: list[str], drift: Drift,
    ) -> None:  # fmt: skip
        look_closer = may_hold_placeholder(row)
        for name, value in row.items():
            if look_closer and is_placeholder(value):
                unavailable.append(name)
                continue
            decode = self._decoders.get(name)
            if decode is None:
                extra[name] = _jsonable(self._readable(name, value))
            elif value is None:
                values[name] = None
            else:
                try:
                    values[name] = decode(value)
                except _UNDECODABLE:
                    extra[name] = _jsonable(value)
                    unavailable.append(name)
                    drift[self.name, name, "undecodable_value"] += 1

    def decode_again(
        self, aside: Mapping[str, Any], decoded_before: Mapping[str, Any], kept: Mapping[str, Any],
        unavailable: Sequence[str], digits: Collection[str], drift: Drift,
    ) -> Decoded:  # fmt: skip
        """An image stored under a former contract. `aside` is what no column took, `decoded_before` was decoded
        otherwise (the columns `digits` to numbers as text), `kept` needs no decoding. A value that stayed sealed, or
        from which an earlier version took something personal, is not what the source sent."""
        row: dict[str, Any] = dict.fromkeys(unavailable, PLACEHOLDER)
        removed = {}
        for source_name, value in aside.items():
            name = self._renamed.get(source_name, source_name)
            is_token = name in self._tokens and str(value).startswith("tok_")
            is_lost = is_sealed(value) or is_scrubbed(value)
            if name in self._decoders and not is_token and is_lost:
                removed[source_name] = value
                row[name] = PLACEHOLDER
                drift[self.name, name, "removed_value"] += 1
            else:
                row[name] = value
        for name, value in decoded_before.items():
            row[name] = self._as_sent_once(name, value) if name in digits else value
        held = {**row, **kept}
        tokens = {n: v for n, v in held.items() if n in self._tokens and str(v).startswith("tok_")}
        decoded = self.decode(row, drift, kept)
        decoded.values.update(tokens)
        if removed:
            return decoded._replace(extra={**(decoded.extra or {}), **removed})
        return decoded

    def _as_sent_once(self, name: str, value: Any) -> Any:
        """A decoded number in a form that nobody takes for base64."""
        column = self.columns.get(name)
        if isinstance(value, str) and column is not None and column.type.startswith("numeric"):
            return Decimal(value)
        return value

    def _readable(self, name: str, value: Any) -> Any:
        """A value that nobody declared, so that whoever declares it later needs no schema to read it."""
        read = self._readers.get(name)
        if read is None or value is None:
            return value
        try:
            return read(value)
        except _UNDECODABLE:
            return value

    def _note_unsure(self, row: Mapping[str, Any], values: dict[str, Any], drift: Drift) -> None:
        """Decimals that could have been base64 and were taken for text, as nothing told."""
        self.forms.unsure = 0
        for name in self._decimals:
            sent = row.get(name)
            if isinstance(sent, str) and reads_both_ways(sent) and name in values:
                drift[self.name, name, "unsure_decimal"] += 1

    def _note_missing(self, values: dict[str, Any], unavailable: list[str], drift: Drift) -> None:
        """A column the source no longer sends: its earlier value stays (rule 57)."""
        for name in self._decoders:
            if name not in values and name not in unavailable:
                unavailable.append(name)
                drift[self.name, name, "missing_column"] += 1

    def _ids(self, values: dict[str, Any], unavailable: list[str]) -> str:
        tenant_id = self.default_tenant
        if self._tenant is not None:
            if self._tenant in unavailable:
                unavailable.append(TENANT_ID)
            elif (value := values[self._tenant]) is not None:
                tenant_id = values[TENANT_ID] = self.tenant_of(value)
        if self._user is not None:
            if self._user in unavailable:
                unavailable.append(USER_ID)
            elif (value := values[self._user]) is not None:
                values[USER_ID] = self.user_of(value, tenant_id)
        return tenant_id

    def tenant_of(self, value: Any) -> str:
        """The id of the tenant that a decoded value names."""
        source_id = value if type(value) is str else str(value)
        known = self._tenants.get(source_id)
        if known is None:
            known = self._new_entity("tenant", source_id, self.default_tenant)
            _remember(self._tenants, source_id, known)
        return known

    def user_of(self, value: Any, tenant_id: str) -> str:
        """The id of the user that a decoded value names, within a tenant."""
        source_id = value if type(value) is str else str(value)
        known = self._users.get((source_id, tenant_id))
        if known is None:
            known = self._new_entity("user", source_id, tenant_id)
            _remember(self._users, (source_id, tenant_id), known)
        return known

    def is_keyed(self, source_id: str) -> bool:
        """Whether the id of a tenant or a user is not stored as it is."""
        return self._tokeniser.keyed_id(self.product, self.default_tenant, source_id) != source_id

    def is_persons_number(self, value: int | None) -> bool:
        """Whether the id of a tenant or a user, sent as a number, is beyond doubt the number of a telephone, a
        card or a national id."""
        if value is None or value < _SHORTEST_OF_PEOPLE:
            return False
        return is_forbidden_number(str(value)) or is_mobile(str(value))

    def stored_id(self, name: str, value: str, tenant_id: str) -> str:
        """What is stored of a text that is the id of a person."""
        is_home = name == self._tenant or name in self.primary_key
        owner = self.default_tenant if is_home else tenant_id
        return self._tokeniser.keyed_id(self.product, owner, value)

    def token(self, tenant_id: str, value: str) -> str:
        return self._tokeniser.token(tenant_id, value)

    def _new_entity(self, kind: str, source_id: str, tenant_id: str) -> str:
        named = self._tenant if kind == "tenant" else self._user
        is_marked = named is not None and self.columns[named].personal is not None
        keyed = self._tokeniser.keyed_id(self.product, tenant_id, source_id, is_marked=is_marked)
        return uuid_text(self.product, kind, keyed)

    def _hide(self, values: dict[str, Any], tenant_id: str) -> None:
        """Personal columns as the contract says; ids of people keyed; JSON searched for what it must not hold."""
        for name in self.ids_as_text:
            value = values.get(name)
            if value is not None:
                values[name] = self.stored_id(name, value, tenant_id)
        for name in self._drops:
            if values.get(name) is not None:
                values[name] = None
        for name in self._tokens:
            value = values.get(name)
            if value is not None:
                owner = self.default_tenant if name in self.primary_key else tenant_id
                values[name] = self._tokeniser.token(owner, value)
        for name in self._rounded:
            if name in values:
                values[name] = of_suburb(values[name])
        for name in self._json:
            value = values.get(name)
            if value is not None:
                values[name] = self.scrubbed_json(name, value, tenant_id)

    def scrubbed_json(self, name: str, value: Any, tenant_id: str) -> Any:
        """Of a column of JSON, the source's own text where nothing in it had to go, so that every digit stays."""
        text = bytes(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else encode(value)
        parsed = orjson.loads(text)
        try:
            clean = self._scrubber.value(name, parsed, tenant_id)
        except TooDeep:
            return None
        return orjson.Fragment(text) if clean == parsed else clean

    def _sealed(self, extra: Mapping[str, Any], tenant_id: str) -> dict[str, Any]:
        """Values that no column takes: nobody said yet what they are."""
        seal = self._tokeniser.sealer.seal
        sealed = {}
        for source_name, value in extra.items():
            name = self._scrubber.key(source_name, tenant_id)
            is_closed = value is None or is_sealed(value)  # one that this key does not open stays
            sealed[name] = value if is_closed else seal(tenant_id, name, value)
        return sealed

    def opened(self, extra: Mapping[str, Any], tenant_id: str) -> dict[str, Any]:
        """The same values as the source sent them; those that cannot be opened stay sealed."""
        opened = {}
        for name, value in extra.items():
            try:
                opened[name] = (
                    self._tokeniser.sealer.open(tenant_id, name, value)
                    if is_sealed(value)
                    else value
                )
            except Unopened:
                opened[name] = value
        return opened

    def decode_key(self, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """The primary key found in a record's key or image, decoded; None when it is not whole."""
        if row is None:
            return None
        if self._renamed:
            row = {self._renamed.get(name, name): value for name, value in row.items()}
        key: dict[str, Any] = {}
        for name in self.primary_key or row:
            if name not in row:
                return None
            value = row[name]
            if value is not None:
                decode = self._decoders.get(name)
                is_token = name in self.ids_as_numbers and str(value).startswith("tok_")
                if decode is not None and not is_token:
                    try:
                        value = decode(value)
                    except _UNDECODABLE:
                        return None
                if name in self._tokens:
                    value = self._tokeniser.token(self.default_tenant, value)
                elif name in self.ids_as_text:
                    value = self.stored_id(name, value, self.default_tenant)
                elif name in self.ids_as_numbers and not is_token and self.is_persons_number(value):
                    value = self.stored_id(name, str(value), self.default_tenant)
            key[name] = _jsonable(value)
        if not self.is_declared:
            others = {name: value for name, value in key.items() if not _is_surrogate(value)}
            key = {**key, **self._sealed(others, self.default_tenant)}
        return key
