"""Texts of a CSV as numbers and flags, as its contract writes them.

Belongs here: from one text to one value, or the finding that it is none. Does not belong here: what
becomes of a text that does not fit (`event_types`), times (`values.instants`).
"""

import math
import re
from typing import Any

from ingestion.contracts.mapping import FileFormat

_FLAGS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_EXACT = 2**53  # beyond it a double loses digits


class TextValues:
    """Reads the texts of files of one format."""

    def __init__(self, form: FileFormat) -> None:
        whole = r"\d+"
        if form.thousands is not None:  # in groups of three, or in none
            whole = rf"(?:\d{{1,3}}(?:{re.escape(form.thousands)}\d{{3}})+|\d+)"
        point = re.escape(form.decimal)
        self._number = re.compile(
            rf"(?P<sign>[+-]?)(?:(?P<whole>{whole})(?:{point}(?P<part>\d*))?"
            rf"|{point}(?P<only>\d+))(?P<power>[eE][+-]?\d+)?",
            re.ASCII,
        )
        self._thousands = form.thousands or ""

    def number(self, text: str) -> int | float | None:
        """A number, whole ones with every digit; None where the text is no number."""
        found = self._number.fullmatch(text.strip())
        if found is None:
            return None
        whole = found["whole"] or "0"
        if self._thousands:
            whole = whole.replace(self._thousands, "")
        part, power = found["part"] or found["only"] or "", found["power"] or ""
        if found["part"] is None and found["only"] is None and not power:
            return int(found["sign"] + whole)
        value = float(f"{found['sign']}{whole}.{part or '0'}{power}")
        if not power and abs(value) >= _EXACT and not part.strip("0"):
            return int(found["sign"] + whole)
        return value if math.isfinite(value) else None

    def integer(self, text: str) -> int | None:
        """A whole number, also one with zeros after its decimal mark; None where it is none."""
        value = self.number(text)
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
            return int(value)
        return value if isinstance(value, int) else None

    def read(self, text: str, wanted: str) -> Any:
        """A text as integer, number or boolean; the text itself where it is none, or nothing else is
        wanted."""
        value: int | float | bool | None = None
        if wanted == "integer":
            value = self.integer(text)
        elif wanted == "number":
            value = self.number(text)
        elif wanted == "boolean":
            value = _FLAGS.get(text.strip().lower())
        return text if value is None else value
