"""Time zones by their IANA names, in any case.

Belongs here: finding a zone. Does not belong here: whose zone it is (contracts, tenants).
"""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def find_zone(name: str) -> ZoneInfo | None:
    """The zone of a name, however its letters are cased; None where nobody knows it."""
    known = _by_lower_case().get(name.strip().lower())
    return ZoneInfo(known) if known is not None else None


@cache
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}
