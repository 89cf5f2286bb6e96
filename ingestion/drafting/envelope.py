"""Where foreign records keep the fields of the event envelope, guessed by names and values.

A tracker whose shape lies in `contracts/examples/trackers` is recognised by that very contract.
Belongs here: the paths of ids, name, times, tenant, user and circumstances. Does not belong here:
properties (`events`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingestion.contracts.field_paths import by_path, getter
from ingestion.contracts.model import ENVELOPE, EventContract, load_contracts
from ingestion.drafting.event_times import TimeForm, time_form
from ingestion.drafting.personal import is_data_not_a_name
from ingestion.drafting.wording import counted
from ingestion.events.source import NATIVE
from ingestion.privacy.scrub import snake_case
from ingestion.values.identity import is_placeholder

Record = Mapping[str, Any]
MAX_NAMES = 300  # event names a contract lists
_DEPTH = 3
_NEARLY_ALL = 0.9  # of the values must be what a name promises: sources hold broken records
_TIME_ENDINGS = ("_at", "_on", "_date", "_time", "_ts", "tstamp", "date", "datum", "At", "Time")

# envelope field → the names it goes by, the surest first
_NAMES: Mapping[str, tuple[str, ...]] = {
    "event_name": ("event_name", "eventname", "event_type", "event", "action", "activity", "name",
                   "type"),
    "event_id": ("event_id", "eventid", "message_id", "insert_id", "event_uuid", "uuid", "guid", "id"),
    "occurred_at": ("occurred_at", "event_time", "event_timestamp", "timestamp", "happened_at", "at",
                    "event_at", "time", "ts", "datetime", "date_time", "client_time",
                    "original_timestamp", "created_at", "created", "event_date", "date", "sent_at"),
    "received_at": ("received_at", "server_received_at", "server_timestamp", "server_time",
                    "ingested_at", "collected_at", "arrived_at"),
    "tenant_id": ("tenant_id", "tenantid", "tenant", "organization_id", "organisation_id", "org_id",
                  "company_id", "workspace_id", "account_id", "shop_id", "store_id", "shop", "group_id"),
    "user_id": ("user_id", "userid", "uid", "user", "customer_id", "member_id", "distinct_id",
                "person_id", "customer", "klant_id", "client_id"),
    "anonymous_id": ("anonymous_id", "anonymousid", "anon_id", "visitor_id", "device_id", "cookie_id"),
    "session_id": ("session_id", "sessionid", "session", "visit_id", "sid"),
    "event_domain": ("event_domain",),
    "source": ("source",),
    "schema_version": ("schema_version",),
    "user_agent": ("user_agent", "useragent", "ua"),
    "ip": ("ip", "ip_address", "ipaddress", "client_ip", "remote_addr"),
    "device_type": ("device_type", "device_category"),
    "browser": ("browser", "browser_name", "browser_family"),
    "country_code": ("country_code", "country"),
    "page_load_time_ms": ("page_load_time_ms", "load_time_ms"),
}  # fmt: skip
_SURE_IDS = frozenset({"event_id", "eventid", "message_id", "insert_id", "event_uuid"})
_PROPERTY_OBJECTS = (
    "properties", "event_properties", "props", "metadata", "data", "payload", "attributes", "params",
    "parameters", "event_params", "details",
)  # fmt: skip


@dataclass
class Envelope:
    """Each field's place as a contract writes it, with what to say of it."""

    fields: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    clock: str = "server"
    tracker: str = ""
    is_native: bool = False
    sentences: list[str] = field(default_factory=list)
    missing: str = ""  # the field without which no event can be read


def guess(records: Sequence[Record], trackers: Path | None, is_csv: bool) -> Envelope:
    """The envelope of records that are all of one shape."""
    if trackers is not None and (known := _recognise(records, trackers, is_csv)):
        return known
    envelope = Envelope()
    paths = list(dict.fromkeys(path for record in records for path in _paths(record)))[:5_000]
    texts = _Fields(records, paths)
    taken: set[str] = set()
    for name in _NAMES:
        found = _FINDERS.get(name, _find_plain)(name, texts, taken, envelope)
        if found is not None:
            taken.add(found)
            envelope.fields.setdefault(name, found)
    _properties(records, envelope, is_csv)
    envelope.fields = {name: envelope.fields[name] for name in ENVELOPE if name in envelope.fields}
    envelope.is_native = (
        not is_csv
        and {"event_id", "event_name", "occurred_at"} <= envelope.fields.keys()
        and all(NATIVE[name].path == place for name, place in envelope.fields.items())
        and envelope.properties["path"] in ("properties", None)
    )
    if "received_at" in envelope.fields:
        envelope.clock = "device"
    _say(envelope)
    return envelope


