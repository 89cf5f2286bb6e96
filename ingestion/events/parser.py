"""One line of an event source to one row of raw_events.events, by its contract.

The hot path of loading: everything that can be prepared per file or remembered between lines is.
Belongs here: the envelope (ids, times, tenant, context) and the row's text. Does not belong here:
properties (`event_types`), file formats (`formats`), storing (`sink`).
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from ingestion.contracts.field_paths import by_path, condition
from ingestion.contracts.model import EventContract, EventType
from ingestion.events.columns import TEXT_PARTS, UNHASHED, collect
from ingestion.events.context import Context
from ingestion.events.errors import InexactParse, Invalid, text_of
from ingestion.events.event_types import CompiledEventType
from ingestion.events.fast.decoder import is_plain
from ingestion.events.fast.reader import FastReader
from ingestion.events.formats import decoder
from ingestion.events.limits import MAX_DOMAIN_LENGTH, MAX_ID_LENGTH, MAX_VERSION
from ingestion.events.mapped_fields import envelope_getters
from ingestion.events.properties import Properties
from ingestion.events.shown import Shown
from ingestion.events.times import Times
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.rows import Accepted, Line
from ingestion.privacy.scrub import Scrubber, TooDeep, name_shown
from ingestion.privacy.tokens import Tokeniser, may_name_somebody, names_somebody
from ingestion.values.drift import Drift
from ingestion.values.identity import UUID_TEXT, is_placeholder, record_key
from ingestion.values.json_lines import decode_exactly, encode
from ingestion.values.outcomes import NULL, Ignored, Outcome, Rejected, Row, Touch, copy_field
from ingestion.values.wording import kind_of

_NEEDS_ESCAPE = re.compile(r"[\\\t\n\r]").search


class EventParser:
    """Parses the lines of one file of events."""

    def __init__(self, contract: EventContract, file: FileInfo, tokeniser: Tokeniser) -> None:
        self.drift = Drift()
        self._contract = contract
        self._product = contract.product
        self._default_source = contract.default_source
        self._file = file
        self._decode = decoder(contract.format, file.header)
        self._is_text = contract.format.is_text
        self._tokeniser = tokeniser
        self._scrubber = Scrubber(tokeniser, contract.product)
        self._context = Context(contract, tokeniser, self.drift)
        self._times = Times(contract)
        self._properties = Properties(contract)
        self._plans: dict[str, CompiledEventType] = {}
        self._touches: dict[tuple[str, str], Touch] = {}
        self._prepare_envelope(contract)
        self._shown = Shown(
            contract, self._decode, self._get, self._properties, self.plan_of, self._scrubber
        )
        self._fast = FastReader(contract, tokeniser, self) if is_plain(contract) else None

    def follow(self, file: FileInfo) -> bool:
        """Go on with another file of the contract, and with what is remembered of its people."""
        if file.header != self._file.header:
            return False
        self._file = file
        return True

    def take(self, lines: list[Line]) -> tuple[Accepted | None, list[Line]]:
        """The rows of the plain lines at once, and the lines that are left to `parse`."""
        return self._fast.take(lines) if self._fast is not None else (None, lines)

    def shown(self, line: bytes) -> str:
        """What of a refused line may be shown."""
        return self._shown.of(line)

    def collect(self, plain: Accepted | None, rows: Sequence[tuple[int, Row]]) -> Accepted:
        """All rows in columns."""
        return collect(plain, rows)

    def _prepare_envelope(self, contract: EventContract) -> None:
        self._get = envelope_getters(contract)
        self._name = self._get.get("event_name") or (lambda record: None)
        self._required = [(path, by_path(path)) for path in contract.required]
        self._skip = [condition(asked) for asked in contract.skip]
        self._id = self._get.get("event_id")
        named = contract.envelope.get("event_id")
        self._is_by_content = named is not None and named.content
        self._domain = self._get.get("event_domain")
        self._source = self._get.get("source")
        self._version = self._get.get("schema_version")
        self._pattern = re.compile(contract.event_pattern) if contract.event_pattern else None

    def parse(self, number: int, line: bytes) -> Outcome:  # noqa: PLR0911
        """The row of a line, or why it is rejected."""
        record = self._decode(line)
        if isinstance(record, Rejected):
            return record
        if any(is_met(record) for is_met in self._skip):
            return Ignored("The contract says that such records are skipped.")
        try:
            try:
                return self._row(number, record, exact=self._is_text)
            except InexactParse:
                record = decode_exactly(line)
                if isinstance(record, Rejected):
                    return record
                return self._row(number, record, exact=True)
        except Invalid as error:
            return error.rejected
        except (TooDeep, RecursionError):
            return Rejected("too_deep", "The record is nested too deeply to be kept.")
        except (InexactParse, ValueError, TypeError, ArithmeticError) as error:
            reason = f"The record has a form that nobody foresaw ({type(error).__name__})."
            return Rejected("unreadable", reason)

    def _row(self, number: int, record: dict[str, Any], exact: bool) -> Row:
        for path, get in self._required:
            if get(record) is None:
                raise Invalid(Rejected("missing_field", f"The record lacks {path!r}."))
        plan = self.plan_of(self._name(record))
        event_id = self._event_id(record, number)
        occurred, received, corrected, arrival = self._times.of(record)
        tenant_id, who = self._context.who(record)
        source = self._default_source
        if self._source is not None and (named := self._source(record)) is not None:
            source = text_of(named, "source")
        surroundings, unplaced = self._context.surroundings(record)
        properties = self._properties.of(record, plan)
        plan.clean(properties, tenant_id, self.drift, exact)
        if unplaced:
            self._keep(unplaced, properties, tenant_id)
        body = encode(properties)
        if not exact and "\\u0000" in body:
            raise InexactParse
        domain = plan.domain
        if self._domain is not None and (stated := self._domain(record)) is not None:
            domain = self._checked_domain(plan, text_of(stated, "event_domain"))
        version = self._contract.version
        if self._version is not None and (stated := self._version(record)) is not None:
            version = _integer(stated, "schema_version")
        product = self._product
        if source == self._default_source and UUID_TEXT.match(event_id):
            event_uuid = event_id.lower()  # kept, within its tenant
            key = record_key(product, tenant_id, source, event_uuid)
        else:
            event_uuid = key = record_key(product, tenant_id, source, event_id)
            event_id, source = copy_field(event_id), copy_field(source)
        day = occurred.text[:10]
        if "\\" in body:
            body = body.replace("\\", "\\\\")
        parts = {
            "event_date": day,
            "product": product,
            "source": source,
            "source_event_id": event_id,
            "event_id": event_uuid,
            **who,
            "kind": f"{plan.name}\t{NULL if domain is None else domain}",
            "occurred_at": occurred.text,
            "is_time_corrected": "t" if corrected else "f",
            **surroundings,
            "schema_version": str(version),
            "properties": body,
            **dict.fromkeys(UNHASHED, ""),
        }
        hashed = _text(parts)
        if not exact and "\x00" in hashed:
            raise InexactParse
        digest = blake2b(hashed.encode(), digest_size=16).hexdigest()
        touch = self._touches.get((tenant_id, day))
        if touch is None:
            touch = Touch("tenant_day", product, tenant_id, None, day)
            self._touches[(tenant_id, day)] = touch
        parts |= {"received_at": received.text, "content_hash": f"\\\\x{digest}"}
        return Row(key, day, received.us, digest, _text(parts), touch, arrival)

    def _keep(self, unplaced: dict[str, Any], properties: dict[str, Any], tenant_id: str) -> None:
        """Keep among the properties what no column of the envelope could take."""
        for name, value in unplaced.items():
            kept = self._scrubber.value(name, value, tenant_id)
            if kept is not None:
                properties[name if name not in properties else f"envelope_{name}"] = kept

    def plan_of(self, name: Any) -> CompiledEventType:
        """What the contract says of an event name; raises Invalid."""
        if name is None or name == "":
            raise Invalid(Rejected("missing_field", "The record has no event name."))
        if type(name) is not str:
            raise Invalid(Rejected("wrong_type", f"The event name is a {kind_of(name)}."))
        return self._plans.get(name) or self._new_plan(name)

    def _new_plan(self, name: str) -> CompiledEventType:
        contract = self._contract
        event, domain = contract.events.get(name), None
        if event is None:
            matched = self._pattern.match(name) if self._pattern else None
            if matched is None and contract.unknown_events == "reject":
                reason = (
                    f"{name_shown(name) or 'Its event name'} is not an event of {contract.key!r}."
                    " Declare it in the contract and run `tallyhouse replay`."
                )
                raise Invalid(Rejected("unknown_event", reason))
            if matched is not None:
                domain = matched.groupdict().get("domain")
            event = EventType()
        if len(name) > MAX_ID_LENGTH or _NEEDS_ESCAPE(name) or "\x00" in name:
            raise Invalid(Rejected("wrong_type", "The event name is not a plain short text."))
        plan = CompiledEventType(name, event, contract, domain, self._scrubber)
        if len(self._plans) < 5_000:
            self._plans[name] = plan
        return plan

    def _checked_domain(self, plan: CompiledEventType, stated: str) -> str:
        declared = self._contract.domains
        if (declared and stated not in declared) or (
            plan.domain and declared and stated != plan.domain
        ):
            reason = f"The domain is not that of {plan.name!r} ({plan.domain})."
            raise Invalid(Rejected("wrong_domain", reason))
        if len(stated) > MAX_DOMAIN_LENGTH or _NEEDS_ESCAPE(stated):
            raise Invalid(Rejected("wrong_type", "The event domain is not a plain short text."))
        return plan.domain or stated

    def _event_id(self, record: dict[str, Any], number: int) -> str:
        if self._is_by_content:
            return self._tokeniser.stand_in(encode(record))
        if self._id is None:
            return f"{self._file.content_hash[:32]}:{number}"
        event_id = self._id(record)
        if event_id is None or event_id == "":
            raise Invalid(Rejected("missing_field", "The record has no event id."))
        text = text_of(event_id, "event_id")
        if may_name_somebody(text) and names_somebody(text):
            return self._tokeniser.stand_in(text)
        if is_placeholder(text):
            reason = (
                "The record's event id is a word for nothing, see seeds/core/placeholder_ids.csv."
            )
            raise Invalid(Rejected("missing_field", reason))
        return text


def _text(parts: dict[str, str]) -> str:
    return "\t".join([parts[name] for name in TEXT_PARTS])


def _integer(value: Any, field: str) -> int:
    if type(value) is int and 0 <= value <= MAX_VERSION:
        return int(value)
    if type(value) is str and value.isascii() and value.isdigit() and len(value) < 9:
        return int(value)
    raise Invalid(Rejected("wrong_type", f"{field} is not a whole number."))
