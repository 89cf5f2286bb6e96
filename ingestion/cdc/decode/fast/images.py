"""Many plain rows of one table at once: their images as text and as Arrow columns.

Belongs here: rows, whose they are, what of them is personal. Does not belong here: values of a type
(`columns`), the envelope and identity of a change (`reader`), any rule that `table_decoder` does not have.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
import orjson
import pyarrow as pa

from ingestion.cdc.decode.fast.columns import (
    ARROW,
    AS_THEY_ARE,
    BYTES_16,
    WHOLE,
    Column,
    ProductInterners,
    column_array,
    column_decoder,
    decoded,
)
from ingestion.cdc.decode.fast.decoder import base_type, key_decoder, row_decoder, stored_row
from ingestion.cdc.decode.table_decoder import TableDecoder
from ingestion.cdc.names import TENANT_ID, USER_ID
from ingestion.privacy.scrub import of_suburb
from ingestion.values.identity import UUID_TEXT, identity_prefix, placeholder_ids

_encode = msgspec.json.encode
_UUIDS_OF_NOBODY = [word for word in placeholder_ids() if UUID_TEXT.match(word)]
_NUMBERS_OF_NOBODY = [
    int(word) for word in placeholder_ids() if word.lstrip("-").isdecimal() and len(word) < 20
]
_fields = msgspec.structs.astuple


class Images(NamedTuple):
    """Rows of one table: image i as JSON text, and its columns with the ids of tenant and user."""

    texts: list[bytes]
    columns: pa.Table


class FastTable:
    """One declared table with plain columns, see `decoder.is_plain`."""

    def __init__(self, plan: TableDecoder, known: "ProductInterners") -> None:
        assert plan.table is not None
        self.plan, self.name = plan, plan.name
        # what has taken in the beginning of an identity within this table
        self.blank = blake2b(identity_prefix(plan.product, plan.name), digest_size=16)
        columns = plan.table.columns
        self._columns = [
            Column(
                name,
                base_type(c.type),
                column_decoder(c, plan.forms),
                c.personal,
                name in plan.primary_key,
            )
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
        asked = {**dict.fromkeys(plan.ids_as_text, known.is_keyed),
                 **dict.fromkeys(plan.ids_as_numbers, known.is_persons_number)}  # fmt: skip
        self._ids_of_people = [(places.index(name), asks) for name, asks in asked.items()]
        self._identifying = [places.index(name) for name in plan.identifying]
        self._key_people = [
            (f"c{n}", asked[column.name]) for n, column in enumerate(key) if column.name in asked
        ]
        nulls = _encode({column.name: None for column in key})
        self._key_type = type(self.decode_key(msgspec.Raw(nulls)))

    def key_of_row(self, row: Any) -> Any:
        return self._key_type(*[getattr(row, field) for field in self._key_fields])

    def key_text(self, key: Any) -> bytes:
        """A key as it is stored: by name, decoded, tokens for what is personal. Raises one of NOT_PLAIN where an
        id in it is a person's by its form."""
        for field, is_persons in self._key_people:
            if is_persons[getattr(key, field)]:
                raise ValueError("an id that is not kept as it is")
        for field, column in self._key_changes:
            value = getattr(key, field)
            if value is not None:
                value = column.decode(value)
                if column.personal == "token":
                    value = self.plan.token(self.plan.default_tenant, value)
                setattr(key, field, value)
        return _encode(key)

    def images(self, rows: Sequence[Any]) -> Images:
        """Raises one of NOT_PLAIN when any value asks for judgement."""
        listed: list[Any] = list(zip(*map(_fields, rows), strict=True))
        listed = listed or [()] * len(self._columns)
        for place, column in enumerate(self._columns):
            if column.base not in AS_THEY_ARE and column.base != "jsonb":
                listed[place] = decoded(listed[place], column)
        for place, is_persons in self._ids_of_people:
            if any(map(is_persons.__getitem__, set(listed[place]))):
                raise ValueError("an id that is not kept as it is")
        if any(
            self._names_nobody(listed[place], self._columns[place]) for place in self._identifying
        ):
            raise ValueError("a word for nobody")
        people = self._ids(listed, len(rows))
        arrays = [
            column_array(values, column.base, self._known)
            for values, column in zip(listed, self._columns, strict=True)
        ]
        for place, column in enumerate(self._columns):
            if column.base == "jsonb":
                listed[place], arrays[place] = self._searched(listed[place], column, people)
            elif column.personal:
                listed[place] = self._hidden(listed[place], column, people)
                arrays[place] = pa.array(listed[place], ARROW[column.base])
        tenants, users, tenant_bytes, user_bytes = people
        stored = rows if self._is_stored_as_it_comes else map(self._stored, *listed, tenants, users)
        arrays += [pa.array(tenant_bytes, BYTES_16), pa.array(user_bytes, BYTES_16)]
        names = [*(column.name for column in self._columns), TENANT_ID, USER_ID]
        return Images(list(map(_encode, stored)), pa.Table.from_arrays(arrays, names=names))

    def _names_nobody(self, values: Sequence[Any], column: Column) -> bool:
        """Whether one of these ids identifies nobody."""
        if column.base == "uuid":
            return any(word in values for word in _UUIDS_OF_NOBODY)
        if column.base in WHOLE:
            return any(number in values for number in _NUMBERS_OF_NOBODY)
        return any(map(self._known.is_nobody.__getitem__, set(values)))

    def _ids(self, listed: Sequence[Sequence[Any]], count: int) -> tuple[Sequence[Any], ...]:
        """The ids of the rows' tenants and users, as text and as bytes."""
        nobody = [None] * count
        tenants = nobody if self._tenant is None else listed[self._tenant]
        users = nobody if self._user is None else listed[self._user]
        known = self._known.people
        found = [known[pair] for pair in zip(tenants, users, strict=True)]
        return tuple(zip(*found, strict=True)) if found else ((), (), (), ())

    def _hidden(
        self, values: Sequence[Any], column: Column, people: tuple[Sequence[Any], ...]
    ) -> list[Any]:
        """A personal column as the contract says."""
        if column.personal == "drop":
            return [None] * len(values)
        if column.personal == "round":
            return list(map(of_suburb, values))
        own, token = self.plan.default_tenant, self.plan.token
        return [
            None if v is None else token(own if column.is_key else tenant or own, v)
            for v, tenant in zip(values, people[0], strict=True)
        ]

    def _searched(
        self, values: Sequence[Any], column: Column, people: tuple[Sequence[Any], ...]
    ) -> tuple[list[Any], pa.Array]:
        """A column of JSON without what it must not hold: for the image, and as text."""
        if column.personal == "drop":
            return [None] * len(values), pa.nulls(len(values), pa.string())
        own, searched, decode = self.plan.default_tenant, self.plan.scrubbed_json, column.decode
        found = [
            None if v is None else orjson.dumps(searched(column.name, decode(v), tenant or own))
            for v, tenant in zip(values, people[0], strict=True)
        ]
        texts = [None if text == b"null" else text for text in found]
        return (
            [None if text is None else msgspec.Raw(text) for text in texts],
            pa.array(texts, pa.string()),
        )
