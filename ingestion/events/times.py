"""When an event happened and when it arrived: rule 44.

Belongs here: which times can be, of one event (microseconds since 1970) or of many (arrays of them),
and which of the two counts. Does not belong here: reading a time from text or a number
(`values.instants`).
"""

from typing import Any
from zoneinfo import ZoneInfo

from ingestion.contracts.model import EventContract
from ingestion.events.errors import Invalid
from ingestion.events.mapped_fields import envelope_getters
from ingestion.values.instants import (
    DAY_US,
    AbsurdTime,
    Instant,
    NotATime,
    is_small_count,
    parse_instant,
    start_of_year,
)
from ingestion.values.outcomes import Arrival, Rejected
from ingestion.values.wording import form_of

Ints = Any  # an int, or an array of them
Flags = Any  # a bool, or an array of them

_OCCURRED = (start_of_year(1900), start_of_year(2200))  # the second no longer
_RECEIVED = (start_of_year(1970), start_of_year(2100))
_FIRST_DEVICE_CLOCK = start_of_year(2000)


def can_arrive(received_us: Ints) -> Flags:
    """Whether an event can have arrived then; it is refused otherwise."""
    return (received_us >= _RECEIVED[0]) & (received_us < _RECEIVED[1])


def can_occur(occurred_us: Ints, received_us: Ints, clock: str) -> Flags:
    """Whether an event can have happened then; its arrival counts otherwise. A device's clock may
    not be a day ahead of ours."""
    is_plausible = (occurred_us >= _OCCURRED[0]) & (occurred_us < _OCCURRED[1])
    if clock == "device":
        is_plausible &= (occurred_us >= _FIRST_DEVICE_CLOCK) & (occurred_us <= received_us + DAY_US)
    return is_plausible


def arrival_by(clock: str) -> Arrival:
    """What the arrival of an event is worth that only its own time tells (rule 66)."""
    return Arrival.CLAIMED if clock == "device" else Arrival.TOLD


class Times:
    """When an event happened and when it arrived."""

    def __init__(self, contract: EventContract) -> None:
        self._zone = ZoneInfo(contract.timezone)
        self._clock = contract.clock
        self._get = envelope_getters(contract)
        self._formats = {name: field.time_format for name, field in contract.envelope.items()}

    def of(self, record: dict[str, Any]) -> tuple[Instant, Instant, bool, Arrival]:
        """(occurred, received, whether occurred had to be taken from received, who says when it
        arrived): rules 44 and 66."""
        occurred = self._time(record, "occurred_at")
        received = self._time(record, "received_at")
        arrival = Arrival.TOLD
        if received is None:
            received = occurred
            arrival = arrival_by(self._clock)
            if received is None:
                reason = "The record has no time that could be used."
                raise Invalid(Rejected("missing_field", reason))
        if not can_arrive(received.us):
            reason = "The record arrived before 1970 or after 2100, which cannot be."
            raise Invalid(Rejected("implausible_time", reason))
        if occurred is None or not can_occur(occurred.us, received.us, self._clock):
            return received, received, True, arrival
        return occurred, received, False, arrival

    def _time(self, record: dict[str, Any], field: str) -> Instant | None:
        get = self._get.get(field)
        value = get(record) if get is not None else None
        if value is None or value == "":
            return None
        try:
            if self._formats[field] is None and is_small_count(value):
                raise AbsurdTime(str(value)[:60])
            return parse_instant(value, self._zone, self._formats[field])
        except AbsurdTime as error:
            if field == "occurred_at":
                return None
            reason = f"{field} is a time that no calendar here can hold."
            raise Invalid(Rejected("implausible_time", reason)) from error
        except NotATime as error:
            if field == "occurred_at" and self._clock == "device":
                return None
            due = self._formats[field] or "ISO 8601 or epoch time"
            reason = f"{field} is no time: a {form_of(value)} where {due} is due."
            raise Invalid(Rejected("wrong_type", reason)) from error
