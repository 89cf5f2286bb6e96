"""A block of a file to a batch ready for COPY: parsed, de-duplicated within itself, counted.

Pure and per process: this is the work that runs in parallel. Belongs here: collecting outcomes.
Does not belong here: reading files, talking to the database.
"""

from datetime import date
from itertools import compress
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts.model import Contracts
from ingestion.landing.blocks import Block, records
from ingestion.landing.file_info import FileInfo, Shape
from ingestion.parsing.registry import make_source
from ingestion.parsing.rows import Accepted, Rows, text_rows
from ingestion.parsing.source import LineParser, Source
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.arrow import BYTES_16, bytes_16
from ingestion.values.drift import Drift
from ingestion.values.outcomes import Arrival, Rejected, Row

KEYS = pa.schema([
    ("key", BYTES_16), ("event_date", pa.date32()), ("received_us", pa.int64()),
    ("content_hash", BYTES_16),
])  # fmt: skip


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
    """What a block came to. Row i of `rows` is from line `lines[i]`."""

    records: int
    keys: pa.Table  # see KEYS; item i is row i's
    rows: Rows
    lines: list[int]
    dates: list[date]
    duplicates: int
    conflicts: list[Conflict]
    rejected: list[Rejection]
    ignored: int
    newest_us: int | None  # of received_at that a server told
    claimed_us: int | None  # of those that only a device claims
    drift: Drift

    def halves(self) -> "tuple[Batch, Batch]":
        """The rows in two batches; everything that was counted already is left out."""
        return self.split(np.arange(len(self.rows)) >= len(self.rows) // 2)

    def split(self, is_second: np.ndarray) -> "tuple[Batch, Batch]":
        """The rows in two batches, by row; everything that was counted already is left out."""
        first = self._replace(records=0, rejected=[], ignored=0, drift=Drift())
        second = first._replace(duplicates=0, conflicts=[])
        return first._only(~is_second), second._only(is_second)

    def _only(self, wanted: np.ndarray) -> "Batch":
        keys = self.keys.filter(pa.array(wanted))
        return self._replace(
            keys=keys,
            rows=self.rows.only(wanted),
            lines=list(compress(self.lines, wanted)),
            dates=_days(keys["event_date"]),
        )


def parse_block(parser: LineParser, block: Block, shape: Shape, skip_header: bool) -> Batch:
    """Parse every record of a block. `skip_header`: its first record names the columns."""
    if block.too_long:
        reason = "The line is longer than 16 MiB, which no record is."
        rejected = [Rejection(block.first_line, "line_too_long", reason, "")]
        return _batch(text_rows([]), 1, rejected, 0, parser)
    lines = list(records(block, shape))[1 if skip_header else 0 :]
    seen = len(lines)
    plain, lines = parser.take(lines)
    rows: list[tuple[int, Row]] = []
    rejected = []
    drift = parser.drift
    for number, line in lines:
        drift.line = number
        outcome = parser.parse(number, line)
        if type(outcome) is Row:
            rows.append((number, outcome))
        elif type(outcome) is Rejected:
            text = parser.shown(line)
            rejected.append(Rejection(number, outcome.reason_code, outcome.reason, text))
    ignored = len(lines) - len(rows) - len(rejected)
    return _batch(parser.collect(plain, rows), seen, rejected, ignored, parser)


def _batch(
    found: Accepted, seen: int, rejected: list[Rejection], ignored: int, parser: LineParser
) -> Batch:
    left, conflicts = _first_bodies(found)
    return Batch(
        records=seen,
        keys=pa.Table.from_arrays(
            [bytes_16(b"".join(left.keys)), left.dates, left.received_us, left.hashes], schema=KEYS
        ),
        rows=left.rows,
        lines=left.lines,
        dates=_days(left.dates),
        duplicates=len(found.keys) - len(left.keys),
        conflicts=conflicts,
        rejected=rejected,
        ignored=ignored,
        newest_us=found.newest_us(Arrival.TOLD),
        claimed_us=found.newest_us(Arrival.CLAIMED),
        drift=parser.drift.handed_over(),
    )


def _days(dates: pa.Array | pa.ChunkedArray) -> list[date]:
    return sorted(pc.unique(dates).to_pylist())


def _first_bodies(found: Accepted) -> tuple[Accepted, list[Conflict]]:
    """Of rows with one key, the earliest received (ties: the smallest hash): rule 40."""
    starts = np.frombuffer(b"".join(found.keys), ">u8")[::2].astype(np.uint64)
    order = np.argsort(starts)
    is_again = starts[order][1:] == starts[order][:-1]
    if not is_again.any():
        return found, []
    suspects = np.sort(order[np.append(is_again, False) | np.append(False, is_again)]).tolist()
    received = dict(zip(suspects, found.received_us.take(suspects).to_pylist(), strict=True))
    hashes = dict(zip(suspects, found.hashes.take(suspects).to_pylist(), strict=True))
    best: dict[bytes, int] = {}
    conflicts: list[Conflict] = []
    wanted = np.ones(len(found.keys), np.bool_)
    for place in suspects:
        key = found.keys[place]
        held = best.setdefault(key, place)
        if held == place:
            continue
        is_better = (received[place], hashes[place]) < (received[held], hashes[held])
        lost = held if is_better else place
        wanted[lost] = False
        if hashes[place] != hashes[held]:
            conflicts.append(Conflict(key.hex(), hashes[lost].hex(), received[lost]))
        if is_better:
            best[key] = place
    kept = {key.hex(): hashes[place].hex() for key, place in best.items()}
    conflicts = [lost for lost in conflicts if lost.content_hash != kept[lost.key]]
    return found.only(wanted), conflicts


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
        self._file: FileInfo | None = None
        self._parser: LineParser | None = None

    def parse(self, file: FileInfo, block: Block, shape: Shape) -> Batch:
        if self._parser is None or file != self._file:
            self._file, self._parser = file, self._sources(file.kind).open(file)
        skip_header = shape.has_header and block.first_line == 1
        return parse_block(self._parser, block, shape, skip_header)
