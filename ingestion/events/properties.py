"""An event's properties, gathered from wherever the contract finds them.

Belongs here: its object, the named fields, what else the record holds. Does not belong here: checking
and scrubbing them (`event_types`).
"""

from typing import Any

from ingestion.contracts.field_paths import by_path, containers, getter, top_level
from ingestion.contracts.model import EventContract
from ingestion.events.errors import Invalid
from ingestion.events.event_types import CompiledEventType
from ingestion.values.json_lines import decode_exactly
from ingestion.values.outcomes import Rejected
from ingestion.values.wording import kind_of


class Properties:
    """An event's properties: its object, the named fields and what else the record holds."""

    def __init__(self, contract: EventContract) -> None:
        mapped = self._mapped = contract.properties
        self._is_text = contract.format.is_text
        self._object = by_path(mapped.path) if mapped.path else None
        self._fields = [(key, getter(field)) for key, field in mapped.fields.items()]
        used = [path for field in contract.envelope.values() for path in field.paths()]
        used += [path for field in mapped.fields.values() for path in field.paths()]
        used += [mapped.path] if mapped.path else []
        used += contract.required
        self._known = frozenset(top_level(used))
        self._containers = containers(used, set(filter(None, [mapped.path])))
        inside = f"{mapped.path}."
        self._taken = frozenset(
            path.removeprefix(inside).split(".")[0] for path in used if path.startswith(inside)
        )

    def of(self, record: dict[str, Any], plan: CompiledEventType) -> dict[str, Any]:
        """The properties of a record, not yet checked."""
        found = self._object(record) if self._object is not None else None
        mapped = self._mapped
        if type(found) is str and found[:1] == "{":
            found = self._nested(found)
        if found is not None and type(found) is not dict:
            reason = f"The properties ({mapped.path}) are a {kind_of(found)}, not an object."
            raise Invalid(Rejected("wrong_type", reason))
        properties: dict[str, Any] = dict(found) if found else {}
        for key in self._taken:  # what the envelope took from here need not be kept twice
            properties.pop(key, None)
        for key, get in self._fields:
            if get is not None and (value := get(record)) is not None:
                properties.setdefault(key, value)
        if mapped.rest != "drop" and not record.keys() <= self._known:
            for key in record.keys() - self._known:
                properties.setdefault(key, record[key])
        if mapped.rest != "drop":
            for key, known in self._containers:
                inner = record.get(key)
                if type(inner) is dict and not inner.keys() <= known:
                    left = {name: inner[name] for name in inner.keys() - known}
                    properties.setdefault(key, left)
        if mapped.nulls == "drop":
            properties = {key: value for key, value in properties.items() if value is not None}
        return plan.from_text(properties) if self._is_text else properties

    def _nested(self, text: str) -> dict[str, Any]:
        inner = decode_exactly(text.encode("utf-8", "replace"))
        if isinstance(inner, Rejected):
            raise Invalid(Rejected("wrong_type", f"The properties are not JSON: {inner.reason}"))
        return inner
