"""Reads the contracts: what each source promises, as YAML in one or several folders.

Every YAML file under a contract folder is one document; its `kind` is one of KINDS. One that cannot
be used is a fault: its own product waits for it, and nothing else does.
Belongs here: finding, reading and checking them, with sentences that name file and place.
Does not belong here: what a mapping or a format may say (`mapping`), applying contracts to records
(`events`, `cdc`, `webhooks`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from ingestion.contracts.mapping import (
    Condition,
    FieldMap,
    FieldTypeName,
    FileFormat,
    Pattern,
    PropertyMap,
    Strict,
    path_short_form,
)
from ingestion.values.zones import find_zone
from tallyhouse.errors import TallyhouseError

KINDS = ("events", "cdc", "webhooks")
EXAMPLES = "examples"  # packs that load only when TALLYHOUSE_CONTRACTS names them


class ContractError(TallyhouseError):
    """A contract that cannot be used; the text names the file, the place and what is wrong."""

    product = ""  # whose it is, where that could be read


class FieldType(Strict):
    """What a property must be: a type, perhaps one of some values, perhaps personal."""

    type: FieldTypeName = "any"
    values: tuple[Any, ...] | None = None
    personal: Literal["token", "drop"] | None = None
    description: str = ""


class EventType(Strict):
    """One event name: its domain, required and optional properties, whether it is going away."""

    domain: str | None = None
    description: str = ""
    required: Mapping[str, FieldType] = {}
    optional: Mapping[str, FieldType] = {}
    deprecated: bool = False
    replaced_by: str | None = None

    @field_validator("required", "optional", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`{goal_id: uuid}` is short for `{goal_id: {type: uuid}}`."""
        if not isinstance(value, Mapping):
            return value
        return {k: {"type": v} if isinstance(v, str) else (v or {}) for k, v in value.items()}


TIMES = ("occurred_at", "received_at")
WHOLE_NUMBERS = ("schema_version", "page_load_time_ms")
IDS = ("tenant_id", "user_id", "anonymous_id", "session_id")  # of whom and what an event tells
ENVELOPE = (
    "event_id", "event_name", "event_domain", "occurred_at", "received_at", "tenant_id", "user_id",
    "anonymous_id", "session_id", "source", "schema_version", "user_agent", "ip", "device_type",
    "browser", "country_code", "page_load_time_ms",
)  # fmt: skip


