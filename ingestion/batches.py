"""A block of a file to a batch ready for COPY: parsed, de-duplicated within itself, counted.

Pure and per process: this is the work that runs in parallel. Belongs here: collecting outcomes.
Does not belong here: reading files, talking to the database.
"""

from collections import Counter
from typing import NamedTuple

from ingestion.contracts import Contracts
from ingestion.pii import Tokeniser
from ingestion.reader import Block, records
from ingestion.registry import make_source
from ingestion.scrub import Scrubber
from ingestion.sources import FileInfo, Ignored, LineParser, Rejected, Row, Shape, Source, Touch


class Rejection(NamedTuple):
    line_number: int
    reason_code: str
    reason: str
    record: str


class Conflict(NamedTuple):
    """A body that lost against another with the same key, within one batch."""

    key: str
    content_hash: str
    received_us: int


class Batch(NamedTuple):
    """What a block came to. Line i of `stage` and of `rows` belong to one record."""

    records: int
    row_count: int
    stage: bytes  # COPY text: key, event_date, received_us, content_hash
    rows: bytes  # COPY text of the target's columns
    lines: list[int]  # per row, its line in the file
    touched: list[int]  # per row, an index into touches
    touches: list[Touch | None]
    dates: list[str]
    duplicates: int
    conflicts: list[Conflict]
    rejected: list[Rejection]
    ignored: int
    newest_us: int | None
    drift: Counter[tuple[str, str, str]]

    def halves(self) -> "list[Batch]":
        """The rows in two batches; everything that was counted already is left out."""
        middle = self.row_count // 2
        stage, rows = self.stage.split(b"\n"), self.rows.split(b"\n")
        return [
            self._replace(
                records=0,
                row_count=stop - start,
                stage=b"".join(line + b"\n" for line in stage[start:stop]),
                rows=b"".join(line + b"\n" for line in rows[start:stop]),
                lines=self.lines[start:stop],
                touched=self.touched[start:stop],
                duplicates=self.duplicates if start == 0 else 0,
                conflicts=self.conflicts if start == 0 else [],
                rejected=[],
                ignored=0,
            )
            for start, stop in ((0, middle), (middle, self.row_count))
        ]


def parse_block(
    parser: LineParser, scrubber: Scrubber, block: Block, shape: Shape, skip_header: bool
) -> Batch:
    """Parse every record of a block. `skip_header`: its first record names the columns."""
    rejected: list[Rejection] = []
    if block.too_long:
        reason = "The line is longer than 16 MiB, which no record is."
        rejected.append(
            Rejection(block.first_line, "line_too_long", reason, scrubber.record(block.data))
        )
        return _batch([], 1, rejected, 0, parser)
    rows: list[tuple[int, Row]] = []
    seen = ignored = 0
    lines = records(block, shape)
    if skip_header:
        next(lines, None)
    for number, line in lines:
        seen += 1
        outcome = parser.parse(number, line)
        if type(outcome) is Row:
            rows.append((number, outcome))
        elif type(outcome) is Rejected:
            text = scrubber.record(line)
            rejected.append(Rejection(number, outcome.reason_code, outcome.reason, text))
        else:
            assert type(outcome) is Ignored
            ignored += 1
    return _batch(rows, seen, rejected, ignored, parser)


def _batch(
    found: list[tuple[int, Row]],
    seen: int,
    rejected: list[Rejection],
    ignored: int,
    parser: LineParser,
) -> Batch:
    newest = max((row.received_us for _, row in found), default=None)
    conflicts: list[Conflict] = []
    left = found
    if len({row.key for _, row in found}) < len(found):
        left, conflicts = _first_bodies(found)
    rows = [row for _, row in left]
    touches: dict[Touch | None, int] = {}
    touched = [touches.setdefault(row.touch, len(touches)) for row in rows]
    drift, parser.drift = parser.drift, Counter()
    return Batch(
        records=seen,
        row_count=len(rows),
        stage="".join([f"{r[0]}\t{r[1]}\t{r[2]}\t\\\\x{r[3]}\n" for r in rows]).encode(),
        rows="".join([f"{r[4]}\n" for r in rows]).encode(),
        lines=[number for number, _ in left],
        touched=touched,
        touches=list(touches),
        dates=sorted({row.event_date for row in rows}),
        duplicates=len(found) - len(rows),
        conflicts=conflicts,
        rejected=rejected,
        ignored=ignored,
        newest_us=newest,
        drift=drift,
    )


def _first_bodies(
    rows: list[tuple[int, Row]],
) -> tuple[list[tuple[int, Row]], list[Conflict]]:
    """Of rows with one key, the earliest received (ties: the smallest hash): rule 40."""
    best: dict[str, tuple[int, Row]] = {}
    conflicts: list[Conflict] = []
    for number, row in rows:
        if row.key not in best:
            best[row.key] = (number, row)
            continue
        held = best[row.key][1]
        better = (row.received_us, row.content_hash) < (held.received_us, held.content_hash)
        lost = held if better else row
        if row.content_hash != held.content_hash:
            conflicts.append(Conflict(lost.key, lost.content_hash, lost.received_us))
        if better:
            best[row.key] = (number, row)
    return list(best.values()), conflicts


class SourceMaker:
    """Makes each kind's source once, from what a process was given at its start."""

    def __init__(self, contracts: Contracts, master_key: bytes) -> None:
        self._contracts = contracts
        self._tokeniser = Tokeniser(master_key)
        self._made: dict[str, Source] = {}

    def __call__(self, kind: str) -> Source:
        if kind not in self._made:
            self._made[kind] = make_source(kind, self._contracts, self._tokeniser)
        return self._made[kind]


class BatchParser:
    """Parses blocks of any file; keeps the parser of the file it is at."""

    def __init__(self, contracts: Contracts, master_key: bytes) -> None:
        self._sources = SourceMaker(contracts, master_key)
        self._scrubber = Scrubber(Tokeniser(master_key))
        self._file: FileInfo | None = None
        self._parser: LineParser | None = None

    def parse(self, file: FileInfo, block: Block, shape: Shape) -> Batch:
        if self._parser is None or file != self._file:
            self._file, self._parser = file, self._sources(file.kind).open(file)
        skip_header = shape.has_header and block.first_line == 1
        return parse_block(self._parser, self._scrubber, block, shape, skip_header)
