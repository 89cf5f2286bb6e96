"""Where a contract finds things in a foreign record, and how its files are written.

Belongs here: the mapped fields of the envelope and of properties, conditions, the file format, each
checked as far as the YAML alone tells. Does not belong here: events and their types (`model`), finding
a field in a record (`field_paths`), splitting and decoding lines (`landing`, `events.formats`).
"""

import codecs
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator, model_validator

FieldTypeName = Literal[
    "any", "string", "integer", "number", "boolean", "object", "array", "timestamp", "date", "uuid"
]
EPOCH_UNITS: Mapping[str, int] = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
_TRY = datetime(2001, 2, 3, 16, 5, 6)  # any time that every strptime pattern can hold


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _compiled(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    return value


Pattern = Annotated[str, AfterValidator(_compiled)]


class Condition(Strict):
    """What is asked of one value of a record: that its text holds a pattern, that it is one of some
    values, or that it is not there."""

    path: str
    matches: Pattern | None = None
    equals: str | int | bool | tuple[str | int | bool, ...] | None = None
    is_missing: bool | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "Condition":
        asked = [self.matches, self.equals, self.is_missing]
        if sum(value is not None for value in asked) != 1:
            raise ValueError("say one of `matches`, `equals` or `is_missing`")
        return self


class Case(Condition):
    """What a field is for records that meet a condition."""

    then: str


class FieldMap(Strict):
    """Where an envelope field or a property is found in a foreign record."""

    path: str | tuple[str, ...] = ()  # of several the first that is not null; or see `join`
    join: str | None = None  # the values of all paths with this between them
    content: bool = False  # an id made of all that the record says
    cases: tuple[Case, ...] = ()  # the first condition that is met decides; else the path
    constant: str | int | None = None
    values: Mapping[str, str] | None = None  # the source's word → ours
    prefix: str = ""
    time_format: str | None = None  # strptime pattern, epoch_s, epoch_ms or epoch_us
    type: FieldTypeName = "any"  # what a text becomes; of the envelope see `model`
    personal: Literal["token"] | None = None  # an id of the envelope that names a person

    def paths(self) -> tuple[str, ...]:
        """The paths whose values it takes."""
        return (self.path,) if isinstance(self.path, str) else self.path

    def used_paths(self) -> tuple[str, ...]:
        """All paths that it looks at."""
        return (*self.paths(), *(case.path for case in self.cases))

    @model_validator(mode="after")
    def _finds_something(self) -> "FieldMap":
        if not (self.paths() or self.cases or self.content) and self.constant is None:
            raise ValueError("say where it is found: `path`, `cases`, `constant` or `content`")
        if self.join is not None and len(self.paths()) < 2:
            raise ValueError("`join` puts several paths together: `path: [date, time]`")
        if self.content and (self.paths() or self.cases or self.constant is not None):
            raise ValueError("`content` is an id of its own: leave `path` and the rest out")
        return self

    @field_validator("time_format")
    @classmethod
    def _is_a_format(cls, value: str | None) -> str | None:
        if value is None or value in EPOCH_UNITS:
            return value
        try:
            datetime.strptime(_TRY.strftime(value), value)
            is_good = "%" in value
        except ValueError:
            is_good = False
        if not is_good:
            units = ", ".join(EPOCH_UNITS)
            raise ValueError(f"{value!r} is neither a strptime pattern nor one of {units}")
        return value


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

    @field_validator("fields")
    @classmethod
    def _have_no_id(cls, value: Mapping[str, FieldMap]) -> Mapping[str, FieldMap]:
        for name, field in value.items():
            if field.personal:
                raise ValueError(
                    f"{name}: `personal` is for the envelope's ids; of a property its event says it"
                )
            if field.content or field.time_format:
                raise ValueError(
                    f"{name}: `content` and `time_format` are for the envelope's fields"
                )
        return value


_OF_TEXT = ("delimiter", "columns", "header", "null_text", "encoding", "decimal", "thousands")


class FileFormat(Strict):
    """How a file is written: JSON lines, CSV (any delimiter), or columns separated by blanks."""

    type: Literal["jsonl", "csv", "whitespace"] = "jsonl"
    records: str | None = None  # JSON: where in a line the list of its records lies
    delimiter: str = ","
    columns: tuple[str, ...] | None = None
    header: bool | None = (
        None  # whether the first line names columns; None: where `columns` does not
    )
    null_text: tuple[str, ...] = ("",)
    encoding: str = "utf-8"
    decimal: str = "."
    thousands: str | None = None

    @property
    def is_text(self) -> bool:
        """Whether its values are texts without a type."""
        return self.type != "jsonl"

    @property
    def has_header(self) -> bool:
        """Whether the first line is no record."""
        return self.is_text and (self.columns is None if self.header is None else self.header)

    @field_validator("delimiter")
    @classmethod
    def _is_one_character(cls, value: str) -> str:
        if len(value) != 1 or value in '"\r\n':
            hint = ' (in YAML a tab is "\\t", in double quotes)' if value == "\\t" else ""
            raise ValueError(f"{value!r} must be one character{hint}")
        return value

    @field_validator("decimal", "thousands")
    @classmethod
    def _is_a_mark(cls, value: str | None) -> str | None:
        if value is not None and (len(value) != 1 or value.isalnum() or value in "+-"):
            raise ValueError(f"{value!r} must be one character that no number holds")
        return value

    @field_validator("encoding")
    @classmethod
    def _can_be_cut_into_lines(cls, value: str) -> str:
        try:
            if codecs.lookup(value).name == "utf-8-sig":
                return "utf-8"  # the mark at its start is taken off anyway
            is_good = 'a,"\n'.encode(value) == b'a,"\n'
        except (LookupError, UnicodeError, ValueError) as error:
            raise ValueError(f"{value!r} is no encoding that is known") from error
        if not is_good:
            raise ValueError(
                f"{value!r} cannot be cut into lines; UTF-16 and UTF-32 are told from the file"
                " itself: leave `encoding` out"
            )
        return value

    @field_validator("columns")
    @classmethod
    def _are_different(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        twice = doubled(value or ())
        if twice:
            raise ValueError(
                f"{', '.join(twice)}: named twice; each column needs a name of its own"
            )
        return value

    @model_validator(mode="after")
    def _fits_its_type(self) -> "FileFormat":
        unused = [name for name in _OF_TEXT if name in self.model_fields_set]
        if self.type == "jsonl" and unused:
            raise ValueError(f"{', '.join(unused)}: says nothing of JSON lines")
        if self.type == "whitespace" and "delimiter" in self.model_fields_set:
            raise ValueError("delimiter: columns of type whitespace are separated by blanks")
        if self.is_text and self.records is not None:
            raise ValueError("records: only a line of JSON holds a list of records")
        if self.header is False and self.columns is None:
            raise ValueError("header: without one, `columns` must name the columns")
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same character")
        return self


def doubled(names: tuple[str, ...]) -> list[str]:
    """The names that stand more than once."""
    return [name for name in dict.fromkeys(names) if names.count(name) > 1]
