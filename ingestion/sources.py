"""The interface between the loader and a kind of source (events, stripe, revenuecat, cdc).

A source turns one line into one outcome, purely; the loader reads files, counts, de-duplicates,
stores and commits. Belongs here: the shapes both sides share. Does not belong here: any source's
own rules, any SQL.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ingestion.contracts import Contracts
from ingestion.pii import Tokeniser

if TYPE_CHECKING:
    import psycopg


class Row(NamedTuple):
    """One accepted record, ready to be stored.

    `copy` is the row in COPY's text format in the order of `Target.columns`, without load_id and
    without the line end. `content_hash` covers everything in it but received_at: two rows with
    one hash are the same record. `touch` is what an incremental model must rebuild.
    """

    key: str  # 32 hex digits of the identity, see identity.record_key
    event_date: str  # YYYY-MM-DD, the partition
    received_us: int  # microseconds since 1970; of two bodies the earliest stays
    content_hash: str  # 32 hex digits
    copy: str
    touch: "Touch | None"


class Touch(NamedTuple):
    entity_type: str  # tenant_day, user, tenant, cdc_table, customer
    product: str | None
    tenant_id: str | None
    entity_id: str | None
    touched_on: str | None


class Rejected(NamedTuple):
    reason_code: str  # short, stable, in snake_case
    reason: str  # a sentence


class Ignored(NamedTuple):
    reason: str  # heartbeats, tombstones: no row, but counted


Outcome = Row | Rejected | Ignored


@dataclass(frozen=True)
class Target:
    """A day-partitioned table with its key table (see raw_events.events in schema.sql).

    `touch_sql` are five expressions over the table, one per field of Touch, for rows that leave
    because an earlier body came late; None where `Row.touch` is always None.
    """

    table: str
    key_table: str
    columns: tuple[str, ...]
    touch_sql: tuple[str, str, str, str, str] | None = None


@dataclass(frozen=True)
class FileInfo:
    """The file a line comes from; everything a parser may know about it."""

    kind: str
    name: str  # the product, account or project: the folder below the kind's
    path: str  # below the landing folder, with forward slashes
    content_hash: str  # of the uncompressed bytes
    size_bytes: int
    header: bytes = b""  # the first record, for formats that have a header


class Shape(NamedTuple):
    """How a file is cut into records."""

    has_header: bool = False  # the first record names the columns
    is_quoted: bool = False  # a quoted field may span lines
    identity_from_file: bool = False  # records have no id: (file, line) is theirs


class Undeclared(Exception):
    """Nobody declared this source; the text says where to do so."""


class LineParser(Protocol):
    """Parses the lines of one file. `drift` counts (object, field, kind) it met on the way."""

    drift: Counter[tuple[str, str, str]]

    def parse(self, number: int, line: bytes) -> Outcome:
        """The outcome of one line (numbered from 1, without its line end). Never raises."""


@dataclass
class LoadedFile:
    """What `after_file` may look at: rows of this load lie in the partitions of `dates`. `rows` are
    they where the source has them in columns, None when they were too many to keep."""

    file: FileInfo
    load_id: int
    dates: set[date] = field(default_factory=set)
    rows: Sequence[Any] | None = None


class Source(Protocol):
    """One kind of source. Made once per process with the contracts and the tokeniser."""

    kind: str
    target: Target

    def shape(self, file: FileInfo) -> Shape:
        """How the file is cut into records (`Shape()` for JSON lines); raises Undeclared."""

    def open(self, file: FileInfo) -> LineParser:
        """The parser of one file; raises Undeclared when no contract claims the file."""

    def after_file(self, conn: "psycopg.Connection", loaded: LoadedFile) -> None:
        """Runs in the file's transaction once its rows are stored (current state, history)."""


SourceFactory = Callable[[Contracts, Tokeniser], Source]


def copy_field(value: str | None) -> str:
    """One value in COPY's text format."""
    if value is None:
        return "\\N"
    if "\\" in value or "\n" in value or "\t" in value or "\r" in value:
        value = value.replace("\\", "\\\\").replace("\n", "\\n")
        return value.replace("\t", "\\t").replace("\r", "\\r")
    return value


def copy_line(values: Sequence[str | None]) -> str:
    """A row in COPY's text format, without the line end."""
    return "\t".join(map(copy_field, values))
