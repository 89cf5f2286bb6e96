"""What a contract says about one event name, made ready for checking properties quickly.

Belongs here: types, allowed values, required names, personal tags, drift of properties. Does not
belong here: the envelope (`parser`), judging undeclared keys (`scrub`).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ingestion.contracts.mapping import FieldMap, FileFormat
from ingestion.contracts.model import EventContract, EventType, FieldType
from ingestion.events.errors import InexactParse, Invalid
from ingestion.events.text_values import TextValues
from ingestion.privacy.scrub import KEEP, REMOVE, TOKEN, Scrubber, suspicious
from ingestion.values.identity import UUID_TEXT
from ingestion.values.instants import AbsurdTime, NotATime, parse_instant
from ingestion.values.json_lines import is_inexact
from ingestion.values.outcomes import Rejected
from ingestion.values.wording import kind_of

_TYPES: Mapping[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, float}),
    "boolean": frozenset({bool}),
    "object": frozenset({dict}),
    "array": frozenset({list}),
    "timestamp": frozenset({str, int, float}),
    "date": frozenset({str}),
    "uuid": frozenset({str}),
}
_WORDS = {str: "text", int: "whole number", float: "number", bool: "flag", dict: "JSON object",
          list: "JSON array"}  # fmt: skip
MAX_LEARNED = 2_000  # undeclared keys remembered per event name


class Rule(NamedTuple):
    """How one property is treated."""

    types: frozenset[type] | None  # None: anything
    declared: FieldType | None
    verdict: str
    is_drift: bool


class CompiledEventType:
    """One event name of one contract."""

    def __init__(self, name: str, event: EventType, contract: EventContract, domain: str | None,
                 scrubber: Scrubber) -> None:  # fmt: skip
        self.name = name
        self._shown_name = scrubber.key(name, None)
        self.domain = event.domain or domain
        self.required = tuple(event.required)
        self._scrubber = scrubber
        self._harmless: set[str] = set()  # short texts that were looked at before
        self._reports_drift = contract.properties.rest == "report"
        declared = {**contract.common, **event.optional, **event.required}
        self._declared = declared
        mapped = contract.properties.fields
        self._rules = {key: self._declared_rule(key, field) for key, field in declared.items()}
        self._rules |= {
            key: self._mapped_rule(key, field, contract.format)
            for key, field in mapped.items()
            if key not in declared
        }
        self._texts = TextValues(contract.format)
        self._text_types = {
            **{key: field.type for key, field in mapped.items()},
            **{key: field.type for key, field in declared.items()},
        }

    def _declared_rule(self, key: str, field: FieldType) -> Rule:
        verdict = {"token": TOKEN, "drop": REMOVE}.get(field.personal or "")
        strict = field.values is not None or field.type in {"timestamp", "date", "uuid"}
        return Rule(
            _TYPES.get(field.type),
            field if strict else None,
            verdict or self._scrubber.judge(key),
            False,
        )

    def _mapped_rule(self, key: str, field: FieldMap, form: FileFormat) -> Rule:
        """Of a property that the event does not declare: a text must still be what its column is."""
        if form.is_text and field.type != "any":
            return self._declared_rule(key, FieldType(type=field.type))
        return self._learned(key, False)

    def _is_harmless(self, text: str) -> bool:
        if suspicious(text):
            return False
        if len(text) <= 40 and len(self._harmless) < MAX_LEARNED:
            self._harmless.add(text)
        return True

    def _learned(self, key: str, is_drift: bool) -> Rule:
        """Of a property that nobody declared, where a plain name is a person's."""
        verdict = TOKEN if key == "name" else self._scrubber.judge(key)
        return Rule(None, None, verdict, is_drift)

    def from_text(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Text of a CSV as the declared types; text that does not fit stays, to be refused."""
        for key, value in properties.items():
            if type(value) is str and (wanted := self._text_types.get(key)):
                properties[key] = self._texts.read(value, wanted)
        return properties

    def cleared(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Of a refused event's properties those that are declared, plain values of their type and
        not personal."""
        cleared = {}
        for key, value in properties.items():
            declared = self._declared.get(key)
            if declared is None or type(value) not in (str, int, float, bool):
                continue
            rule = self._rules[key]
            if rule.verdict is not KEEP or (rule.types and type(value) not in rule.types):
                continue
            try:
                check_value(self.name, key, value, declared)
            except Invalid:
                continue
            is_text = type(value) is str
            cleared[key] = self._scrubber.text(value, None, key) if is_text else value
        return cleared

    def clean(self, properties: dict[str, Any], tenant_id: str, drift: dict[Any, int],
              exact: bool) -> None:  # fmt: skip
        """Check and scrub properties in place; InexactParse when an integer may have lost digits."""
        rules = self._rules
        for name in self.required:
            if properties.get(name) is None:
                reason = f"The event {self.name!r} lacks its required property {name!r}."
                raise Invalid(Rejected("missing_field", reason))
        renamed = False
        for key, value in properties.items():
            rule = rules.get(key)
            if rule is None:
                rule = self._learned(key, self._reports_drift)
                if len(rules) < MAX_LEARNED:
                    rules[key] = rule
            if rule.is_drift:
                is_odd = suspicious(key)
                shown = self._scrubber.key(key, None) if is_odd else key
                place = (self._shown_name, shown[:200], "unknown_field")
                drift[place] = drift.get(place, 0) + 1
                renamed = renamed or is_odd
            kind = type(value)
            if value is not None and rule.types is not None and kind not in rule.types:
                raise Invalid(wrong_type(self.name, key, value, rule.types))
            if rule.declared is not None and value is not None:
                check_value(self.name, key, value, rule.declared)
            if kind is float and not exact and is_inexact(value):
                raise InexactParse
            if rule.verdict is not KEEP:
                properties[key] = self._scrubber.by_verdict(rule.verdict, value, tenant_id, 0, key)
            elif kind is str:
                if value not in self._harmless and not self._is_harmless(value):
                    properties[key] = self._scrubber.text(value, tenant_id, key)
            elif kind is dict or kind is list or (kind is int and value >= 10**12):
                if not exact and _holds_inexact(value):
                    raise InexactParse
                properties[key] = self._scrubber.value(key, value, tenant_id)
        if renamed:
            for key in [key for key in properties if suspicious(key)]:
                properties[self._scrubber.key(key, tenant_id)] = properties.pop(key)


def wrong_type(event: str, key: str, value: Any, wanted: frozenset[type]) -> Rejected:
    names = " or ".join(sorted({_WORDS[kind] for kind in wanted}))
    kind = kind_of(value)
    return Rejected("wrong_type", f"{key!r} of {event!r} is a {kind}; its contract says {names}.")


def check_value(event: str, key: str, value: Any, declared: FieldType) -> None:
    """Allowed values and texts with a form; raises Invalid."""
    if declared.values is not None and value not in declared.values:
        allowed = ", ".join(map(str, declared.values))
        raise Invalid(Rejected("value_not_allowed", f"{key!r} of {event!r} is none of {allowed}."))
    if declared.type == "uuid" and not UUID_TEXT.match(value):
        raise Invalid(Rejected("wrong_type", f"{key!r} of {event!r} is not a UUID."))
    if declared.type in {"timestamp", "date"}:
        try:
            parse_instant(value)
        except (NotATime, AbsurdTime) as error:
            reason = f"{key!r} of {event!r} is not a {declared.type}."
            raise Invalid(Rejected("wrong_type", reason)) from error


def _holds_inexact(value: Any) -> bool:
    if type(value) is float:
        return is_inexact(value)
    if type(value) is dict:
        return any(map(_holds_inexact, value.values()))
    return any(map(_holds_inexact, value)) if type(value) is list else False
