"""Which fields of a record are times, and in which form they are written.

Belongs here: the `time_format` under which the loader reads every value as a plausible instant.
Does not belong here: reading instants (`ingestion.times`), which time means what (`envelope`).
"""

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
_TRIED = 200  # values that choose among the formats; all must then agree


@dataclass(frozen=True)
class TimeForm:
    """How a field writes its times; `also` is another reading of the same texts."""

    time_format: str | None  # None: ISO, which needs no saying
    has_zone: bool
    also: str | None = None


def time_form(values: Sequence[Any]) -> TimeForm | None:
    """The form under which all values are plausible times, or None."""
    if not values or any(type(value) not in (str, int, float) for value in values):
        return None
    if any(type(value) is str and not value.strip() for value in values):
        return None
    if all(_is_number(value) for value in values):
        formats: tuple[str | None, ...] = ("%Y%m%d", "%Y%m%d%H%M%S", *_EPOCHS)
    elif any(_is_number(value) for value in values):
        return None
    else:
        formats = (None, *_FORMATS)
    few = values[:_TRIED]
    fitting = [form for form in formats if _all_read(few, form) and _all_read(values, form)]
    if not fitting:
        return None
    chosen = fitting[0]
    has_zone = (
        chosen in _EPOCHS or (chosen or "").endswith("%z") or (chosen is None and _zoned(values))
    )
    also = next((form for form in fitting[1:] if _swaps(chosen, form)), None)
    return TimeForm(chosen, has_zone, also)


def _is_number(value: Any) -> bool:
    return type(value) is not str or value.strip().replace(".", "", 1).isdecimal()


def _all_read(values: Sequence[Any], form: str | None) -> bool:
    for value in values:
        try:
            if not _1990 <= parse_instant(value, time_format=form).us < _2100:
                return False
        except (NotATime, AbsurdTime, ValueError):
            return False
    return True


def _zoned(values: Sequence[Any]) -> bool:
    return all(
        str(value).rstrip().endswith(("Z", "z", "UTC"))
        or "+" in str(value)[10:]
        or "-" in str(value)[10:]
        for value in values
    )


def _swaps(chosen: str | None, other: str | None) -> bool:
    """Whether two formats differ in the order of day and month alone."""
    if chosen is None or other is None:
        return False
    return chosen != other and sorted(chosen) == sorted(other) and chosen[:2] == "%d"
