"""Instants as sources write them: ISO text, epoch numbers, formats a contract names.

Belongs here: from a value to (microseconds since 1970, text the database reads). Does not belong
here: whether an instant is plausible (`events.times`, rule 44).
"""

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000
# With zeros for all digits: how nearly every source writes an instant.
USUAL_FORMS = ("0000-00-00T00:00:00Z", "0000-00-00T00:00:00.000Z", "0000-00-00T00:00:00.000000Z")
_USUAL_MARKS = {len(form): form[4:20:3] for form in USUAL_FORMS}
# 24:00:00, and a leap second, which is inserted at the end of a UTC day: a minute's in any time zone
_ONE_MORE = re.compile(r"(\d{4}-\d\d-\d\d)[T ](24:00:00|\d\d:\d\d:60)(?:\.\d+)?(.*)\Z")
_SMALLEST = 1e8  # seconds of 1973
_EPOCH_UNITS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}


class Instant(NamedTuple):
    us: int  # microseconds since 1970, UTC
    text: str  # ISO in UTC; its first ten characters are the UTC date


class NotATime(ValueError):
    """The value is not a time at all."""


class AbsurdTime(ValueError):
    """The value is a time that no calendar here can hold (year 12026, 1e30 seconds)."""


def start_of_year(year: int) -> int:
    """The first microsecond of a year from 1 to 9999, since 1970."""
    return (datetime(year, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def parse_instant(value: Any, zone: tzinfo = UTC, time_format: str | None = None) -> Instant:
    """An instant from text or a number; raises NotATime or AbsurdTime.

    Text is ISO 8601 (RFC 3339's lower-case t and z, 24:00:00 and leap seconds too) or the digits of
    an epoch time, never digits that happen to be a compact ISO time as well.
    """
    kind = type(value)
    if kind is str and time_format is None:
        try:
            moment = None if _is_number(value) else datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None:
            return _from_text(value.strip(), zone)
        if has_usual_form(value):
            gap = moment - EPOCH
            return Instant((gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds, value)
        return from_datetime(moment, zone)
    if kind is int or kind is float:
        return _from_number(value, time_format)
    if kind is not str:
        raise NotATime(f"{kind.__name__} {str(value)[:60]!r}")
    assert time_format is not None
    if time_format in _EPOCH_UNITS:
        return _from_text(value.strip(), zone, time_format)
    try:
        return from_datetime(datetime.strptime(value.strip(), time_format), zone)
    except ValueError as error:
        raise NotATime(f"{value[:60]!r} does not follow {time_format}") from error


def has_usual_form(text: str) -> bool:
    """Whether all but the digits is as in 2026-03-01T10:00:00.123Z: an instant in UTC, if it is one."""
    return text[4:20:3] == _USUAL_MARKS.get(len(text)) and text[-1] == "Z"


def from_datetime(moment: datetime, zone: tzinfo = UTC) -> Instant:
    """An instant from a datetime; without an offset it is local to `zone`."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise AbsurdTime(str(moment)) from error
    gap = moment - EPOCH
    text = moment.replace(tzinfo=None).isoformat() + "Z"
    return Instant((gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds, text)


def from_us(us: int) -> Instant:
    """An instant from microseconds since 1970."""
    try:
        return from_datetime(EPOCH + timedelta(microseconds=us))
    except OverflowError as error:
        raise AbsurdTime(f"{us} microseconds") from error


def is_small_count(value: Any) -> bool:
    """Whether a value is a number too small for the seconds of a time: rather a spreadsheet's day, or none."""
    if type(value) is str:
        text = value.strip()
        return _is_number(text) and abs(float(text[:40])) < _SMALLEST
    return type(value) in (int, float) and abs(value) < _SMALLEST


def _is_number(text: str) -> bool:
    """Whether a text is a number and no date: eight digits are a date as ISO has it, 20260301."""
    bare = text.strip().lstrip("-")
    return bare.replace(".", "", 1).isdigit() and bare.isascii() and len(bare) != 8


def _from_text(text: str, zone: tzinfo, time_format: str | None = None) -> Instant:
    """The forms fromisoformat refuses: epoch digits, a trailing UTC, an offset without minutes."""
    if _is_number(text):
        return _from_number(float(text) if "." in text else int(text[:40]), time_format)
    if text.upper().endswith(" UTC"):
        return from_datetime(_iso(text[:-4]), UTC)
    if len(text) > 10 and text[:5].isdigit() and "-" in text[5:7]:
        raise AbsurdTime(text[:60])
    return from_datetime(_iso(text), zone)


def _iso(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError as error:
        found = _ONE_MORE.match(text.upper())
        if found is None:
            raise NotATime(repr(text[:60])) from error
        # the last moment of a day or a minute that is legal and that no datetime holds
        day, clock, rest = found.groups()
        hour, minute, second = ("00", "00", "00") if clock[:2] == "24" else clock.split(":")
        moment = _iso(f"{day}T{hour}:{minute}:{min(int(second), 59):02}{rest}")
        return moment + (timedelta(days=1) if clock[:2] == "24" else timedelta(seconds=1))


def _from_number(value: float, time_format: str | None) -> Instant:
    """Epoch seconds, milli- or microseconds; without a format told apart by size."""
    if math.isnan(value) or abs(value) > 1e19:
        raise AbsurdTime(str(value)[:60])
    if time_format is None:
        size = abs(value)
        unit = 1_000_000 if size < 1e11 else 1_000 if size < 1e14 else 1
    elif time_format in _EPOCH_UNITS:
        unit = _EPOCH_UNITS[time_format]
    else:
        return parse_instant(str(value), UTC, time_format)
    return from_us(value * unit if isinstance(value, int) else round(value * unit))
