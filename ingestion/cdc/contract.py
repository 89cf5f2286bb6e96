"""The contract of a product's database: its tables, their keys, column types and personal data.

Belongs here: reading `kind: cdc` documents and checking them, in sentences. Does not belong here:
decoding values by these types (`types`), the tables made from them (`tables`).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic.main import IncEx

from ingestion.cdc.names import is_name
from ingestion.contracts.form import Form
from ingestion.contracts.model import Contracts, Fault, usable
from ingestion.privacy.scrub import ID, judge_key
from ingestion.values.instants import EPOCH

TYPE = re.compile(
    r"(smallint|integer|bigint|real|double precision|boolean|text|uuid|date|interval|jsonb|bytea"
    r"|numeric(?:\((\d+)(?:,(\d+))?\))?|(?:timestamp|timestamptz|time|timetz)(?:\((\d)\))?"
    r"|bit\((\d{1,4})\)|varbit)(\[\])?\Z"
)
Encoding = Literal[
    "seconds", "milliseconds", "microseconds", "nanoseconds", "base64", "base64url", "hex", "text"
]
_UNITS = ("seconds", "milliseconds", "microseconds", "nanoseconds")
_ENCODINGS = {"numeric": ("base64", "text"), "bytea": ("base64", "base64url", "hex")}
_COUNTED = ("date", "time", "timetz", "timestamp", "timestamptz", "interval")
_IDS = ("text", "uuid", "bigint", "integer", "smallint", "numeric")
DEGREES = ("real", "double precision", "numeric")
FORM = 4  # of the tables made from a contract: another number has them folded anew
ALWAYS_IGNORED = ("debezium_signal", "debezium_heartbeat")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """A column's Postgres type, how its values travel when the type leaves that open, and whether
    they are personal: `token` stores a keyed token, `drop` stores nothing, `round` stores a coordinate
    as of a suburb. `staged_as` is its name in staging where that is another one, for the part it plays
    in the warehouse."""

    type: str
    encoding: Encoding | None = None
    personal: Literal["token", "drop", "round"] | None = None
    staged_as: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    description: str = ""

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        value = re.sub(r"\s*([(),])\s*", r"\1", value.strip().lower())
        if not TYPE.match(value):
            raise ValueError(f"{value!r} is not a type that can be loaded; text always can")
        return value

    @model_validator(mode="after")
    def _encoding_fits(self) -> "Column":
        base = self.type.split("(", 1)[0].removesuffix("[]")
        known = _UNITS if base in _COUNTED else _ENCODINGS.get(base, ())
        if self.encoding is not None and self.encoding not in known:
            ways = f"is one of {', '.join(known)}" if known else "cannot be said"
            raise ValueError(
                f"encoding: {self.encoding} says nothing of {self.type}; there it {ways}"
            )
        return self

    @model_validator(mode="after")
    def _personal_fits(self) -> "Column":
        if self.personal == "token" and self.type != "text":
            raise ValueError("a token is text: declare `type: text`")
        if self.personal == "round" and self.type.split("(", 1)[0] not in DEGREES:
            raise ValueError(f"{self.type} is no type to round; {', '.join(DEGREES)} are")
        return self


class Table(_Strict):
    """One table. Without `primary_key` every inserted row stands for itself."""

    primary_key: tuple[str, ...] = ()
    tenant: str | None = None  # the column with the source's tenant id
    user: str | None = None  # the column with the source's user id
    consent: str | None = None  # the flag by which whom the row is about agrees to be counted
    is_tenant_table: bool = False  # its rows describe tenants
    is_user_table: bool = False  # its rows describe users
    description: str = ""
    columns: Mapping[str, Column]

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`{id: uuid}` is short for `{id: {type: uuid}}`."""
        if not isinstance(value, Mapping):
            return value
        return {k: {"type": v} if isinstance(v, str) else v for k, v in value.items()}

    @model_validator(mode="after")
    def _names(self) -> "Table":
        for name in self.columns:
            if not is_name(name):
                raise ValueError(f"{name!r} cannot be a column's name")
        for used in (*self.primary_key, self.tenant, self.user):
            if used is not None and used not in self.columns:
                raise ValueError(f"{used!r} is not among the columns")
            if used is not None and self.columns[used].personal == "round":
                raise ValueError(
                    f"{used!r} says which row or whose it is: rounded, two would be one"
                )
        if self.consent is not None and self.consent not in self.columns:
            raise ValueError(f"{self.consent!r} is not among the columns")
        if self.consent is not None and self.columns[self.consent].type != "boolean":
            raise ValueError(f"{self.consent!r} is no answer of yes or no: declare `type: boolean`")
        return self

    def ids_of_people(self) -> list[str]:
        """Columns of text that say by their name that they hold the id of a person, as properties of events
        do (`customer_id`); the row's own tenant and user are not among them."""
        return [
            name for name, column in self.columns.items()
            if column.type == "text" and column.personal is None
            and name not in (self.tenant, self.user) and judge_key(name) == ID
        ]  # fmt: skip

    def identifying(self) -> list[str]:
        """Columns that say whose a row is or who else takes part in it, of whatever type; not those that say which
        row it is, nor a tenant's number, which a database may begin to count at 0."""
        tenant = (
            self.tenant
            if self.tenant and self.columns[self.tenant].type in ("text", "uuid")
            else None
        )
        named = (n for n, c in self.columns.items() if c.type in _IDS and judge_key(n) == ID)
        found = dict.fromkeys([*filter(None, (tenant, self.user)), *named])
        return [
            name
            for name in found
            if name not in self.primary_key and (name != self.tenant or tenant)
        ]

    def fingerprint(self) -> str:
        """Changes when the table must be decoded or typed in another way."""
        unstored = {"description", "is_user_table", "consent"}
        body = {"form": FORM, **self.model_dump(exclude=unstored)}
        for column in body["columns"].values():
            del column["staged_as"]
        if people := self.ids_of_people():
            body["ids_of_people"] = people
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:32]


