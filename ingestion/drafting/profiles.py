"""What the values of one field have in common, gathered one value at a time in little memory.

Belongs here: kinds, ranges, the forms that every text follows, how many are distinct. Does not
belong here: which type a contract gives the field (`cdc_types`, `event_types`), personal data
(`personal`). A profile is never printed: it may hold hashes of values, and counts, but no value.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import orjson

from ingestion.values.identity import UUID_TEXT

MAX_DISTINCT = 20_000

_CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_ZONE = r"(Z|[+-]\d\d(:?\d\d)?)"
_TIMESTAMP = re.compile(rf"\d{{4}}-\d\d-\d\d[T ]{_CLOCK} ?{_ZONE}?\Z", re.ASCII)
_TIME = re.compile(rf"{_CLOCK}{_ZONE}?\Z", re.ASCII)
_ENDS_IN_ZONE = re.compile(rf":\d\d.*{_ZONE}\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_INTERVAL = re.compile(r"P(?=.)(-?\d+Y)?(-?\d+M)?(-?\d+D)?(T(-?\d+H)?(-?\d+M)?(-?[\d.]+S)?)?\Z")
_WHOLE = re.compile(r"-?(0|[1-9]\d*)\Z", re.ASCII)
_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?\Z", re.ASCII)
_DECIMAL_COMMA = re.compile(r"-?\d{1,3}(\.?\d{3})*(,\d+)?\Z", re.ASCII)
_DIGITS = re.compile(r"-?\d+\Z", re.ASCII)
_WORD = re.compile(r"[^\W\d_]{2,}")
_BOOLEAN = frozenset({"true", "false", "t", "f"})


def _is_calendar_day(text: str) -> bool:
    if not _DATE.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_timestamp(text: str) -> bool:
    return _TIMESTAMP.match(text) is not None and _is_calendar_day(text[:10])


def _has_zone(text: str) -> bool:
    return _ENDS_IN_ZONE.search(text) is not None


def _holds_json(text: str) -> bool:
    if text[:1] not in ("{", "["):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) > 0
    except (binascii.Error, ValueError):
        return False


# form → whether a text follows it; a field follows a form when all its texts do
FORMS: Mapping[str, Callable[[str], bool]] = {
    "uuid": lambda text: UUID_TEXT.match(text) is not None,
    "day": _is_calendar_day,
    "instant": lambda text: _is_timestamp(text) and _has_zone(text),
    "local_time": lambda text: _is_timestamp(text) and not _has_zone(text),
    "clock": lambda text: _TIME.match(text) is not None and not _has_zone(text),
    "clock_with_zone": lambda text: _TIME.match(text) is not None and _has_zone(text),
    "interval": lambda text: _INTERVAL.match(text) is not None,
    "json": _holds_json,
    "whole": lambda text: _WHOLE.match(text) is not None,
    "decimal": lambda text: _DECIMAL.match(text) is not None,
    "pointed": lambda text: _DECIMAL.match(text) is not None and "." in text,
    "decimal_comma": lambda text: _DECIMAL_COMMA.match(text) is not None,
    "digits": lambda text: _DIGITS.match(text) is not None,
    "boolean": lambda text: text.lower() in _BOOLEAN,
    "base64": _is_base64,
    "not_finite": lambda text: text in ("NaN", "Infinity", "-Infinity"),
}


class Profile:
    """The values of one field, summed up."""

    def __init__(self) -> None:
        self.seen = 0  # records that have the field, null or not
        self.kinds: Counter[type] = Counter()  # of values that are not null
        self.low: float | None = None
        self.high: float | None = None
        self.forms = set(FORMS)  # that every text followed so far
        self.has_comma = False  # in a text that may be a decimal
        self.is_padded = False  # a text ends in = as base64 does
        self.longest = 0
        self.longest_digits = 0  # digits of the longest number written as text
        self.prose = 0  # texts of four words and more
        self.keys: set[str] = set()  # of objects
        self.items: Profile | None = None  # of lists
        self._distinct: set[int] = set()

    @property
    def count(self) -> int:
        """Values that are not null."""
        return self.kinds.total()

    @property
    def distinct(self) -> int:
        """Different values, counted up to MAX_DISTINCT."""
        return len(self._distinct)

    def of(self, *kinds: type) -> bool:
        """Whether there are values, and all of these kinds."""
        return self.count > 0 and self.kinds.keys() <= set(kinds)

    def follows(self, form: str) -> bool:
        """Whether all values are texts of a form."""
        return self.of(str) and form in self.forms

    def add(self, value: Any) -> None:
        """One more value."""
        self.seen += 1
        if value is None:
            return
        kind = type(value)
        self.kinds[kind] += 1
        if kind is str:
            self._text(value)
        elif kind is int or kind is float:
            self.low = value if self.low is None else min(self.low, value)
            self.high = value if self.high is None else max(self.high, value)
        elif kind is list:
            self.items = self.items or Profile()
            for item in value:
                self.items.add(item)
        elif kind is dict:
            self.keys.update(value)
        if len(self._distinct) < MAX_DISTINCT:
            plain = isinstance(value, str | int | float)
            self._distinct.add(hash(value if plain else repr(value)))

    def _text(self, value: str) -> None:
        self.longest = max(self.longest, len(value))
        self.prose += " " in value and len(_WORD.findall(value)) > 3
        if self.forms:
            self.forms = {form for form in self.forms if FORMS[form](value)}
        if "decimal" in self.forms:
            self.longest_digits = max(self.longest_digits, sum(map(str.isdigit, value)))
        self.has_comma |= "," in value
        self.is_padded |= value.endswith("=")
