"""What of a refused event may be shown to who looks for its fault (rule 79).

Belongs here: of the record that is still a record, what its contract clears. Does not belong here:
the fault itself (a reason holds no value), other kinds of source.
"""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.contracts.field_paths import Getter
from ingestion.contracts.model import EventContract
from ingestion.events.errors import InexactParse, Invalid
from ingestion.events.event_types import CompiledEventType
from ingestion.events.formats import Decoder
from ingestion.events.properties import Properties
from ingestion.privacy.scrub import Scrubber, name_shown
from ingestion.values.instants import AbsurdTime, NotATime, parse_instant
from ingestion.values.json_lines import encode
from ingestion.values.outcomes import Rejected

_LIMIT = 2_000  # characters
_NAMES = ("event_id", "event_name", "event_domain", "source")
_TIMES = ("occurred_at", "received_at")
Plan = Callable[[Any], CompiledEventType]  # raises Invalid for a name that is not declared


class Shown:
    """Clears records of one contract."""

    def __init__(
        self, contract: EventContract, decode: Decoder, get: Mapping[str, Getter],
        properties: Properties, plan_of: Plan, scrubber: Scrubber,
    ) -> None:  # fmt: skip
        self._decode, self._get, self._plan_of = decode, get, plan_of
        self._properties, self._scrubber = properties, scrubber
        self._zone = ZoneInfo(contract.timezone)
        self._formats = {name: contract.envelope[name].time_format for name in get}

    def of(self, line: bytes) -> str:
        """A JSON object of the envelope's ids, names and times and of those declared properties that
        are what their contract says and not personal; nothing where the keys cannot be read."""
        record = self._decode(line)
        if isinstance(record, Rejected):
            return ""
        shown: dict[str, Any] = {}
        for name in _NAMES:
            value = self._value(name, record)
            if type(value) in (str, int) and (text := name_shown(str(value))) is not None:
                shown[name] = text
        for name in _TIMES:
            if self._is_time(name, value := self._value(name, record)):
                shown[name] = value
        if properties := self._cleared(record):
            shown["properties"] = properties
        try:
            return encode(shown)[:_LIMIT]
        except (ValueError, RecursionError):
            return ""

    def _value(self, name: str, record: dict[str, Any]) -> Any:
        get = self._get.get(name)
        try:
            return get(record) if get is not None else None
        except (Invalid, InexactParse):
            return None

    def _is_time(self, name: str, value: Any) -> bool:
        try:
            parse_instant(value, self._zone, self._formats.get(name))
        except (NotATime, AbsurdTime, ArithmeticError):
            return False
        return True

    def _cleared(self, record: dict[str, Any]) -> dict[str, Any]:
        try:
            plan = self._plan_of(self._value("event_name", record))
            return plan.cleared(self._properties.of(record, plan))
        except (Invalid, InexactParse, ValueError, TypeError, RecursionError):
            return {}
