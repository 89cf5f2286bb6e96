"""The fields of the envelope of one record, where the contract finds them and as the type it says.

Belongs here: getters by field name. Does not belong here: paths and conditions (`field_paths`), what
a field may hold (`context`, `times`, `parser`).
"""

from typing import Any

from ingestion.contracts.field_paths import Getter, getter
from ingestion.contracts.model import WHOLE_NUMBERS, EventContract
from ingestion.events.errors import InexactParse, Invalid
from ingestion.events.text_values import TextValues
from ingestion.values.json_lines import is_inexact
from ingestion.values.outcomes import Rejected


def envelope_getters(contract: EventContract) -> dict[str, Getter]:
    """A function for each mapped field that a record holds; it raises Invalid for a value that is
    not of the type the contract says."""
    texts = TextValues(contract.format)
    getters = {}
    for name, field in contract.envelope.items():
        get = getter(field)
        if get is None:
            continue
        if name == "page_load_time_ms":
            get = _number(get, name, texts)
        elif field.type == "integer" and name not in WHOLE_NUMBERS:
            get = _integer(get, name, texts)
        getters[name] = get
    return getters


def _integer(get: Getter, name: str, texts: TextValues) -> Getter:
    def integer(record: Any) -> int | None:
        value = get(record)
        if value is None or value == "":
            return None
        if type(value) is float and is_inexact(value):
            raise InexactParse
        found = None
        if type(value) is int or (type(value) is float and value.is_integer()):
            found = int(value)
        elif type(value) is str:
            found = texts.integer(value)
        if found is None:
            reason = f"{name} is no whole number, which its contract says it is."
            raise Invalid(Rejected("wrong_type", reason))
        return found

    return integer


def _number(get: Getter, name: str, texts: TextValues) -> Getter:
    def number(record: Any) -> Any:
        value = get(record)
        if type(value) is not str:
            return value
        if not value.strip():
            return None
        found = texts.number(value)
        if found is None:
            raise Invalid(Rejected("wrong_type", f"{name} is not a number."))
        return found

    return number
