"""Two parts of reading an event: when it happened, and what else it says.

Belongs here: rule 44 on times, gathering properties from wherever the contract finds them. Does
not belong here: checking and scrubbing properties (`event_plan`), ids (`event_parser`).
"""

from typing import Any
from zoneinfo import ZoneInfo

from ingestion.contracts import EventContract
from ingestion.event_errors import Invalid
from ingestion.event_plan import EventPlan
from ingestion.json_lines import decode_exactly
from ingestion.paths import by_path, containers, getter, top_level
from ingestion.sources import Rejected
from ingestion.times import DAY_US, AbsurdTime, Instant, NotATime, parse_instant

_YEAR_1900, _YEAR_2200 = -2_208_988_800_000_000, 7_258_118_400_000_000
_YEAR_2000 = 946_684_800_000_000
_EARLIEST, _LATEST = 0, 4_102_444_800_000_000  # received_at: 1970 to 2100


class Times:
    """When an event happened and when it arrived."""

    def __init__(self, contract: EventContract) -> None:
        self._zone = ZoneInfo(contract.timezone)
        self._device_clock = contract.clock == "device"
        self._get = {name: getter(field) for name, field in contract.envelope.items()}
        self._formats = {name: field.time_format for name, field in contract.envelope.items()}

    def of(self, record: dict[str, Any]) -> tuple[Instant, Instant, bool]:
        """(occurred, received, whether occurred had to be taken from received): rule 44."""
        occurred = self._time(record, "occurred_at")
        received = self._time(record, "received_at")
        if received is None:
            received = occurred
            if received is None:
                reason = "The record has no time that could be used."
                raise Invalid(Rejected("missing_field", reason))
        if not _EARLIEST <= received.us < _LATEST:
            reason = f"The record arrived at {received.text}, which cannot be."
            raise Invalid(Rejected("implausible_time", reason))
        if occurred is None or not _YEAR_1900 <= occurred.us < _YEAR_2200:
            return received, received, True
        if self._device_clock and not _YEAR_2000 <= occurred.us <= received.us + DAY_US:
            return received, received, True
        return occurred, received, False

    def _time(self, record: dict[str, Any], field: str) -> Instant | None:
        get = self._get.get(field)
        value = get(record) if get is not None else None
        if value is None or value == "":
            return None
        try:
            return parse_instant(value, self._zone, self._formats[field])
        except AbsurdTime as error:
            if field == "occurred_at":
                return None
            raise Invalid(Rejected("implausible_time", f"{field} is absurd: {error}.")) from error
        except NotATime as error:
            raise Invalid(Rejected("wrong_type", f"{field} is not a time: {error}.")) from error


class Properties:
    """An event's properties: its object, the named fields and what else the record holds."""

    def __init__(self, contract: EventContract) -> None:
        mapped = self._mapped = contract.properties
        self._is_text = contract.format.type != "jsonl"
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

    def of(self, record: dict[str, Any], plan: EventPlan) -> dict[str, Any]:
        """The properties of a record, not yet checked."""
        found = self._object(record) if self._object is not None else None
        mapped = self._mapped
        if type(found) is str and found[:1] == "{":
            found = self._nested(found)
        if found is not None and type(found) is not dict:
            kind = type(found).__name__
            reason = f"The properties ({mapped.path}) are a {kind}, not an object."
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