class CdcContract(_Strict):
    """One product's database. Tables in `ignored_tables` are the connector's own, not data."""

    kind: Literal["cdc"]
    product: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = ""
    owner: str = ""
    # The schema whose tables are written without it; for MySQL and its like, the database.
    home_schema: str | None = Field(default=None, alias="schema")
    database: str | None = None  # records of any other are kept aside
    # When the source's log began anew from below, say on a new server; what was committed since then
    # comes after all that was committed before.
    log_restarts: tuple[AwareDatetime, ...] = ()
    # Records without a position and an offset are meant to stand in the order of the files' names and lines.
    ordered_by_files: bool = False
    ignored_tables: tuple[str, ...] = ()
    tables: Mapping[str, Table]

    @field_validator("tables")
    @classmethod
    def _names(cls, value: Mapping[str, Table]) -> Mapping[str, Table]:
        for name in value:
            if not is_name(name):
                raise ValueError(f"{name!r} cannot be a table's name")
        return value

    def form(self) -> Form:
        """What decides how records are read: all but the words for people and for staging, and
        what the next load brings to the stored changes by itself."""
        column: IncEx = {"__all__": {"description", "staged_as"}}
        unread: IncEx = {
            "description": True, "is_user_table": True, "consent": True, "columns": column,
        }  # fmt: skip
        tables = {
            name: table.model_dump(mode="json", exclude=unread, exclude_defaults=True)
            for name, table in self.tables.items()
        }
        for name, table in self.tables.items():
            if people := table.ids_of_people():
                tables[name]["ids_of_people"] = people
        others = {"description", "owner", "tables", "log_restarts", "ordered_by_files"}
        whole = self.model_dump(mode="json", exclude=others, exclude_none=True)
        return Form(f"cdc/{self.product}", whole, tables)

    def log_of(self, committed_us: int | None) -> int:
        """In which of the source's logs, counted from 0, a change stands by the moment of its commit."""
        return sum(moment <= (committed_us or 0) for moment in self._restarts_us)

    @cached_property
    def _restarts_us(self) -> tuple[int, ...]:
        return tuple((moment - EPOCH) // timedelta(microseconds=1) for moment in self.log_restarts)


def cdc_contracts(contracts: Contracts) -> dict[str, CdcContract]:
    """All declared databases by product, but for those with faults; a later folder's document
    replaces an earlier one."""
    faulty = {fault.product for fault in cdc_faults(contracts)}
    documents, _ = usable(contracts, "cdc", CdcContract)
    return {found.product: found for _, found in documents if found.product not in faulty}


def cdc_faults(contracts: Contracts) -> list[Fault]:
    """The contracts of databases that cannot be used; the files of their products wait."""
    _, faults = usable(contracts, "cdc", CdcContract)
    return [*faults, *(fault for fault in contracts.faults if fault.kind == "")]
