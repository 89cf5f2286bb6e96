"""Records that do not lie one on a line: in a JSON array, in a list that a line holds, in a Parquet file.

They are put one on a line, to the letter, before a file is cut into blocks; the number of a line is
then the number of the record. Belongs here: telling such a text, taking it apart in bounded memory.
Does not belong here: unpacking (`containers`), what a record means.
"""

import base64
import codecs
import json
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import chain
from typing import Any

import msgspec
import orjson

from ingestion.landing.containers import PARQUET, Damaged, Foreign, Unreadable
from ingestion.landing.file_info import RecordList, Shape

SAMPLE = 64 << 10  # bytes that tell
BOM = b"\xef\xbb\xbf"
_LARGEST = 64 << 20  # of one value; a longer one is no record
_ROWS = 4_096  # of a Parquet file at once
_scan = json.JSONDecoder(parse_int=len, parse_float=len).raw_decode  # only where a value ends
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_first_key = re.compile(rb'\s*\{\s*"([^"\\]*)"').match
_items = msgspec.json.Decoder(list[msgspec.Raw]).decode


def are_lines(start: bytes, shape: Shape) -> bool:
    """Whether a text with this start has a record on each line."""
    if start.startswith(PARQUET) or _has_old_line_ends(start):
        return False
    if shape.is_json and shape.records is not None and shape.records.is_on_any_line:
        return False
    return not shape.is_json or not (_is_document(start) or _holds_list(start, shape))


def one_a_line(stream: Iterator[bytes], shape: Shape) -> Iterator[bytes]:
    """A file's text with each record on a line of its own; raises Unreadable where it breaks."""
    begun, stream = _begun(stream)
    start = b"".join(begun)
    if _has_old_line_ends(start):
        begun, stream = [_with_usual_ends(start)], map(_with_usual_ends, stream)
        start = begun[0]
    if are_lines(start, shape):
        yield from begun
        yield from stream
    elif start.startswith(PARQUET):
        yield from _parquet_rows(start, stream, shape)
    elif not (_is_document(start) or _holds_list(start, shape)):
        assert shape.records is not None
        yield from _mixed(start, stream, shape.records)
    else:
        lines = _values(start, stream) if _is_document(start) else _lines(start, stream)
        for line in lines:
            found = [line] if shape.records is None else _alone(line, shape.records)
            if found:  # an empty piece would be the end of the text
                yield b"".join(one + b"\n" for one in found)


def _has_old_line_ends(start: bytes) -> bool:
    """Whether lines end in \\r alone, as on old Macs and in what some spreadsheets save."""
    return b"\r" in start and b"\n" not in start and not start.startswith(PARQUET)


def _with_usual_ends(text: bytes) -> bytes:
    return text.replace(b"\r", b"\n")


def _begun(stream: Iterator[bytes]) -> tuple[list[bytes], Iterator[bytes]]:
    """The first pieces of a text, and those that follow; a text that breaks before breaks then."""
    begun: list[bytes] = []
    try:
        while sum(map(len, begun)) < SAMPLE and (piece := next(stream, b"")):
            begun.append(piece)
    except Unreadable as error:
        return begun, _broken(error)
    return begun, stream


def _broken(error: Unreadable) -> Iterator[bytes]:
    yield from ()
    raise error


def _is_document(start: bytes) -> bool:
    """Whether it begins with an array of objects, or with an object that goes over several lines."""
    text = start.removeprefix(BOM).lstrip()
    if text[:1] == b"{":
        if text.split(b"\n", 1)[0].strip() != b"{" or b"\n" not in text:
            return False
        return _value_end(text) is not None
    if text[:1] != b"[" or text[1:].lstrip()[:1] != b"{":
        return False
    inside = text[1:].lstrip()
    end = _value_end(inside)  # behind its first object an array goes on, or ends
    return end is not None and inside[end:].lstrip()[:1] in (b"", b",", b"]")


def _value_end(text: bytes) -> int | None:
    """Where the first value of a sample ends, its length where that may lie behind it; None where the
    sample is not JSON."""
    decoded = text.decode("utf-8", "surrogateescape")
    try:
        _, end = _scan(decoded)
    except json.JSONDecodeError as error:
        goes_on = error.msg.startswith("Unterminated string") or error.pos >= len(decoded) - 1
        return len(text) if goes_on and len(text) >= SAMPLE else None
    except (ValueError, RecursionError):
        return None
    return len(decoded[:end].encode("utf-8", "surrogateescape"))


def _holds_list(start: bytes, shape: Shape) -> bool:
    first, end, _ = start.removeprefix(BOM).lstrip().partition(b"\n")
    if shape.records is None:
        return False
    is_cut = not end and len(start) >= SAMPLE
    return shape.records.is_certain or is_cut or _listed(first, shape.records) is not None


