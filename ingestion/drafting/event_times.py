"""Which fields of a record are times, and in which form they are written.

Belongs here: the `time_format` under which the loader reads every value as a plausible instant.
Does not belong here: reading instants (`ingestion.times`), which time means what (`envelope`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingestion.values.instants import AbsurdTime, NotATime, parse_instant

_DAYS = (
    "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%m/%d/%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%d %b %Y",
    "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y",
)  # fmt: skip
_CLOCKS = (
    "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p",
    " %H:%M:%S %z",
)  # fmt: skip
_OTHERS = ("%Y%m%d", "%Y%m%d%H%M%S", "%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z")
_FORMATS = (*_OTHERS, *(day + clock for day in _DAYS for clock in _CLOCKS))
_EPOCHS = ("epoch_s", "epoch_ms", "epoch_us")
_1990, _2100 = 631_152_000_000_000, 4_102_444_800_000_000  # microseconds
_TRIED = 200  # values that choose among the formats before all are asked
_ENDS_IN_ZONE = re.compile(r"(Z|UTC|:\d\d.*[+-]\d\d(:?\d\d)?)\s*\Z", re.IGNORECASE)


@dataclass(frozen=True)
class TimeForm:
    """How a field writes its times; `also` is another reading of the same texts."""

    time_format: str | None  # None: ISO, which needs no saying
    has_zone: bool
    also: str | None = None


def time_form(values: Sequence[Any], share: float = 1.0) -> TimeForm | None:
    """The form under which this share of the values are plausible times, or None."""
    numbers = sum(map(_is_number, values))
    if not values:
        return None
    if numbers >= share * len(values):
        formats: tuple[str | None, ...] = ("%Y%m%d", "%Y%m%d%H%M%S", *_EPOCHS)
    elif numbers > (1 - share) * len(values):
        return None
    else:
        formats = (None, *_FORMATS)
    few = values[:_TRIED]
    fitting = [f for f in formats if _read(few, f) >= share and _read(values, f) >= share]
    if not fitting:
        return None
    chosen = fitting[0]
    has_zone = chosen in _EPOCHS or (chosen or "").endswith("%z")
    has_zone |= chosen is None and _zoned(values) >= share
    also = next((form for form in fitting[1:] if _swaps(chosen, form)), None)
    return TimeForm(chosen, has_zone, also)


def _is_number(value: Any) -> bool:
    if type(value) is str:
        return value.strip().replace(".", "", 1).isdecimal()
    return type(value) in (int, float)


def _read(values: Sequence[Any], form: str | None) -> float:
    """The share of values that are plausible times in a form."""
    good = 0
    for value in values:
        if type(value) not in (str, int, float):
            continue
        try:
            good += _1990 <= parse_instant(value, time_format=form).us < _2100
        except (NotATime, AbsurdTime, ValueError):
            continue
    return good / len(values)


def _zoned(values: Sequence[Any]) -> float:
    """The share of texts that end in a zone."""
    return sum(_ENDS_IN_ZONE.search(str(value)) is not None for value in values) / len(values)


def _swaps(chosen: str | None, other: str | None) -> bool:
    """Whether two formats differ in the order of day and month alone."""
    if chosen is None or other is None:
        return False
    return chosen != other and sorted(chosen) == sorted(other) and chosen[:2] == "%d"