def _recognise(records: Sequence[Record], trackers: Path, is_csv: bool) -> Envelope | None:
    """The tracker whose contract finds most of its envelope here."""
    best: tuple[int, EventContract] | None = None
    if not trackers.is_dir():
        return None
    for contract in load_contracts([trackers]).events.values():
        if (contract.format.type == "csv") != is_csv:
            continue
        found = _found_fields(records, contract)
        whole = {"event_id", "event_name", "occurred_at"} <= found
        people = found & {"user_id", "anonymous_id"}
        least = 5 if contract.envelope["event_name"].constant is None else 7
        if whole and people and len(found) >= max(least, best[0] + 1 if best else 0):
            best = (len(found), contract)
    if best is None:
        return None
    contract = best[1]
    fields = {
        name: place.model_dump(exclude_defaults=True) for name, place in contract.envelope.items()
    }
    return Envelope(
        {n: _short(f) for n, f in fields.items()},
        properties=contract.properties.model_dump(exclude_defaults=True, mode="json")
        | {"path": contract.properties.path},
        clock=contract.clock,
        tracker=contract.product,
        sentences=[
            f"The records have the shape of {contract.product.title()}: the envelope is that of"
            f" contracts/examples/trackers/{contract.key}.yml."
        ],
    )


def _short(place: dict[str, Any]) -> Any:
    if place.keys() == {"path"}:
        path = place["path"]
        return path if isinstance(path, str) else list(path)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in place.items()}


def _found_fields(records: Sequence[Record], contract: EventContract) -> set[str]:
    """Envelope fields that a contract finds; the three that must be there, in nearly all records."""
    found = set()
    for name, place in contract.envelope.items():
        get = getter(place)
        assert get is not None
        count = sum(get(record) not in (None, "") for record in records)
        needed = _NEARLY_ALL if name in ("event_id", "event_name", "occurred_at") else 0.0
        if count and count >= needed * len(records):
            found.add(name)
    return found


def _paths(record: Record, prefix: str = "", depth: int = 1) -> Iterator[str]:
    """Every path that leads to a plain value, the shallow ones first."""
    deeper: list[tuple[str, Record]] = []
    for key, value in record.items():
        if prefix and "." in key:
            continue  # no path can name it
        if isinstance(value, dict):
            deeper.append((f"{prefix}{key}.", value))
        elif not isinstance(value, list):
            yield f"{prefix}{key}"
    if depth < _DEPTH:
        for inner, value in deeper:
            yield from _paths(value, inner, depth + 1)


class _Fields:
    """The paths of a sample by the names they may go by, and their values on demand."""

    def __init__(self, records: Sequence[Record], paths: Iterable[str]) -> None:
        self.records = records
        self._values: dict[str, list[Any]] = {}
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(paths, key=lambda path: path.count(".")):
            parts = [snake_case(part).strip("$_") for part in path.split(".")]
            for name in {parts[-1], "_".join(parts[-2:])}:
                self._by_name.setdefault(name, []).append(path)

    def named(self, field_name: str, taken: set[str]) -> Iterator[tuple[str, str]]:
        """(name, path) of each place that goes by one of the field's names."""
        for name in _NAMES[field_name]:
            for path in self._by_name.get(name, ()):
                if path not in taken:
                    yield name, path

    def paths(self, taken: set[str]) -> Iterator[str]:
        for paths in self._by_name.values():
            yield from (path for path in paths if path not in taken)

    def values(self, path: str) -> list[Any]:
        """The value in each record, None where there is none."""
        if path not in self._values:
            get = by_path(path)
            self._values[path] = [get(record) for record in self.records]
        return self._values[path]


def _present(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if value is not None and value != ""]


def _are_ids(values: Sequence[Any]) -> bool:
    return _mostly(values, lambda v: type(v) is int or (type(v) is str and len(v) <= 500))


def _mostly(values: Sequence[Any], fits: Callable[[Any], bool]) -> bool:
    return bool(values) and sum(map(fits, values)) >= _NEARLY_ALL * len(values)


