"""A contract's envelope as a typed decoder: lines to columns of the envelope's fields.

Belongs here: which JSON keys hold which field. Does not belong here: what the values mean.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from ingestion.contracts.mapping import FieldMap
from ingestion.contracts.model import ENVELOPE, WHOLE_NUMBERS, EventContract
from ingestion.values.json_lines import encode

_WHOLE = frozenset(WHOLE_NUMBERS)
_IDS = frozenset({"event_id", "tenant_id", "user_id", "anonymous_id", "session_id"})
_LARGE = 2**63


class LineColumns(NamedTuple):
    """The fields of lines; item i of each column is line i's."""

    fields: dict[str, pa.Array]  # those of ENVELOPE: texts, or int64 for those of _WHOLE
    properties: list[bytes]  # JSON, the named ones in it
    is_whole: np.ndarray  # whether the line has all that the contract requires, no number too large


def joined(parts: Sequence[LineColumns]) -> LineColumns:
    """The lines of several parts, which has one at least."""
    return LineColumns(
        {name: pa.concat_arrays([part.fields[name] for part in parts]) for name in parts[0].fields},
        [text for part in parts for text in part.properties],
        np.concatenate([part.is_whole for part in parts]),
    )


_Unpack = Callable[[Sequence[Any]], LineColumns]


def is_plain(contract: EventContract) -> bool:
    """Whether an envelope is plain enough: fields and named properties of the record itself or of
    objects in it, taken as they are, and the other properties in an object of their own."""
    mapped, envelope = contract.properties, contract.envelope
    fields = [*envelope.values(), *mapped.fields.values()]
    paths = {path for field in fields for path in field.paths()}
    named = [path for field in mapped.fields.values() for path in field.paths()]
    others = {path for field in envelope.values() for path in field.paths()}
    holders = {path.split(".")[0] for path in paths if "." in path}
    return (
        contract.format.type == "jsonl"
        and {"event_id", "event_name", "occurred_at"} <= envelope.keys()
        and all(map(_is_taken_as_it_is, fields))
        and all(f.type != "integer" or name in WHOLE_NUMBERS for name, f in envelope.items())
        and not contract.skip
        and len(named) == len({*named} - others)
        and not any(path.count(".") > 1 for path in paths)
        and not holders & paths
        and mapped.path is not None
        and "." not in mapped.path
        and mapped.path not in paths | holders
        and mapped.nulls == "keep"
        and {*contract.required} <= paths
    )


def _is_taken_as_it_is(field: FieldMap) -> bool:
    translated = field.constant or field.values or field.prefix or field.time_format
    return not (translated or field.cases or field.content or field.join is not None)


def line_decoder(contract: EventContract) -> tuple[Callable[[bytes], Any], _Unpack]:
    """(decode, unpack): a line to a struct, and one or more structs to columns.

    `decode` raises msgspec.MsgspecError for a line with other fields or types.
    """
    kinds: dict[str, dict[str, Any]] = {"": {}}  # by holder, which is "" for the record itself
    for name in ENVELOPE:
        kind: Any = int | None if name in _WHOLE else str | None
        if name in _IDS:
            kind = str | int | None
        for path in contract.envelope[name].paths() if name in contract.envelope else ():
            holder, _, key = path.rpartition(".")
            kinds.setdefault(holder, {}).setdefault(key, kind)
    for field in contract.properties.fields.values():
        for path in field.paths():
            holder, _, key = path.rpartition(".")
            kinds.setdefault(holder, {})[key] = msgspec.Raw
    holders = [holder for holder in kinds if holder]
    record: list[tuple[str, Any, Any]] = [(key, kind, None) for key, kind in kinds[""].items()]
    for holder in holders:
        inner = _struct([(key, kind, None) for key, kind in kinds[holder].items()])
        record.append((holder, inner, msgspec.field(default_factory=inner)))
    assert contract.properties.path is not None
    record.append((contract.properties.path, msgspec.Raw, msgspec.Raw(b"null")))
    keys = [key for key, _, _ in record]

    def unpack(structs: Sequence[Any]) -> LineColumns:
        found = _by_key(keys, structs)
        for holder in holders:
            inside = _by_key(kinds[holder], found[holder])
            found |= {f"{holder}.{key}": column for key, column in inside.items()}
        for field in contract.properties.fields.values():
            found |= {path: _without_null(found[path]) for path in field.paths()}
        return _columns(contract, found, len(structs))

    return msgspec.json.Decoder(_struct(record)).decode, unpack