class EventContract(Strict):
    """The stream of events of one product in one shape."""

    kind: Literal["events"]
    product: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: str = ""
    description: str = ""
    owner: str = ""
    version: int = 1
    match: tuple[str, ...] = ()  # file patterns below the product's folder; none: all other files
    format: FileFormat = FileFormat()
    clock: Literal["device", "server"] = "device"
    timezone: str = "UTC"
    default_tenant: str | None = None
    default_source: str = "default"
    unknown_events: Literal["reject", "accept"] = "reject"
    event_pattern: Pattern | None = None
    domains: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()  # paths in the record that must be there and not null
    skip: tuple[Condition, ...] = ()  # records that meet one are no events: counted, not stored
    envelope: Mapping[str, FieldMap] = {}
    properties: PropertyMap = PropertyMap()
    common: Mapping[str, FieldType] = {}  # optional properties of every event
    events: Mapping[str, EventType] = {}

    @field_validator("envelope", mode="before")
    @classmethod
    def _paths(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        if unknown := sorted(set(value) - set(ENVELOPE)):
            raise ValueError(f"{', '.join(unknown)}: not a field of the event envelope")
        return path_short_form(value)

    @field_validator("common", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return EventType._short_form(value)

    @field_validator("events", mode="before")
    @classmethod
    def _bare_names(cls, value: Any) -> Any:
        return {k: v or {} for k, v in value.items()} if isinstance(value, Mapping) else value

    @field_validator("envelope")
    @classmethod
    def _fields_can_be_had(cls, value: Mapping[str, FieldMap]) -> Mapping[str, FieldMap]:
        for name, field in value.items():
            types = {"any", "string", "integer"}
            if name in TIMES:
                types = {"any", "timestamp"}
            elif name in WHOLE_NUMBERS:
                types = {"any", "integer", "number"}
            if field.type not in types:
                allowed = " or ".join(sorted(types - {"any"}))
                raise ValueError(f"{name}: type {field.type} cannot be; it is {allowed}")
            if field.personal and name not in IDS:
                raise ValueError(
                    f"{name}: personal is for {', '.join(IDS)}; others are hidden by themselves"
                )
            if field.content and name != "event_id":
                raise ValueError(f"{name}: only an event id can be made of the content")
            if field.time_format and name not in TIMES:
                raise ValueError(f"{name}: time_format is for {' and '.join(TIMES)}")
        if value and "event_name" not in value:
            raise ValueError("event_name is not mapped, so no event has a name")
        if value and not value.keys() & set(TIMES):
            raise ValueError(f"none of {', '.join(TIMES)} is mapped, so no event has a time")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        zone = find_zone(value)
        if zone is None:
            raise ValueError(f"{value!r} is no IANA time zone such as Europe/Amsterdam")
        return zone.key

    @model_validator(mode="after")
    def _text_has_columns(self) -> "EventContract":
        if self.format.is_text and not self.envelope:
            raise ValueError(f"envelope: say which columns of a {self.format.type} file are what")
        if self.format.columns is not None and self.format.is_text:
            self._look_for_columns(set(self.format.columns))
        return self

    def _look_for_columns(self, columns: set[str]) -> None:
        used = [(f"envelope.{name}", field) for name, field in self.envelope.items()]
        used += [(f"properties.fields.{name}", f) for name, f in self.properties.fields.items()]
        for place, field in used:
            paths = field.used_paths()
            strange = [path for path in paths if path not in columns]
            # of several paths the first that is there counts, and one is enough
            if strange and (len(strange) == len(paths) or field.join is not None):
                raise ValueError(f"{place}: {strange[0]!r} is not among format.columns")

    @property
    def key(self) -> str:
        return self.name or self.product


@dataclass(frozen=True)
class Document:
    """One contract file as it was read."""

    kind: str
    path: Path
    body: Mapping[str, Any]

    @property
    def product(self) -> str:
        """Whose it is, as far as it says so."""
        product = self.body.get("product")
        return product if isinstance(product, str) else self.path.stem


@dataclass(frozen=True)
class Fault:
    """A contract that cannot be used, and whose files wait for it to be mended."""

    kind: str
    product: str
    sentence: str  # names the file, the place and what is wrong


@dataclass(frozen=True)
class Contracts:
    """All contracts. A later folder replaces an earlier contract of the same name.

    `faults` are about events, or about a file of which nobody knows what it is.
    """

    documents: tuple[Document, ...]
    events: Mapping[str, EventContract]
    fingerprint: str
    faults: tuple[Fault, ...] = ()

    def of_kind(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document.kind == kind]

    def fault_of(self, kind: str, product: str) -> Fault | None:
        """Why the files of a product must wait, if they must."""
        found = (f for f in self.faults if f.product == product and f.kind in (kind, ""))
        return next(found, None)


def load_contracts(folders: Iterable[Path]) -> Contracts:
    """Read every contract below the folders, in order; raises ContractError for a folder that is
    not there. What is wrong with a single contract is among the faults."""
    documents: list[Document] = []
    events: dict[str, EventContract] = {}
    faults: list[Fault] = []
    digest = hashlib.sha256()
    for folder in folders:
        if not folder.is_dir():
            raise ContractError(
                f"The contract folder {folder} does not exist. Correct TALLYHOUSE_CONTRACTS."
            )
        here: dict[str, Path] = {}
        for path in sorted([*folder.rglob("*.yml"), *folder.rglob("*.yaml")]):
            if EXAMPLES in path.relative_to(folder).parts[:-1]:
                continue
            try:
                document = _read(path, digest)
            except ContractError as error:
                faults.append(Fault("", error.product or path.stem, str(error)))
                continue
            documents.append(document)
            if document.kind != "events":
                continue
            try:
                contract = parse_event_contract(document)
                if contract.key in here:
                    raise ContractError(
                        f"{path} and {here[contract.key]} both declare the events of"
                        f" {contract.key!r}. Give one of them another `name` and a `match`."
                    )
            except ContractError as error:
                faults.append(Fault("events", document.product, str(error)))
                continue
            here[contract.key] = path
            events[contract.key] = contract
    return Contracts(tuple(documents), events, digest.hexdigest(), tuple(faults))


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which no key stands twice: the first would be lost without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key.value, str) or key.value == "<<":
                continue
            if key.value in seen:
                problem = f"the key {key.value!r} stands twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read(path: Path, digest: Any) -> Document:
    try:
        text = path.read_bytes()
        digest.update(text)
        body = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        what = problem or " ".join(str(error).split())
        raise ContractError(f"The contract {path} cannot be read{where}: {what}.") from error
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise ContractError(f"The contract {path} cannot be read: {what}.") from error
    if not isinstance(body, Mapping) or body.get("kind") not in KINDS:
        unusable = ContractError(
            f"The contract {path} must be a mapping with `kind:` one of {', '.join(KINDS)}."
        )
        if isinstance(body, Mapping):
            unusable.product = Document("", path, body).product
        raise unusable
    return Document(body["kind"], path, body)


Body = TypeVar("Body", bound=BaseModel)


def usable(
    contracts: Contracts, kind: str, form: type[Body]
) -> tuple[list[tuple[Document, Body]], list[Fault]]:
    """The documents of a kind that have its form, and what is wrong with the others."""
    found: list[tuple[Document, Body]] = []
    faults: list[Fault] = []
    for document in contracts.of_kind(kind):
        try:
            found.append((document, form.model_validate(document.body)))
        except ValidationError as error:
            faults.append(Fault(kind, document.product, invalid(document.path, error)))
    return found, faults


def parse_event_contract(document: Document) -> EventContract:
    """Check one document against the form of an event contract; raises ContractError."""
    try:
        return EventContract.model_validate(document.body)
    except ValidationError as error:
        raise ContractError(invalid(document.path, error)) from error


def invalid(path: Path, error: ValidationError) -> str:
    """What is wrong with a contract, and where, in one sentence."""
    places = "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'the document'}: {_said(dict(item))}"
        for item in error.errors()[:5]
    )
    return f"The contract {path} is not valid. {places}."


def _said(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "no contract has such a key"
    return str(item["msg"]).removeprefix("Value error, ")
