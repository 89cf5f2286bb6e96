"""A stream of events as it shows in its records: names, properties, types, personal data.

Belongs here: gathering each event's properties exactly as the loader does, and the text of the
contract. Does not belong here: the envelope (`envelope`), cutting CSV into records (`delimited`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingestion.contracts.field_paths import by_path, getter
from ingestion.contracts.model import EventContract, EventType
from ingestion.drafting.envelope import MAX_NAMES, Envelope
from ingestion.drafting.event_types import property_type
from ingestion.drafting.personal import ValueJudge, Verdict, by_name, is_data_not_a_name
from ingestion.drafting.profiles import Profile
from ingestion.drafting.wording import counted
from ingestion.drafting.yaml_text import comment, flow, on_one_line, scalar
from ingestion.events.errors import Invalid
from ingestion.events.event_types import CompiledEventType
from ingestion.events.properties import Properties
from ingestion.events.source import NATIVE
from ingestion.privacy.scrub import REMOVE, Scrubber, judge_key
from ingestion.privacy.tokens import Tokeniser

MAX_PROPERTIES = 200  # of one event that a contract lists


@dataclass
class PropertyDraft:
    type: str
    note: str
    verdict: Verdict | None

    def declared(self) -> Any:
        if self.verdict is None:
            return self.type
        return {"type": self.type, "personal": self.verdict.mark}

    def comment(self) -> str:
        parts = [self.verdict.reason] if self.verdict else []
        return comment("; ".join([*parts, *([self.note] if self.note else [])]))


@dataclass
class EventDraft:
    """One event name: how many records, and its properties."""

    records: int = 0
    required: dict[str, PropertyDraft] = field(default_factory=dict)
    optional: dict[str, PropertyDraft] = field(default_factory=dict)
    left_out: int = 0  # keys that are data, or too many to list


@dataclass
class StreamDraft:
    """A contract of events in the making."""

    product: str
    envelope: Envelope
    format: dict[str, Any]  # empty for JSON lines
    event_name: str | None  # the one name of all records, where they carry none
    origin: str = ""
    events: dict[str, EventDraft] = field(default_factory=dict)
    unknown_events: str = "reject"
    sentences: list[str] = field(default_factory=list)

    @property
    def is_csv(self) -> bool:
        return bool(self.format)


@dataclass
class _Seen:
    records: int = 0
    profiles: dict[str, Profile] = field(default_factory=dict)
    judges: dict[str, ValueJudge] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)


def draft_events(draft: StreamDraft, records: Sequence[Mapping[str, Any]]) -> None:
    """Fill in names and properties from the records."""
    contract = EventContract.model_validate(_body(draft))
    if draft.envelope.is_native:
        contract = contract.model_copy(update={"envelope": NATIVE})
    properties = Properties(contract)
    plan = CompiledEventType("", EventType(), contract, None, Scrubber(Tokeniser(bytes(32))))
    place = contract.envelope.get("event_name")
    name_of = getter(place) if place is not None else by_path("event_name")
    assert name_of is not None
    seen: dict[str, _Seen] = {}
    hidden = 0
    order: dict[str, int] = {}  # of keys as the records have them; the loader's own is no order
    for record in records:
        for key in (*record, *_inner(record, contract.properties.path)):
            order.setdefault(key, len(order))
        name = draft.event_name or name_of(record)
        if type(name) is not str or not name:
            continue
        if is_data_not_a_name(name) or (name not in seen and len(seen) >= MAX_NAMES):
            hidden += 1
            continue
        try:
            found = properties.of(dict(record), plan)
        except Invalid:
            continue
        _take(seen.setdefault(name, _Seen()), found)
    for name, what in sorted(seen.items()):
        what.profiles = dict(sorted(what.profiles.items(), key=lambda item: order.get(item[0], 0)))
        draft.events[name] = _event(name, what, draft)
    if hidden:
        draft.unknown_events = "accept"
        draft.sentences.append(
            f"{counted(hidden, 'record')} with names that look like data, or too many to list: every name is"
            " accepted (`unknown_events`)."
        )


def _inner(record: Mapping[str, Any], path: str | None) -> Mapping[str, Any]:
    found = by_path(path)(record) if path else None
    return found if isinstance(found, dict) else {}


def _take(seen: _Seen, properties: Mapping[str, Any]) -> None:
    seen.records += 1
    for key, value in properties.items():
        profile = seen.profiles.get(key)
        if profile is None:
            if is_data_not_a_name(key) or len(seen.profiles) >= MAX_PROPERTIES:
                if len(seen.left_out) < MAX_PROPERTIES:
                    seen.left_out.add(key)
                continue
            profile = seen.profiles[key] = Profile()
            seen.judges[key] = ValueJudge(key)
        profile.add(value)
        seen.judges[key].add(value)


def _event(name: str, seen: _Seen, stream: StreamDraft) -> EventDraft:
    draft = EventDraft(seen.records, left_out=len(seen.left_out))
    for key, profile in seen.profiles.items():
        kind, note = property_type(profile, stream.is_csv, stream.format.get("decimal", "."))
        verdict = _verdict(name, key, kind, profile, seen.judges[key])
        is_required = profile.count == seen.records
        if is_required and seen.records == 1:
            note = f"{note}; seen once" if note else "seen once"
        place = draft.required if is_required else draft.optional
        place[key] = PropertyDraft(kind, note, verdict)
    return draft


def _verdict(
    event: str, key: str, kind: str, profile: Profile, judge: ValueJudge
) -> Verdict | None:
    """Whether a property looks personal. What the loader removes by its name stays removed."""
    if kind in ("boolean", "uuid", "timestamp") or (kind == "date" and by_name(key) is None):
        return None
    found = by_name(key, event)
    if found is None and kind in ("string", "integer", "any", "array"):
        found = judge.verdict(profile.prose)
    if found is None or (found.mark == "drop" and kind in ("integer", "number", "date")):
        return found if found is not None and "secret" in found.reason else None
    if found.mark == "round":
        return None  # the loader rounds it by its name
    if judge_key(key) == REMOVE or kind in ("object", "date"):
        return Verdict("drop", found.reason)
    if found.mark == "token" and profile.count and profile.prose * 2 > profile.count:
        return Verdict("drop", found.reason)
    return found


def _body(draft: StreamDraft) -> dict[str, Any]:
    """What the contract says before its events are known."""
    body: dict[str, Any] = {"kind": "events", "product": draft.product}
    if draft.format:
        body["format"] = draft.format
    if not draft.envelope.is_native:
        body["envelope"] = dict(draft.envelope.fields)
        if draft.event_name:
            body["envelope"]["event_name"] = {"constant": draft.event_name}
        body["properties"] = dict(draft.envelope.properties)
    return body


def contract_text(draft: StreamDraft) -> str:
    """The contract as YAML that its own check accepts."""
    return "\n".join(_lines(draft)) + "\n"


def _lines(draft: StreamDraft) -> Iterator[str]:
    envelope = draft.envelope
    if draft.origin:
        yield f"# {on_one_line(draft.origin)}"
    yield "# A draft: read it, correct it, then load. `personal: token` stores a keyed token instead of the"
    yield "# value, `personal: drop` stores nothing; both are guessed, and in doubt set."
    for sentence in (*envelope.sentences, *draft.sentences):
        yield f"# {on_one_line(sentence)}"
    body = _body(draft)
    yield "kind: events"
    yield f"product: {scalar(draft.product)}"
    arrival = "no time of arrival to compare with: times are believed"
    yield f"clock: {envelope.clock}{comment(arrival if envelope.clock == 'server' else '')}"
    if draft.format:
        yield f"format: {flow(draft.format)}"
    yield f"unknown_events: {draft.unknown_events}"
    if "envelope" in body:
        yield "envelope:"
        for name, place in body["envelope"].items():
            yield f"  {name}: {scalar(place)}{comment(envelope.notes.get(name, ''))}"
        yield "properties:"
        for name, value in body["properties"].items():
            yield f"  {name}: {scalar(value)}"
    else:
        yield "# The records come in the house's own envelope, so nothing has to be mapped."
    yield "events:" if draft.events else "events: {}"
    for name, event in draft.events.items():
        yield from _event_lines(name, event)


def _event_lines(name: str, event: EventDraft) -> Iterator[str]:
    count = counted(event.records, "record")
    if not event.required and not event.optional:
        yield f"  {scalar(name)}: {{}}{comment(count)}"
    else:
        yield f"  {scalar(name)}:{comment(count)}"
    for title, properties in (("required", event.required), ("optional", event.optional)):
        if properties:
            yield f"    {title}:"
        for key, found in properties.items():
            yield f"      {scalar(key)}: {scalar(found.declared())}{found.comment()}"
    if event.left_out:
        yield f"    # {event.left_out:,} more keys look like data, not like names, or are too many to list"