def _struct(fields: list[tuple[str, Any, Any]]) -> type[msgspec.Struct]:
    """With attributes in the order of the fields; a key of JSON need not be a name."""
    numbered = [(f"field_{number}", *field[1:]) for number, field in enumerate(fields)]
    rename = {f"field_{number}": field[0] for number, field in enumerate(fields)}
    return msgspec.defstruct("Part", numbered, rename=rename, forbid_unknown_fields=True, gc=False)


def _by_key(keys: Iterable[str], structs: Sequence[Any]) -> dict[str, Sequence[Any]]:
    columns = zip(*map(msgspec.structs.astuple, structs), strict=True)
    return dict(zip(keys, columns, strict=True))


def _columns(
    contract: EventContract, found: Mapping[str, Sequence[Any]], count: int
) -> LineColumns:
    is_whole = np.ones(count, np.bool_)
    for path in contract.required:
        if None in found[path]:
            is_whole &= [value is not None for value in found[path]]
    fields: dict[str, pa.Array] = {}
    for name in ENVELOPE:
        kind = pa.int64() if name in _WHOLE else pa.string()
        paths = contract.envelope[name].paths() if name in contract.envelope else ()
        several = [found[path] for path in paths]
        if not several:
            fields[name] = pa.nulls(count, kind)
            continue
        values = several[0] if len(several) == 1 else _first(several)
        try:
            fields[name] = pa.array(values, kind)
        except (pa.ArrowTypeError, OverflowError):
            fields[name], is_small = _numbers(values, kind)
            is_whole &= is_small
    return LineColumns(fields, _properties(contract, found), is_whole)


def _without_null(values: Sequence[msgspec.Raw | None]) -> list[bytes | None]:
    texts = (None if value is None else bytes(value) for value in values)
    return [None if text == b"null" else text for text in texts]


def _properties(contract: EventContract, found: Mapping[str, Sequence[Any]]) -> list[bytes]:
    """Each line's properties, led by the named ones, so that of two with one name the object's own
    is the one that counts."""
    mapped = contract.properties
    assert mapped.path is not None
    objects = list(map(bytes, found[mapped.path]))
    if not mapped.fields:
        return objects
    names = [encode(name).encode() + b":" for name in mapped.fields]
    several = [[found[path] for path in field.paths()] for field in mapped.fields.values()]
    columns = [paths[0] if len(paths) == 1 else _first(paths) for paths in several]
    texts = []
    for whole, *values in zip(objects, *columns, strict=True):
        named = [name + value for name, value in zip(names, values, strict=True) if value]
        texts.append(_led_by(named, whole) if named else whole)
    return texts


def _led_by(named: Sequence[bytes], whole: bytes) -> bytes:
    """An object with members before its own; what is no object stays as it is."""
    members = b",".join(named)
    if whole == b"null":
        return b"{" + members + b"}"
    if whole[:1] != b"{":
        return whole
    own = whole[1:].lstrip()
    return b"{" + members + (own if own[:1] == b"}" else b"," + own)


def _first(columns: Sequence[Sequence[Any]]) -> list[Any]:
    """Of each line, the first value that is there."""
    rows = zip(*columns, strict=True)
    return [next((value for value in row if value is not None), None) for row in rows]


def _numbers(values: Sequence[Any], kind: pa.DataType) -> tuple[pa.Array, np.ndarray]:
    """Values with numbers among texts, or beyond 64 bits; and which are not beyond 64 bits."""
    try:
        return pa.array(values, pa.int64()).cast(kind), np.ones(len(values), np.bool_)
    except (pa.ArrowInvalid, OverflowError):
        pass
    is_small = [type(value) is not int or -_LARGE <= value < _LARGE for value in values]
    small = [value if good else None for value, good in zip(values, is_small, strict=True)]
    if kind == pa.string():
        small = [str(value) if type(value) is int else value for value in small]
    return pa.array(small, kind), np.array(is_small)
