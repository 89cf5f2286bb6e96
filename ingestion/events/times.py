"""When an event happened and when it arrived: rule 44.

Belongs here: which of the two times count. Does not belong here: reading a time from text or a number
(`values.instants`).
"""

from typing import Any
from zoneinfo import ZoneInfo

from ingestion.contracts.field_paths import getter
from ingestion.contracts.model import EventContract
from ingestion.events.errors import Invalid
from ingestion.values.instants import DAY_US, AbsurdTime, Instant, NotATime, parse_instant
from ingestion.values.outcomes import Arrival, Rejected

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

    def of(self, record: dict[str, Any]) -> tuple[Instant, Instant, bool, Arrival]:
        """(occurred, received, whether occurred had to be taken from received, who says when it
        arrived): rules 44 and 66."""
        occurred = self._time(record, "occurred_at")
        received = self._time(record, "received_at")
        arrival = Arrival.TOLD
        if received is None:
            received = occurred
            arrival = Arrival.CLAIMED if self._device_clock else Arrival.TOLD
            if received is None:
                reason = "The record has no time that could be used."
                raise Invalid(Rejected("missing_field", reason))
        if not _EARLIEST <= received.us < _LATEST:
            reason = f"The record arrived at {received.text}, which cannot be."
            raise Invalid(Rejected("implausible_time", reason))
        if occurred is None or not _YEAR_1900 <= occurred.us < _YEAR_2200:
            return received, received, True, arrival
        if self._device_clock and not _YEAR_2000 <= occurred.us <= received.us + DAY_US:
            return received, received, True, arrival
        return occurred, received, False, arrival

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
            if field == "occurred_at" and self._device_clock:
                return None
            raise Invalid(Rejected("wrong_type", f"{field} is not a time: {error}.")) from error
