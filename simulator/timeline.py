"""Time as the sample knows it: the window, tenants' local days, and how instants are written.

Instants are whole milliseconds since 1970 in UTC; local days are `date` ordinals counted from the
first day that matters. Nothing here reads the wall clock.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DEFAULT_END = datetime(2026, 10, 29, tzinfo=UTC)
HISTORY_DAYS = 420
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Window:
    """The days a sample covers: [start, end) in milliseconds UTC."""

    start: int
    end: int
    days: int

    @classmethod
    def ending(cls, end: datetime, days: int) -> Window:
        stop = int(end.timestamp()) * SECOND
        return cls(stop - days * DAY, stop, days)

    @property
    def first_date(self) -> date:
        return _EPOCH + timedelta(days=self.start // DAY)


class LocalDays:
    """The calendar of one timezone: local midnights as instants."""

    def __init__(self, timezone: str, first: date, count: int) -> None:
        self.zone = zone = ZoneInfo(timezone)
        self.first = first
        self.dates = [first + timedelta(days=i) for i in range(count)]
        self.midnights = np.array(
            [
                int(datetime(d.year, d.month, d.day, tzinfo=zone).timestamp()) * SECOND
                for d in self.dates
            ],
            dtype=np.int64,
        )
        self._starts: list[int] = self.midnights.tolist()

    def index(self, instant: int) -> int:
        """The index of the local day the instant falls on."""
        return bisect_right(self._starts, instant) - 1

    def day(self, instant: int) -> date:
        """The local day of any instant, also before and after the calendar."""
        if self._starts[0] <= instant < self._starts[-1]:
            return self.dates[self.index(instant)]
        return datetime.fromtimestamp(instant / SECOND, self.zone).date()


@cache
def _calendar(timezone: str, first: date, count: int) -> LocalDays:
    return LocalDays(timezone, first, count)


def local_days(timezone: str, window: Window) -> LocalDays:
    """The calendar of `timezone` from well before the window until shortly after it."""
    first = window.first_date - timedelta(days=HISTORY_DAYS)
    return _calendar(timezone, first, HISTORY_DAYS + window.days + 5)


@cache
def _date_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def iso(instant: int) -> str:
    """`2026-05-02T08:15:30.250Z`."""
    day, rest = divmod(instant, DAY)
    minutes, millis = divmod(rest, MINUTE)
    seconds, millis = divmod(millis, SECOND)
    hours, minutes = divmod(minutes, 60)
    return f"{_date_text(day)}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z"


def iso_micros(instant: int) -> str:
    """As Debezium writes a timestamptz: `2026-05-02T08:15:30.250000Z`."""
    return iso(instant)[:-1] + "000Z"


def utc_day(instant: int) -> str:
    return _date_text(instant // DAY)


def epoch_day(day: date) -> int:
    """Days since 1970, as Debezium writes a date."""
    return (day - _EPOCH).days


def add_months(instant: int, months: int) -> int:
    """The same time of day so many calendar months on (the month's last day where it is short)."""
    day, rest = divmod(instant, DAY)
    start = _EPOCH + timedelta(days=day)
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    for number in (start.day, 30, 29, 28):
        try:
            return epoch_day(date(year, month + 1, number)) * DAY + rest
        except ValueError:
            continue
    raise ValueError(f"no day {start.day} in month {month + 1} of {year}")