def _find_name(name: str, fields: _Fields, taken: set[str], envelope: Envelope) -> str | None:
    for _, path in fields.named(name, taken):
        values = fields.values(path)
        words = [value for value in values if type(value) is str and 0 < len(value) <= 500]
        few = len(set(words)) <= max(20, min(MAX_NAMES * 10, len(words) // 3))
        if few and len(words) >= _NEARLY_ALL * len(values):
            return path
    return None


def _find_id(name: str, fields: _Fields, taken: set[str], envelope: Envelope) -> str | None:
    for goes_by, path in fields.named(name, taken):
        bodies: dict[Any, set[str]] = {}
        values = fields.values(path)
        if not _are_ids(_present(values)):
            continue
        for value, record in zip(values, fields.records, strict=True):
            if type(value) in (str, int) and value != "" and not is_placeholder(str(value)):
                bodies.setdefault(value, set()).add(repr(sorted(record.items(), key=str)))
        missing = len(values) - sum(type(v) in (str, int) and v in bodies for v in values)
        repeated = sum(len(found) > 1 for found in bodies.values())
        is_sure = goes_by in _SURE_IDS and missing <= len(values) * (1 - _NEARLY_ALL)
        if is_sure or not (missing or repeated):
            faults = [counted(missing, "record") + " without one"] if missing else []
            faults += [counted(repeated, "id") + " of records that differ"] if repeated else []
            envelope.notes[name] = ", ".join(faults)
            return path
        why = "repeats in records that differ"
        if missing:
            why = f"is missing in {counted(missing, 'record')}"
        envelope.sentences.append(f"{_shown(path)} {why}, so it is not the event id.")
    return None


def _find_time(name: str, fields: _Fields, taken: set[str], envelope: Envelope) -> str | None:
    named = [path for _, path in fields.named(name, taken)]
    for path in named:  # by its name it is the time, though a clock or two be broken
        values = fields.values(path)
        form = time_form(_present(values), _NEARLY_ALL)
        if form is not None and (
            name == "received_at" or len(_present(values)) >= _NEARLY_ALL * len(values)
        ):
            return _take_time(name, path, form, envelope)
    if name == "received_at":
        return None
    others = [path for path in fields.paths(taken) if _word(path) not in _NAMES["received_at"]]
    likely = [path for path in others if path.endswith(_TIME_ENDINGS)]
    for path in dict.fromkeys([*likely, *others]):
        values = fields.values(path)
        form = time_form(values) if len(_present(values)) == len(values) else None
        is_number = form is not None and (form.time_format or "").startswith("epoch")
        if form is not None and (path in likely or not is_number):  # a number may count anything
            return _take_time(name, path, form, envelope)
    return None


def _take_time(name: str, path: str, form: TimeForm, envelope: Envelope) -> str:
    if form.time_format:
        envelope.fields[name] = {"path": path, "time_format": form.time_format}
    envelope.notes[name] = _time_note(form)
    return path


def _word(path: str) -> str:
    return snake_case(path.rsplit(".", maxsplit=1)[-1]).strip("$_")


def _time_note(form: TimeForm) -> str:
    if form.also:
        return f"or is it {form.also}? Both read all values"
    return "" if form.has_zone else "no zone is written: read as UTC unless `timezone` says another"


def _find_plain(name: str, fields: _Fields, taken: set[str], envelope: Envelope) -> str | None:
    for _, path in fields.named(name, taken):
        values = _present(fields.values(path))
        if not _are_ids(values) or not _fits(name, values, path):
            continue
        if name in ("tenant_id", "user_id"):
            envelope.notes[name] = (
                f"guessed by its name; {len(set(map(str, values))):,} in the sample"
            )
        return path
    return None


def _fits(name: str, values: Sequence[Any], path: str) -> bool:
    """Whether the values are what a field of the envelope holds."""
    if name == "country_code":
        return _mostly(values, lambda v: type(v) is str and len(v) == 2 and v.isalpha())
    if name == "schema_version":
        return _mostly(values, lambda v: str(v).isdecimal() and len(str(v)) < 9)
    if name == "page_load_time_ms":
        return _mostly(values, lambda v: str(v).isdecimal())
    if name in ("source", "event_domain"):
        few = len(set(map(str, values))) <= 50 and "." not in path
        return few and _mostly(values, lambda v: type(v) is str and len(v) <= 100)
    if name in ("user_agent", "ip", "device_type", "browser"):
        return _mostly(values, lambda v: type(v) is str)
    return True


_FINDERS: Mapping[str, Callable[[str, _Fields, set[str], Envelope], str | None]] = {
    "event_name": _find_name, "event_id": _find_id, "occurred_at": _find_time,
    "received_at": _find_time,
}  # fmt: skip


def _properties(records: Sequence[Record], envelope: Envelope, is_csv: bool) -> None:
    """The object that holds the properties."""

    def is_object(value: Any) -> bool:
        return isinstance(value, dict) or (isinstance(value, str) and value[:1] == "{")

    found = None
    for key in _PROPERTY_OBJECTS:
        values = [record[key] for record in records if record.get(key) is not None]
        if values and all(map(is_object, values)):
            found = key
            break
    envelope.properties = {"path": found}
    if is_csv:
        envelope.properties["nulls"] = "drop"


def _say(envelope: Envelope) -> None:
    fields = envelope.fields
    if "occurred_at" not in fields:
        envelope.missing = "occurred_at"
    if "tenant_id" not in fields:
        envelope.sentences.append(
            "No field was found that names the tenant: all events belong to the product's own tenant."
        )
    else:
        envelope.sentences.append(f"The tenant is guessed to be {fields['tenant_id']}.")
    if "event_id" not in fields:
        envelope.sentences.append(
            "No event id was found: each record is known by its file's content and its line, and"
            " equal records are kept."
        )
    if "user_id" not in fields and "anonymous_id" not in fields:
        envelope.sentences.append("No field was found that names the user.")


def _shown(path: str) -> str:
    return "A field" if is_data_not_a_name(path) else path
