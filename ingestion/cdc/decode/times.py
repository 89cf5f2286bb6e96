"""Dates, times and intervals as Debezium sends them: counts since 1970, or ISO text.

Belongs here: turning either into text that Postgres reads, over Postgres' whole range (4713 BC to
294276 AD, ±infinity), which is wider than Python's. Does not belong here: any other type.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ingestion.values.instants import DAY_US, EPOCH, start_of_year

Decoder = Callable[[Any], str]

PYTHON_RANGE_US = (start_of_year(1), start_of_year(9999) + 365 * DAY_US - 1)  # years 1 to 9999
# How the Postgres connector renders the infinities of timestamps (any unit) and of dates, the
# latter as they come out of its own overflow.
_INFINITE_TIMES = {9_223_372_036_825_200_000: "infinity", -9_223_372_036_832_400_000: "-infinity"}
_INFINITE_DATES = {
    2_147_483_647: "infinity", -2_147_472_692: "infinity",
    -2_147_483_648: "-infinity", -2_147_472_691: "-infinity",
}  # fmt: skip
_INFINITE_TEXT = frozenset({"infinity", "-infinity"})
_PER_UNIT_NS = {
    "seconds": 1_000_000_000, "milliseconds": 1_000_000, "microseconds": 1_000, "nanoseconds": 1,
}  # fmt: skip
_PLAUSIBLE = (start_of_year(1900), start_of_year(2100))
_THESE_YEARS = (start_of_year(1971), start_of_year(2100))
_FIRST, _LAST = start_of_year(1), start_of_year(9999) + 364 * DAY_US
_WEEKS = 50 * DAY_US  # the milliseconds of 2100, read as micro
_MIN_DAY, _MAX_DAY = -2_440_588, 2_145_042_541  # Postgres: 4713-11-24 BC and 5874897-12-31
_MIN_US, _MAX_US = -210_866_803_200_000_000, 9_224_318_015_999_999_999

_DATE = re.compile(r"\d{4,7}-\d\d-\d\d( BC)?\Z", re.ASCII)
_TIME = r"([01]\d|2[0-4]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_ZONE = r"(Z|[+-](0\d|1[0-5])(:?[0-5]\d(:?[0-5]\d)?)?)"
_TIMESTAMP = re.compile(rf"[+-]?\d{{4,7}}-\d\d-\d\d[T ]{_TIME} ?{_ZONE}?( BC)?\Z", re.ASCII)
_OFFSET = re.compile(r":\d\d(?:\.\d+)? ?[+-](?!00(?::?00)?\Z)[\d:]+\Z", re.ASCII)
_TIME_TEXT = re.compile(rf"{_TIME}({_ZONE})?\Z", re.ASCII)
_PERIOD = re.compile(
    r"P(?=.)(-?\d{1,7}Y)?(-?\d{1,7}M)?(-?\d{1,7}D)?"
    r"(T(?=.)(-?\d{1,7}H)?(-?\d{1,7}M)?(-?\d{1,9}(\.\d{1,9})?S)?)?\Z",
    re.ASCII,
)


def stated_us(micros: Any, millis: Any) -> int | None:
    """The finer of the two times that a record states of itself, in microseconds since 1970; None
    for what lies outside the years 1970 to 9999."""
    if type(micros) is not int:
        if type(millis) is not int:
            return None
        micros = millis * 1000
    return micros if 0 < micros <= PYTHON_RANGE_US[1] else None


def unit_of(base: str, fraction: int, encoding: str | None) -> str:
    """What the numbers of a type count. Debezium counts milliseconds up to three decimals, else micro."""
    if encoding or base == "interval":
        return encoding or "microseconds"
    return "milliseconds" if fraction <= 3 else "microseconds"


def is_implausible(base: str, fraction: int, encoding: str | None, count: Any) -> bool:
    """Whether a count makes a time that few mean, in the unit that a contract has it in, and in another one a time
    of these years."""
    if type(count) is not int or count in _INFINITE_TIMES:
        return False
    if base == "date" and encoding is None:
        is_known = count in _INFINITE_DATES or not is_far(count * DAY_US)
        return not is_known and (_is_of_these_years(count) or 1971_01_01 <= count < 2100_01_01)
    micros = count * _PER_UNIT_NS[unit_of(base, fraction, encoding)] // 1000
    return bool(is_far(micros) | is_early(micros)) and _is_of_these_years(count)


def _is_of_these_years(count: int) -> bool:
    """Whether a count is a time of 1971 to 2100 in one unit or another."""
    return any(
        _THESE_YEARS[0] <= count * unit // 1000 < _THESE_YEARS[1] for unit in _PER_UNIT_NS.values()
    )


def is_far(micros: Any) -> Any:
    """Whether a time, or each of an array, lies before 1900 or after 2100; the first and the last day of the
    calendar stand for never."""
    is_past = (micros < _FIRST) | (micros >= _FIRST + DAY_US) & (micros < _PLAUSIBLE[0])
    return is_past | (micros >= _PLAUSIBLE[1]) & (micros < _LAST) | (micros >= _LAST + DAY_US)


def is_early(micros: Any) -> Any:
    """Whether it lies in the weeks about 1970 where every time of today does that is counted in a unit a thousand
    times finer."""
    return (micros > -_WEEKS) & (micros < _WEEKS) & (micros != 0)


def sent_decoder(base: str, unit: str) -> Decoder:
    """The decoder of what a record's own schema says: to ISO text, whatever the column is."""
    if base == "date":
        return _date
    return decoder(base, 6, unit)


