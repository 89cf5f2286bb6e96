"""The type of an event's property, from its values; text of a CSV counts as what it becomes.

Belongs here: one property's type and what to say of it. Does not belong here: checking by it
(`ingestion.events.event_types`).
"""

from ingestion.drafting.profiles import Profile

_EXACT_DIGITS = 15  # of a decimal that a double holds
_LONG_DIGITS = 18  # of an integer within 64 bits


def property_type(  # noqa: PLR0911
    profile: Profile, is_csv: bool, decimal: str = "."
) -> tuple[str, str]:
    """(type, note); `decimal` is the mark that the contract says its numbers have."""
    if not profile.count:
        return "any", "only nulls in the sample"
    simple: dict[type, str] = {bool: "boolean", int: "integer", dict: "object", list: "array"}
    for kind, name in simple.items():
        if profile.of(kind):
            return name, ""
    if profile.of(int, float):
        return "number", ""
    if not profile.of(str):
        return "any", "values of several kinds"
    for form, name in (("uuid", "uuid"), ("day", "date"), ("instant", "timestamp")):
        if profile.follows(form):
            return name, ""
    if profile.follows("local_time"):
        return "timestamp", "without a zone: kept as written"
    return _from_text(profile, decimal) if is_csv else ("string", "")


def _from_text(profile: Profile, decimal: str) -> tuple[str, str]:  # noqa: PLR0911
    if profile.follows("boolean"):
        return "boolean", ""
    if profile.follows("whole") and profile.longest_digits <= _LONG_DIGITS:
        return "integer", ""
    if profile.follows("decimal"):
        if profile.longest_digits <= _EXACT_DIGITS:
            return "number", ""
        return "string", "more digits than a number keeps"
    if profile.follows("decimal_comma") and profile.has_comma:
        if decimal == "," and profile.longest <= _EXACT_DIGITS:
            return "number", ""
        return "string", "numbers with a decimal comma: kept as text"
    if profile.follows("digits"):
        return "string", "digits with leading zeros, or too many: kept as text"
    return "string", ""