def _lines(start: bytes, stream: Iterator[bytes]) -> Iterator[bytes]:
    kept = start.removeprefix(BOM)
    while True:
        *whole, kept = kept.split(b"\n")
        yield from whole
        piece = next(stream, b"")
        if not piece:
            break
        if len(kept) > _LARGEST:
            raise Unreadable("One of its lines is longer than 64 MiB, which no record is.")
        kept += piece
    if kept:
        yield kept


def _mixed(start: bytes, stream: Iterator[bytes], records: RecordList) -> Iterator[bytes]:
    """The records of the lists that some lines hold; all other lines as they are, however long or broken."""
    kept = start.removeprefix(BOM)
    while True:
        *whole, kept = kept.split(b"\n")
        found = (one for line in whole for one in _alone(line, records))
        if text := b"".join(one + b"\n" for one in found):
            yield text
        if len(kept) > _LARGEST:  # no record, nor a list of some: a line that is refused
            yield kept
            kept = b""
        piece = next(stream, b"")
        if not piece:
            break
        kept += piece
    if text := b"\n".join(_alone(kept, records)):
        yield text


def _alone(line: bytes, records: RecordList) -> list[bytes]:
    listed = _listed(line, records)
    return [line] if listed is None else listed


def _listed(line: bytes, records: RecordList) -> list[bytes] | None:
    """The records of the list that a line holds, each with what the line says beside it; what the
    record says itself comes last, and counts. None where the line holds no such list."""
    first = _first_key(line) if records.unless else None
    if first is not None and first[1].decode("utf-8", "replace") in records.unless:
        return None  # most lines, at a glance
    for path in records.paths:
        *outer, last = path.split(".")
        if f'"{last}"'.encode() not in line:
            continue
        beside: list[bytes] = []
        try:
            held = _members(line)
            if records.unless & held.keys():
                continue
            for key in outer:
                inner = held.pop(key)
                beside += _as_members(held)
                held = _members(inner)
            items = _items(held.pop(last))
        except (msgspec.MsgspecError, KeyError, RecursionError, UnicodeError):
            continue
        beside += _as_members(held)
        texts = [bytes(item).replace(b"\n", b" ") for item in items]
        if not records.is_certain and not all(text[:1] == b"{" for text in texts):
            continue
        return [_with(text, beside) for text in texts] if records.keeps_beside else texts
    return None


def _as_members(held: dict[str, msgspec.Raw]) -> list[bytes]:
    return [orjson.dumps(key) + b":" + bytes(value) for key, value in held.items()]


def _with(text: bytes, beside: list[bytes]) -> bytes:
    if not beside or text[:1] != b"{":
        return text
    own = text[1:].lstrip()
    return b"{" + b",".join(beside) + (own if own[:1] == b"}" else b"," + own)


def _values(start: bytes, stream: Iterator[bytes]) -> Iterator[bytes]:
    """The JSON values of a text, those in arrays one by one, each on one line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    stream = chain([start.removeprefix(BOM)], stream)
    text, place, number, wanted = "", 0, 1, 0
    is_inside = is_over = False
    while True:
        while place < len(text) and (
            text[place] in " \t\r\n" or (is_inside and text[place] == ",")
        ):
            place += 1
        mark = text[place : place + 1]
        if mark in ("[", "]") and mark and (mark == "]") == is_inside:
            is_inside, place = not is_inside, place + 1
            continue
        if mark:
            try:
                _, end = _scan(text, place)
            except (ValueError, RecursionError):
                end = 0
            if end and (end < len(text) or is_over):
                yield text[place:end].replace("\r", " ").replace("\n", " ").encode()
                place, number, wanted = end, number + 1, 0
                continue
        if is_over:
            if mark or is_inside:
                raise Unreadable(f"From its record {number} on it is no JSON, or it was cut off.")
            return
        if len(text) - place > _LARGEST:
            raise Unreadable(f"Its record {number} is no JSON, or longer than 64 MiB.")
        wanted = max(2 * wanted, 1)  # pieces, so that a long record is not tried for each of them
        more = b"".join(piece for _, piece in zip(range(wanted), stream, strict=False))
        is_over = not more
        try:
            text, place = text[place:] + decoder.decode(more, is_over), 0
        except UnicodeDecodeError as error:
            raise Damaged("Its text is not UTF-8.") from error


def _parquet_rows(start: bytes, stream: Iterator[bytes], shape: Shape) -> Iterator[bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    if not shape.is_json:
        raise Foreign(
            "It is a Parquet file, of which its contract says that it is text: leave `format` out."
        )
    with tempfile.TemporaryFile() as held:
        held.write(start)
        held.writelines(stream)
        try:
            for batch in parquet.ParquetFile(held).iter_batches(_ROWS):
                yield b"".join(
                    orjson.dumps(row, default=_plain, option=orjson.OPT_APPEND_NEWLINE)
                    for row in batch.to_pylist()
                )
        except (pa.ArrowException, OSError, TypeError) as error:
            raise Damaged("Its Parquet data is damaged, or of a kind that JSON has not.") from error


def _plain(value: Any) -> Any:
    """What JSON has no word for: exact decimals, bytes, lengths of time."""
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f").encode())
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(type(value).__name__)
