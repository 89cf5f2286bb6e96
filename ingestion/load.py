"""Loads the landing folder: each file once, in one transaction, in any order.

Belongs here: the course of a load from the list of files to the report. Does not belong here:
reading (`blocks`), parsing (`batches`, `workers`), storing (`sink`), notes (`ledger`), what a
load that stopped says (`load_errors`).
"""

import os
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Protocol

import psycopg

from ingestion.contracts.model import load_contracts
from ingestion.file_load import FileLoad, note_undeclared
from ingestion.lake.mirror import LakeError, mirror
from ingestion.lake.new_days import NewDays
from ingestion.landing.blocks import Block, Unreadable, blocks
from ingestion.landing.byte_ranges import ByteRange, byte_ranges
from ingestion.landing.digest import Digest
from ingestion.landing.file_info import FileInfo, Shape
from ingestion.landing.known_digests import KnownDigests
from ingestion.landing.listing import KINDS, LandingFile, list_files, open_landing
from ingestion.load_errors import load_error
from ingestion.parsing.batches import SourceMaker
from ingestion.parsing.source import Undeclared
from ingestion.parsing.workers import Begin, Finish, Item, Parsing, Unread, Work
from ingestion.report import LoadReport
from ingestion.storing.bloom_filter import BloomFilters
from ingestion.storing.key_table import merge_recent
from ingestion.storing.ledger import LOADER_LOCK, Entry, Ledger, publish_event_versions
from tallyhouse.database.standstill import take_lock
from tallyhouse.settings import Settings


class Connect(Protocol):
    def __call__(self, **options: Any) -> psycopg.Connection: ...


class Progress(Protocol):
    def update(self, done: float, total: float | None, text: str = "") -> None: ...


def load_all(
    connect: Connect,
    settings: Settings,
    progress: Progress | None = None,
    *,
    kinds: Collection[str] | None = None,
    processes: int | None = None,
) -> LoadReport:
    """Load every file of the landing folder that the ledger does not know, then the lake.

    `kinds` limits it to some kinds of source. Safe to run twice at once, and to be interrupted.
    """
    return _Load(connect, settings, progress, processes).run(kinds, again=False)


def replay(
    connect: Connect,
    settings: Settings,
    progress: Progress | None = None,
    *,
    processes: int | None = None,
) -> LoadReport:
    """Read those files again that had rejected records, say after a contract was extended.

    What is stored already is a duplicate and stays; the files' rejections are judged anew.
    """
    return _Load(connect, settings, progress, processes).run(None, again=True)


