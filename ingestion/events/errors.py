"""How reading an event ends early, and the one check of ids that several readers share."""

from typing import Any

from ingestion.events.limits import MAX_ID_LENGTH
from ingestion.values.json_lines import is_inexact
from ingestion.values.outcomes import Rejected
from ingestion.values.wording import kind_of


class Invalid(Exception):
    """The event breaks its contract; carries the rejection."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(rejected.reason)
        self.rejected = rejected


class InexactParse(Exception):
    """The fast parse lost something (digits, a NUL character): read the line again, exactly."""


def text_of(value: Any, field: str) -> str:
    """An id or name as text; whole numbers are ids too, flags and structures are not."""
    kind = type(value)
    if kind is str and value and len(value) <= MAX_ID_LENGTH:
        return str(value)
    if kind is int:
        return str(value)
    if kind is float and is_inexact(value):
        raise InexactParse
    too_long = f"empty or longer than {MAX_ID_LENGTH} characters"
    described = too_long if kind is str else f"a {kind_of(value)}"
    reason = f"{field} is {described}; a short text or a whole number is due."
    raise Invalid(Rejected("wrong_type", reason))
