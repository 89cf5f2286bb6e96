"""The interface between the loader and a kind of source (events, stripe, revenuecat, cdc).

A source turns one line into one outcome, purely; the loader reads files, counts, deduplicates,
stores and commits. Belongs here: what both sides ask of each other. Does not belong here: any
source's own rules, any SQL.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from ingestion.contracts.form import Form
from ingestion.contracts.model import Contracts
from ingestion.landing.file_info import FileInfo, Shape
from ingestion.parsing.rows import Accepted, Line, text_rows
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.drift import Drift
from ingestion.values.outcomes import Outcome, Row

if TYPE_CHECKING:
    import psycopg

    from ingestion.parsing.batches import Batch

UNTOLD = 2**62  # when a file came whose path does not say: later than any that does


@dataclass(frozen=True)
class Target:
    """A day-partitioned table with its key table (see raw_events.events in schema.sql).

    `touch_sql` are five expressions over the table, one per field of Touch, for rows that leave
    because an earlier body came late; None where `Row.touch` is always None. `part` is the column
    that names a row's part of its contract (see `Form`). `noted` are further tables with a load_id,
    whose rows go with those of the load. `withheld_keys` is the table of keys whose records were counted
    and not stored, where a kind of source has such. `has_closed_days`: rows of days in ops.closed_days stay as they
    are, since models count these days no more.
    """

    table: str
    key_table: str
    columns: tuple[str, ...]
    part: str
    touch_sql: tuple[str, str, str, str, str] | None = None
    noted: tuple[str, ...] = ()
    withheld_keys: str | None = None
    has_closed_days: bool = False

    @property
    def is_open_sql(self) -> str:
        """A condition on rows of the table: no models keep their day as it is."""
        if not self.has_closed_days:
            return "true"
        return (
            "not exists (select from ops.closed_days as closed"
            f" where closed.product = {self.table}.product and closed.tenant_id = {self.table}.tenant_id"
            f" and closed.days @> {self.table}.event_date)"
        )


class Undeclared(Exception):
    """Nobody declared this source; the text says where to do so."""


class Waiting(Undeclared):
    """The contract of this source cannot be used, so that its files wait; the text is the fault."""


class LineParser(Protocol):
    """Parses the lines of one file. `drift` counts (object, field, kind) it met on the way."""

    drift: Drift

    def take(self, lines: list[Line]) -> tuple[Accepted | None, list[Line]]:
        """The fast path: the rows of the plain lines at once, and the lines left to `parse`."""

    def parse(self, number: int, line: bytes) -> Outcome:
        """The outcome of one line (numbered from 1, without its line end). Never raises."""

    def shown(self, line: bytes) -> str:
        """What of a refused line may be shown: nothing personal, and nothing where its keys cannot
        be read (rule 79). Never raises."""

    def collect(self, plain: Accepted | None, rows: Sequence[tuple[int, Row]]) -> Accepted:
        """The plain lines' rows and those that `parse` made of the others."""


class WithoutFastPath:
    """The parts of a LineParser whose lines all take the row path."""

    def take(self, lines: list[Line]) -> tuple[Accepted | None, list[Line]]:
        return None, lines

    def collect(self, plain: Accepted | None, rows: Sequence[tuple[int, Row]]) -> Accepted:
        return text_rows(rows)


@dataclass
class LoadedFile:
    """What `after_file` may look at: rows of this load lie in the partitions of `dates`. `rows` are
    they where the source has them in columns, None when they were too many to keep."""

    file: FileInfo
    load_id: int
    dates: set[date] = field(default_factory=set)
    rows: Sequence[Any] | None = None
    drift: Drift = field(default_factory=Drift)  # to be added to


class Source(Protocol):
    """One kind of source. Made once per process with the contracts and the tokeniser."""

    kind: str
    target: Target

    def shape(self, file: FileInfo) -> Shape:
        """How the file is cut into records (`Shape()` for JSON lines); raises Undeclared."""

    def faults(self) -> tuple[str, ...]:
        """Sentences about contracts of this kind that cannot be used; their files wait."""

    def form(self, file: FileInfo) -> Form:
        """What of the contracts decides how the file is read; raises Undeclared."""

    def product(self, name: str) -> str | None:
        """Whose records a folder of this kind holds; None where nobody declared it."""

    def came_at(self, path: str) -> int:
        """When the records of a file came, by what its path says, in microseconds since 1970; UNTOLD where it says
        nothing, 0 where the records say it themselves."""

    def open(self, file: FileInfo) -> LineParser:
        """The parser of one file; raises Undeclared when no contract claims the file."""

    def stream_of(self, file: FileInfo) -> "InStream":
        """What sees every batch of a file, in its order, before it is stored."""

    def follow_contracts(self, conn: "psycopg.Connection", next_load_id: Callable[[], int]) -> None:
        """Runs before a load's files: brings what is stored to contracts that changed."""

    def after_file(self, conn: "psycopg.Connection", loaded: LoadedFile) -> None:
        """Runs in the file's transaction once its rows are stored (current state, history)."""

    def after_withdrawal(
        self, conn: "psycopg.Connection", parts: Collection[tuple[str, str]], load_id: int
    ) -> None:
        """Runs in the same transaction once rows of these (product, part) were taken back."""


class StoresRowsOnly:
    """The parts of a Source for which stored rows are all there is to do."""

    def came_at(self, path: str) -> int:
        return 0

    def faults(self) -> tuple[str, ...]:
        return ()

    def stream_of(self, file: FileInfo) -> "InStream":
        return lambda batch: batch

    def follow_contracts(self, conn: "psycopg.Connection", next_load_id: Callable[[], int]) -> None:
        pass

    def after_file(self, conn: "psycopg.Connection", loaded: LoadedFile) -> None:
        pass

    def after_withdrawal(
        self, conn: "psycopg.Connection", parts: Collection[tuple[str, str]], load_id: int
    ) -> None:
        pass


InStream = Callable[["Batch"], "Batch"]
SourceFactory = Callable[[Contracts, Tokeniser], Source]
