"""Reads the contracts: what each source promises, as YAML in one or several folders.

Every YAML file under a contract folder is one document; its `kind` is one of KINDS.
Belongs here: finding, reading and checking them, with sentences that name file and place.
Does not belong here: applying them to records (`events`, `cdc`, `webhooks`).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tallyhouse.errors import TallyhouseError

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
KINDS = ("events", "cdc", "webhooks")
EXAMPLES = "examples"  # packs that load only when TALLYHOUSE_CONTRACTS names them

FieldTypeName = Literal[
    "any", "string", "integer", "number", "boolean", "object", "array", "timestamp", "date", "uuid"
]


class ContractError(TallyhouseError):
    """A contract that cannot be used; the text names the file, the place and what is wrong."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldType(Strict):
    """What a property must be: a type, perhaps one of some values, perhaps personal."""

    type: FieldTypeName = "any"
    values: tuple[Any, ...] | None = None
    personal: Literal["token", "drop"] | None = None
    description: str = ""


class FieldMap(Strict):
    """Where an envelope field or a property is found in a foreign record."""

    path: str | tuple[str, ...] = ()
    constant: str | int | None = None
    values: Mapping[str, str] | None = None  # the source's word → ours
    prefix: str = ""
    time_format: str | None = None  # strptime pattern, epoch_s, epoch_ms or epoch_us
    type: FieldTypeName = "any"  # for text formats: what the text becomes

    def paths(self) -> tuple[str, ...]:
        return (self.path,) if isinstance(self.path, str) else self.path


def path_short_form(value: Any) -> Any:
    """`user_id: [userId, anonymousId]` is short for `user_id: {path: [...]}`."""
    if not isinstance(value, Mapping):
        return value
    return {k: {"path": v} if isinstance(v, str | list) else v for k, v in value.items()}


class PropertyMap(Strict):
    """How properties are made: an object of the record, named fields, and what of the rest."""

    path: str | None = "properties"
    fields: Mapping[str, FieldMap] = {}
    rest: Literal["report", "keep", "drop"] = "report"
    nulls: Literal["keep", "drop"] = "keep"

    @field_validator("fields", mode="before")
    @classmethod
    def _paths(cls, value: Any) -> Any:
        return path_short_form(value)


class FileFormat(Strict):
    """jsonl, csv (any delimiter, with a header or named columns) or whitespace (columns named)."""

    type: Literal["jsonl", "csv", "whitespace"] = "jsonl"
    delimiter: str = ","
    columns: tuple[str, ...] | None = None
    null_text: tuple[str, ...] = ("",)
    encoding: str = "utf-8"


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
    event_pattern: str | None = None
    domains: tuple[str, ...] | None = None
    required: tuple[str, ...] = ()  # paths in the record that must be there and not null
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

    @field_validator("event_pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            re.compile(value)
        return value

    @property
    def key(self) -> str:
        return self.name or self.product


@dataclass(frozen=True)
class Document:
    """One contract file as it was read."""

    kind: str
    path: Path
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Contracts:
    """All contracts. A later folder replaces an earlier contract of the same name."""

    documents: tuple[Document, ...]
    events: Mapping[str, EventContract]
    fingerprint: str

    def of_kind(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document.kind == kind]


def load_contracts(folders: Iterable[Path]) -> Contracts:
    """Read every contract below the folders, in order; raises ContractError."""
    documents: list[Document] = []
    events: dict[str, EventContract] = {}
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
            document = _read(path)
            digest.update(path.read_bytes())
            documents.append(document)
            if document.kind == "events":
                contract = parse_event_contract(document)
                if contract.key in here:
                    raise ContractError(
                        f"{path} and {here[contract.key]} both declare the events of"
                        f" {contract.key!r}. Give one of them another `name` and a `match`."
                    )
                here[contract.key] = path
                events[contract.key] = contract
    return Contracts(tuple(documents), events, digest.hexdigest())


def _read(path: Path) -> Document:
    try:
        body = yaml.load(path.read_bytes(), Loader=Loader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ContractError(f"The contract {path} cannot be read: {error}") from error
    if not isinstance(body, Mapping) or body.get("kind") not in KINDS:
        raise ContractError(
            f"The contract {path} must be a mapping with `kind:` one of {', '.join(KINDS)}."
        )
    return Document(body["kind"], path, body)


def parse_event_contract(document: Document) -> EventContract:
    """Check one document against the form of an event contract."""
    try:
        return EventContract.model_validate(document.body)
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'the document'}: {item['msg']}"
            for item in error.errors()[:5]
        )
        raise ContractError(f"The contract {document.path} is not valid. {places}.") from error
