"""Rows as Arrow columns, and as the binary form of COPY.

The database reads binary rows in half the time of text, and the lake is written from the same
columns. Belongs here: the types of event columns, from COPY text to columns, from columns to
binary COPY. Does not belong here: what a column means.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pgpq import ArrowToPostgresBinaryEncoder
from pgpq.encoders import StringEncoderBuilder
from pgpq.schema import Jsonb

Some = TypeVar("Some", pa.Array, pa.Table)
BYTES_16 = pa.binary(16)
INSTANT = pa.timestamp("us", tz="UTC")
_HEX_OF_BYTE = np.array([f"{byte:02x}".encode() for byte in range(256)]).view(np.uint16)
_GROUPS = ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32))  # of a UUID's digits
_DASHES_OF_UUID = [8, 13, 18, 23]
_DIGITS_OF_UUID = [place for place in range(36) if place not in _DASHES_OF_UUID]
_VALUE_OF_DIGIT = np.full(256, 255, np.uint8)
for _digit in "0123456789abcdefABCDEF":
    _VALUE_OF_DIGIT[ord(_digit)] = int(_digit, 16)
_ROWS_AT_ONCE = 4_096
_FEW = 20
_ESCAPED = re.compile(r"\\(.)")
_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLAIN = {"n": "\n", "t": "\t", "r": "\r"}
_SAME_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)


def unescape(text: str) -> str | None:
    """One field of COPY text as its value."""
    if "\\" not in text:
        return text
    return (
        None if text == "\\N" else _ESCAPED.sub(lambda found: _PLAIN.get(found[1], found[1]), text)
    )


def from_copy_text(lines: Sequence[str], schema: pa.Schema) -> pa.Table:
    """Rows of COPY text as columns. Ids and hashes may be written as UUIDs or `\\\\x` hex."""
    if not lines:
        return schema.empty_table()
    values = zip(*([unescape(field) for field in line.split("\t")] for line in lines), strict=True)
    arrays = [_array(column, field) for column, field in zip(values, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: tuple[str | None, ...], field: pa.Field) -> pa.Array:
    if field.type == BYTES_16 or pa.types.is_binary(field.type):
        found = [v and bytes.fromhex(v.removeprefix("\\x").replace("-", "")) for v in values]
        return pa.array(found, field.type)
    if pa.types.is_list(field.type):
        return pa.array([None if v is None else _items(v) for v in values], field.type)
    if field.type == pa.bool_():
        return pa.array([value == "t" for value in values])
    return pa.array(values, pa.string()).cast(field.type)


def _items(text: str) -> list[str]:
    """The items of an array of texts, each in quotes."""
    return [_ESCAPED.sub(r"\1", item) for item in _ITEM.findall(text)]


def halves(ids: pa.Array | pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """16-byte ids, none of them null, as two numbers each: the first bytes, the last bytes."""
    array = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    raw = np.frombuffer(array.buffers()[1], ">u8")
    raw = raw[2 * array.offset : 2 * (array.offset + len(array))].astype(np.uint64)
    return raw[::2], raw[1::2]


def of_load(table: pa.Table, load_id: int) -> pa.Table:
    """Rows with the load that stored them."""
    return table.append_column("load_id", pa.repeat(pa.scalar(load_id, pa.int64()), table.num_rows))


def only(rows: Some, wanted: np.ndarray) -> Some:
    """Some of the rows of an array or a table, as a mask of booleans says.

    Where few are left out, what lies between them is copied as it is: a mask costs every row.
    """
    left_out: list[int] = np.flatnonzero(~wanted).tolist()
    if len(left_out) > _FEW:
        return rows.filter(pa.array(wanted))
    cuts = pairwise([-1, *left_out, len(rows)])
    parts = [rows.slice(before + 1, after - before - 1) for before, after in cuts]
    if isinstance(rows, pa.Table):
        return pa.concat_tables(parts).combine_chunks()
    return pa.concat_arrays(parts)


def bytes_16(joined: bytes) -> pa.Array:
    """16-byte ids, none of them null, from all their bytes."""
    return pa.Array.from_buffers(BYTES_16, len(joined) // 16, [None, pa.py_buffer(joined)])


def joined(texts: pa.StringArray) -> bytes:
    """All the bytes of texts, none of them null, one text after the other."""
    if not len(texts):
        return b""
    ends = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return bytes(texts.buffers()[2][int(ends[0]) : int(ends[-1])])


def alike(text: bytes) -> bytes:
    """A text with zeros for all its digits: texts that differ in digits only become one."""
    return text.translate(_SAME_DIGIT)


def uuid_bytes(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """Texts, none of them null, as UUIDs: (n, 16) bytes, and which texts are UUIDs in the usual
    form at all; the bytes of others mean nothing."""
    count = len(texts)
    found = np.zeros((count, 16), np.uint8)
    is_uuid = pc.equal(pc.binary_length(texts), 36).to_numpy(zero_copy_only=False)
    likely = texts.filter(pa.array(is_uuid)) if not is_uuid.all() else texts
    raw = np.frombuffer(joined(likely), np.uint8).reshape(-1, 36)
    values = _VALUE_OF_DIGIT[raw[:, _DIGITS_OF_UUID]]
    is_good = (values < 16).all(axis=1) & (raw[:, _DASHES_OF_UUID] == ord("-")).all(axis=1)
    found[is_uuid] = values[:, ::2] << 4 | values[:, 1::2]
    is_uuid[is_uuid] = is_good
    return found, is_uuid


def uuid_texts(ids: pa.Array) -> pa.Array:
    """16-byte ids as UUID text, nulls kept."""
    count = len(ids)
    if not count:
        return pa.array([], pa.string())
    if ids.null_count:
        known = uuid_texts(ids.drop_null())
        places = np.cumsum(np.asarray(ids.is_valid())) - 1
        taken = known.take(pa.array(np.maximum(places, 0))) if len(known) else pa.nulls(count)
        return pc.if_else(ids.is_valid(), taken, pa.scalar(None, pa.string()))
    raw = np.frombuffer(ids.buffers()[1], np.uint8)[16 * ids.offset : 16 * (ids.offset + count)]
    text = np.full((count, 36), ord("-"), np.uint8)
    digits = _HEX_OF_BYTE[raw].view(np.uint8).reshape(count, 32)
    for place, start, stop in _GROUPS:
        text[:, place : place + stop - start] = digits[:, start:stop]
    offsets = np.arange(0, 36 * (count + 1), 36, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(text))


def binary_copy(table: pa.Table, json: frozenset[str] = frozenset()) -> Iterator[bytes]:
    """The pieces of a binary COPY of a table's rows; columns in `json` go to jsonb."""
    builders = {
        field.name: StringEncoderBuilder.new_with_output(field, Jsonb())
        if field.name in json
        else ArrowToPostgresBinaryEncoder.infer_encoder(field)
        for field in table.schema
    }
    encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(table.schema, builders)
    yield encoder.write_header()
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield encoder.write_batch(batch)
    yield encoder.finish()