def decoder(base: str, fraction: int, encoding: str | None) -> Decoder:
    """The decoder of a type."""
    unit = unit_of(base, fraction, encoding)
    if base == "date":
        return _date if encoding is None else _date_of(_PER_UNIT_NS[unit])
    if base in ("time", "timetz"):
        return _time_of(_PER_UNIT_NS[unit])
    if base == "interval":
        return _interval_of(_PER_UNIT_NS[unit])
    return _timestamp_of(_PER_UNIT_NS[unit], "+00" if base == "timestamptz" else "")


def _timestamp_of(unit_ns: int, suffix: str) -> Decoder:
    def run(value: Any) -> str:
        if type(value) is int:
            if value in _INFINITE_TIMES:
                return _INFINITE_TIMES[value]
            micros = value * unit_ns // 1000
            if not _MIN_US <= micros <= _MAX_US:
                raise ValueError("a time out of range")
            return _instant(micros, suffix)
        text = iso_timestamp(value)
        return text if suffix or not _OFFSET.search(text) else _in_utc(text)

    return run


def _in_utc(text: str) -> str:
    """A time that says its offset, for a column without one: as it is in UTC, like all that is counted."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(" ")[:-6]
    except (ValueError, OverflowError) as error:
        raise ValueError("a time with an offset that cannot be read") from error


def iso_timestamp(value: Any) -> str:
    """ISO text, checked: Postgres reads it as it is, but must not be given an impossible date."""
    if type(value) is str and value[10:11] == "T" and value[-1] == "Z" and value[19] in ".Z":
        try:  # what Debezium sends, nearly always
            datetime.fromisoformat(value)
            return value
        except ValueError:
            pass
    if not isinstance(value, str) or not _TIMESTAMP.match(value):
        if value in _INFINITE_TEXT:
            return str(value)
        raise ValueError("not a time")
    try:
        datetime.fromisoformat(value[:19])
    except ValueError:
        if "BC" in value or not value[:4].isdigit() or value[4] != "-":
            return _far(value)
        raise
    return value


def _far(value: str) -> str:
    match = re.match(r"([+-]?)(\d+)-(\d\d)-(\d\d)(.*?)( BC)?\Z", value, re.ASCII)
    if (
        match is None
        or match[5][1:3] == "24"
        or not 1 <= int(match[3]) <= 12
        or not 1 <= int(match[4]) <= 28
    ):
        raise ValueError("a time that cannot be read")
    year = int(match[2]) * (-1 if match[1] == "-" else 1)
    if match[6]:
        year = 1 - year
    if not -4712 <= year <= 294_275:
        raise ValueError("a time out of range")
    era = " BC" if year < 1 else ""
    return f"{1 - year if year < 1 else year:04d}-{match[3]}-{match[4]}{match[5]}{era}"


def _instant(micros: int, suffix: str) -> str:
    if PYTHON_RANGE_US[0] <= micros <= PYTHON_RANGE_US[1]:
        return (EPOCH + timedelta(microseconds=micros)).isoformat(" ")[:-6] + suffix
    days, rest = divmod(micros, DAY_US)
    day, era = _civil(days)
    return f"{day} {_clock(rest)}{suffix}{era}"


def _date(value: Any) -> str:
    if type(value) is int:
        if value in _INFINITE_DATES:
            return _INFINITE_DATES[value]
        if not _MIN_DAY <= value <= _MAX_DAY:
            raise ValueError("a date out of range")
        return "".join(_civil(value))
    if isinstance(value, str):
        if value in _INFINITE_TEXT:
            return value
        has_time = len(value) > 10 and value[10] in "T Z+-" and "BC" not in value
        day = value[:10] if has_time else value
        if _DATE.match(day):
            iso_timestamp(day.replace(" BC", "") + "T00:00:00" + (" BC" if "BC" in day else ""))
            return day
    raise ValueError("not a date")


def _date_of(unit_ns: int) -> Decoder:
    def run(value: Any) -> str:
        return _date(value * unit_ns // 1000 // DAY_US if type(value) is int else value)

    return run


@lru_cache(maxsize=20_000)
def _civil(days: int) -> tuple[str, str]:
    """Days since 1970 as a proleptic Gregorian date and ` BC` where it is (Hinnant's way)."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    year = year_of_era + era * 400 + (month <= 2)
    shown = year if year > 0 else 1 - year
    return f"{shown:04d}-{month:02d}-{day:02d}", "" if year > 0 else " BC"


def _clock(micros: int) -> str:
    seconds, fraction = divmod(micros, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text


def _time_of(unit_ns: int) -> Decoder:
    def run(value: Any) -> str:
        if type(value) is int:
            micros = value * unit_ns // 1000
            if not 0 <= micros <= DAY_US:
                raise ValueError("a time of day out of range")
            return _clock(micros)
        if isinstance(value, str) and _TIME_TEXT.match(value):
            if value[:2] == "24" and value[2:8] not in (":00", ":00:00"):
                raise ValueError("a time of day out of range")
            return value
        raise ValueError("not a time of day")

    return run


def _interval_of(unit_ns: int) -> Decoder:
    """A count of time, or ISO 8601 (`P1Y2M3DT4H5M6.7S`, interval.handling.mode=string)."""

    def run(value: Any) -> str:
        if type(value) is int and abs(value) < 1 << 63:
            days, rest = divmod(value * unit_ns // 1000, DAY_US)
            return f"{days} days {_clock(rest)}"
        if isinstance(value, str) and len(value) < 100 and _PERIOD.match(value):
            return value
        raise ValueError("not an interval")

    return run
