"""A contract's envelope as a typed decoder: one line to a tuple of the envelope's fields.

Belongs here: which JSON keys hold which field. Does not belong here: what the values mean.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec

from ingestion.contracts import ENVELOPE, EventContract

_WHOLE = frozenset({"schema_version", "page_load_time_ms"})
_IDS = frozenset({"event_id", "tenant_id", "user_id", "anonymous_id", "session_id"})
_Unpack = Callable[[Any], tuple[Any, ...]]


def is_plain(contract: EventContract) -> bool:
    """Whether an envelope is plain enough: fields of the record itself or of objects in it, taken
    as they are, and the properties in an object of their own."""
    mapped, fields = contract.properties, contract.envelope
    paths = {path for field in fields.values() for path in field.paths()}
    holders = {path.split(".")[0] for path in paths if "." in path}
    return (
        contract.format.type == "jsonl"
        and {"event_id", "event_name", "occurred_at"} <= fields.keys()
        and not any(f.constant or f.values or f.prefix or f.time_format for f in fields.values())
        and not any(path.count(".") > 1 for path in paths)
        and not holders & paths
        and mapped.path is not None
        and "." not in mapped.path
        and mapped.path not in paths | holders
        and not mapped.fields
        and mapped.nulls == "keep"
        and {*contract.required} <= paths
    )


def line_decoder(contract: EventContract) -> tuple[Callable[[bytes], Any], _Unpack]:
    """(decode, unpack): a line to a struct, and that to the fields of ENVELOPE and the properties
    (msgspec.Raw). Either raises msgspec.MsgspecError for a line with other fields or types."""
    attributes: dict[str, str] = {}
    fields: dict[str, list[tuple[str, Any, Any]]] = {"": []}
    keys: dict[str, dict[str, str]] = {"": {}}
    for name in ENVELOPE:
        kind: Any = int | None if name in _WHOLE else str | None
        if name in _IDS:
            kind = str | int | None
        for path in contract.envelope[name].paths() if name in contract.envelope else ():
            if path not in attributes:
                holder, _, key = path.rpartition(".")
                attribute = f"field_{len(attributes)}"
                attributes[path] = f"{_inside(holder)}.{attribute}" if holder else attribute
                fields.setdefault(holder, []).append((attribute, kind, None))
                keys.setdefault(holder, {})[attribute] = key
    for holder in [holder for holder in fields if holder]:
        inner = _struct(fields[holder], keys[holder])
        fields[""].append((_inside(holder), inner, msgspec.field(default_factory=inner)))
        keys[""][_inside(holder)] = holder
    assert contract.properties.path is not None
    fields[""].append(("properties", msgspec.Raw, msgspec.Raw(b"null")))
    keys[""]["properties"] = contract.properties.path
    struct = _struct(fields[""], keys[""])
    return msgspec.json.Decoder(struct).decode, _unpack(contract, attributes)


def _struct(fields: list[tuple[str, Any, Any]], keys: dict[str, str]) -> type[msgspec.Struct]:
    options: dict[str, Any] = {"forbid_unknown_fields": True, "gc": False}
    return msgspec.defstruct("Part", fields, rename=keys, namespace={"nothing": None}, **options)


def _inside(holder: str) -> str:
    return "in_" + holder.encode().hex()


def _unpack(contract: EventContract, attributes: dict[str, str]) -> _Unpack:
    found = [
        [attributes[path] for path in contract.envelope[name].paths()] or ["nothing"]
        if name in contract.envelope
        else ["nothing"]
        for name in ENVELOPE
    ]
    required = [attributes[path] for path in contract.required]
    if all(len(names) == 1 for names in found) and not required:
        return attrgetter(*(names[0] for names in found), "properties")
    choose = [attrgetter(*names, "nothing") for names in found]
    demand = attrgetter("nothing", "nothing", *required)

    def unpack(line: Any) -> tuple[Any, ...]:
        if None in demand(line)[2:]:
            raise msgspec.ValidationError("a required field is missing")
        values = (next((v for v in get(line) if v is not None), None) for get in choose)
        return (*values, line.properties)

    return unpack