class _Load:
    def __init__(self, connect: Connect, settings: Settings, progress: Progress | None,
                 processes: int | None) -> None:  # fmt: skip
        self._connect = connect
        self._settings = settings
        self._progress = progress
        self._processes = processes or min(4, os.cpu_count() or 1)
        self._report = LoadReport()
        self._new_days = NewDays(settings.lake)
        self._filters = BloomFilters()
        self._done = 0
        self._at_work: str | None = None
        folders = [settings.root / "contracts", *settings.contracts]
        self._contracts = load_contracts(folders)
        self._key = settings.pii_key()
        self._sources = SourceMaker(self._contracts, self._key)
        self._landing = open_landing(settings.landing)

    def run(self, kinds: Collection[str] | None, again: bool) -> LoadReport:
        started = time.monotonic()
        files = [
            file
            for file in list_files(self._landing, self._settings.landing)
            if kinds is None or file.kind in kinds
        ]
        self._report.files_seen = len(files)
        self._report.stray += self._landing.stray
        try:
            with closing(self._new_days), closing(self._connect(autocommit=True)) as conn:
                self._prepare(conn)
                ledger = Ledger(conn)
                if again:
                    ledger.forget_rejected()
                for kind in KINDS if kinds is None else kinds:
                    self._follow_contracts(conn, ledger, kind)
                self._load(conn, ledger, files)
                self._mirror(conn)
        except psycopg.Error as error:
            raise load_error(error, self._at_work) from error
        self._report.seconds = time.monotonic() - started
        return self._report

    def _prepare(self, conn: psycopg.Connection) -> None:
        conn.execute("set client_min_messages = warning")
        conn.execute("set timezone = 'UTC'")
        take_lock(conn, LOADER_LOCK, self._say, "waiting for another load to finish")
        publish_event_versions(conn, self._contracts)

    def _follow_contracts(self, conn: psycopg.Connection, ledger: Ledger, kind: str) -> None:
        """Bring what is stored to contracts that changed, with or without new files."""
        with conn.transaction():
            self._sources(kind).follow_contracts(conn, ledger.next_load_id)

    def _load(self, conn: psycopg.Connection, ledger: Ledger, files: list[LandingFile]) -> None:
        parsing = Parsing(self._contracts, self._key, self._processes)
        known_digests = KnownDigests(conn, self._landing)
        current: FileLoad | None = None
        try:
            for item in parsing.run(self._items(files, ledger, known_digests)):
                if isinstance(item, Begin):
                    self._at_work = item.file.path
                    if item.undeclared:
                        note_undeclared(conn, ledger, item.file, item.undeclared)
                    else:
                        source = self._sources(item.file.kind)
                        current = FileLoad(
                            conn, ledger, item.file, source, self._new_days, self._filters
                        )
                elif isinstance(item, Finish):
                    assert current is not None
                    current.finish(self._report, item.problem, item.changed)
                    self._at_work = None
                    merge_recent(conn, self._sources(item.file.kind).target.key_table)
                elif isinstance(item, Unread):
                    assert current is not None
                    current.lose(item.reason)
                else:
                    assert current is not None
                    current.take(item)
        finally:
            parsing.close()
        known_digests.save()

    def _items(
        self, files: list[LandingFile], ledger: Ledger, known_digests: KnownDigests
    ) -> Iterator[Item]:
        """What there is to do, file by file. Runs a little ahead of the database."""
        claimed: set[tuple[str, str, str]] = set()
        with ThreadPoolExecutor(2) as threads:
            digests = threads.map(known_digests.digest, files)
            for file, found in zip(files, digests, strict=True):
                self._done += 1
                self._show(file.path, len(files))
                if isinstance(found, str):
                    self._report.unreadable.append(f"{file.path} cannot be read: {found}")
                    continue
                info = FileInfo(file.kind, file.name, file.path, *found[:2])
                identity = (info.kind, info.name, info.content_hash)
                if identity in claimed:
                    continue
                claimed.add(identity)
                entry = ledger.entry(*identity)
                yield from self._file(file, info, found, entry)

    def _file(
        self, file: LandingFile, info: FileInfo, found: Digest, entry: Entry | None
    ) -> Iterator[Item]:
        problem = found.problem
        if problem is not None:
            self._report.unreadable.append(f"{file.path} cannot be read to its end. {problem}")
        if entry is not None and (entry.is_complete or problem is not None):
            return
        try:
            shape = self._sources(info.kind).shape(info)
        except Undeclared as error:
            self._report.undeclared.append(str(error))
            if entry is None:
                yield Begin(info, str(error))
            return
        yield from self._blocks(file, info, found, shape)

    def _blocks(
        self, file: LandingFile, info: FileInfo, hashed: Digest, shape: Shape
    ) -> Iterator[Item]:
        problem = hashed.problem
        changed: str | None = None
        started = False
        try:
            with self._landing.storage.open(file.path) as raw:
                # without ids of their own, records of a broken file would get others once mended
                must_wait = hashed.is_damaged or (problem and shape.identity_from_file)
                found: Iterable[Block | ByteRange] | None = ()
                if not must_wait:
                    found = byte_ranges(self._landing.storage, file.path, hashed, shape)
                for block in found if found is not None else blocks(raw, file.path, shape):
                    if not started:
                        info = _with_header(info, block, shape)
                        started = True
                        yield Begin(info)
                    self._report.bytes_read += block.size
                    yield Work(info, block, shape)
            now = self._landing.storage.look(file.path)
            if (now.size_bytes, now.version) != (hashed.size_bytes, hashed.version):
                changed = "it is another file now"
        except Unreadable as error:
            problem = str(error)
        except OSError as error:
            changed = error.strerror or str(error)
        if not started:
            yield Begin(info)
        yield Finish(info, problem, changed)

    def _mirror(self, conn: psycopg.Connection) -> None:
        try:
            self._report.lake_files = mirror(conn, self._settings.lake, self._say, self._new_days)
        except LakeError as error:
            self._report.unreadable.append(str(error))

    def _show(self, path: str, total: int) -> None:
        if self._progress is not None:
            self._progress.update(self._done, total, path)

    def _say(self, text: str) -> None:
        if self._progress is not None:
            self._progress.update(self._done, None, text)


def _with_header(info: FileInfo, block: Block | ByteRange, shape: Shape) -> FileInfo:
    if not shape.has_header or isinstance(block, ByteRange):
        return info
    header = block.data.lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r")
    return FileInfo(*(info.kind, info.name, info.path, info.content_hash, info.size_bytes), header)
