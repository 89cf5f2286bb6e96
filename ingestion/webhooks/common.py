"""What both webhook providers share: an event's row, its instants, its hash.

Does not belong here: the fields of either provider (`stripe`, `revenuecat`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ingestion.privacy.scrub import name_shown
from ingestion.values.identity import record_key
from ingestion.values.instants import EPOCH, start_of_year
from ingestion.values.json_lines import decode_exactly, decode_object, encode
from ingestion.values.outcomes import Arrival, Rejected, Row, Touch, copy_line
from ingestion.webhooks.privacy import UNLISTED, PayloadFilter

_FIRST_US, _LAST_US = start_of_year(2000), start_of_year(2100)  # no provider is older
# the receiver's files say to the microsecond when they came, others their day somewhere in their path
_RECEIVED = re.compile(r"/received/(\d{4})-(\d\d)-(\d\d)/(\d\d)(\d\d)(\d\d)\.(\d{6})-[^/]*$")
_DATED = re.compile(r"(?<![0-9A-Za-z])(20\d\d)-(\d\d)-(\d\d)(?![0-9])")


class NotAnEvent(Exception):
    """The line is no event that can be stored; `outcome` says why."""

    def __init__(self, reason_code: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = Rejected(reason_code, reason)


class Instant(NamedTuple):
    us: int
    text: str


def instant(value: Any, unit_us: int, name: str) -> Instant:
    """A whole count of `unit_us` since 1970 in this century; raises NotAnEvent."""
    if type(value) is not int:
        raise NotAnEvent("bad_time", f"`{name}` is missing or not a whole number.")
    us = value * unit_us
    if not _FIRST_US <= us < _LAST_US:
        raise NotAnEvent("absurd_time", f"`{name}` lies outside the years 2000 to 2100.")
    return Instant(us, str(EPOCH + timedelta(microseconds=us)))


def arrival(path: str) -> int | None:
    """When a landed file came, by what its path below the landing folder says, in microseconds since 1970: the
    receiver's time, else the newest date in it; None where it says nothing."""
    received = _RECEIVED.search(path)
    told = [received.groups()] if received else [found.groups() for found in _DATED.finditer(path)]
    return max((us for us in map(_microseconds, told) if us is not None), default=None)


def _microseconds(parts: tuple[str, ...]) -> int | None:
    """Of year, month, day and what more there is; None where no calendar has that."""
    try:
        moment = datetime(*map(int, parts), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return (moment - EPOCH) // timedelta(microseconds=1)


def known_from(happened: Instant, arrived_us: int | None) -> Instant:
    """When an event came: with its file, but never before it happened."""
    if arrived_us is None or arrived_us <= happened.us:
        return happened
    return Instant(arrived_us, str(EPOCH + timedelta(microseconds=arrived_us)))


def read_object(line: bytes) -> dict[str, Any] | Rejected:
    """The line's object; characters that no database text can hold are replaced."""
    return decode_exactly(line) if b"\\u0000" in line else decode_object(line)


def shown(line: bytes, holder: str | None, names: Sequence[str], numbers: Sequence[str]) -> str:
    """Of a refused line some fields, of the event itself or of an object in it: names and ids that
    have the form of one, numbers and flags that are one; nothing where the line is no object."""
    record = read_object(line)
    held = record if holder is None or isinstance(record, Rejected) else record.get(holder)
    if not isinstance(held, dict):
        return ""
    texts = {name: held[name] for name in names if isinstance(held.get(name), str)}
    found: dict[str, Any] = {name: text for name, text in texts.items() if name_shown(text)}
    found |= {name: held[name] for name in numbers if isinstance(held.get(name), int)}
    return encode(found)


def note_drift(payloads: PayloadFilter, drift: Counter[tuple[str, str, str]]) -> None:
    """Move what the filter counted into the drift: ids that identify nobody, fields of no list."""
    for name, count in payloads.placeholders.items():
        drift["metadata", name, "placeholder_id"] += count
    for (context, name), count in payloads.unlisted.items():
        drift[context, name, UNLISTED] += count
    payloads.placeholders.clear()
    payloads.unlisted.clear()


def text_or_none(value: Any) -> str | None:
    """A text, or an expanded object's id."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None


def event_row(
    provider: str, owner: str, event_id: str, moment: Instant, received: Instant,
    columns: tuple[str | None, ...], hashed: Any, touch: Touch | None, *, is_live: bool,
) -> Row:  # fmt: skip
    """A row identified by (provider, owner, event id); `hashed` is what a redelivery repeats."""
    content = record_key(encode(hashed))
    return Row(
        key=record_key(provider, owner, event_id),
        event_date=moment.text[:10],
        received_us=received.us,
        content_hash=content,
        copy=copy_line((*columns, "\\x" + content)),
        touch=touch,
        arrival=Arrival.TOLD if is_live else Arrival.NOT_COUNTED,
    )
