"""Loads the landing folder: each file once, in one transaction, in any order; or files once more.

Belongs here: the course of a load from the list of files to the report. Does not belong here:
which files are read again (`rereading`), reading (`blocks`), parsing (`batches`, `workers`), storing
(`sink`), notes (`ledger`), what a load that stopped says (`load_errors`).
"""

import os
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from ingestion.cdc.contract import cdc_contracts
from ingestion.consent.answers import held_refusals
from ingestion.consent.refusals import Refusals
from ingestion.consent.stored import due_rereads, follow, forget_rereads
from ingestion.contracts.model import load_contracts
from ingestion.due import find_due, outdated_loads
from ingestion.erasing import ledger as erasures
from ingestion.erasing.door import Door
from ingestion.file_load import OWN, SHARED, FileLoad, note_undeclared
from ingestion.lake.mirror import LakeError, mirror
from ingestion.lake.new_days import NewDays
from ingestion.landing.blocks import Block, blocks
from ingestion.landing.byte_ranges import ByteRange, byte_ranges
from ingestion.landing.containers import Unreadable
from ingestion.landing.digest import Digest
from ingestion.landing.file_info import FileInfo, Shape
from ingestion.landing.known_digests import KnownDigests
from ingestion.landing.listing import KINDS, LandingFile, list_files, open_landing
from ingestion.load_errors import load_error
from ingestion.parsing.batches import SourceMaker
from ingestion.parsing.source import Undeclared, Waiting
from ingestion.parsing.workers import Begin, Finish, Item, Parsing, Unread, Work
from ingestion.report import LoadReport, nothing_stored
from ingestion.rereading import (
    DueOrRejected,
    Everything,
    Found,
    Named,
    OfLoads,
    Rereading,
    Wanted,
    choose,
    take_back,
)
from ingestion.retention.closed import closed_days, kept_by_models
from ingestion.storing.bloom_filter import BloomFilters
from ingestion.storing.key_table import merge_recent
from ingestion.storing.ledger import (
    LOADER_LOCK,
    Entry,
    Ledger,
    is_stored,
    publish_event_versions,
    refusals,
    refused_alone,
)
from ingestion.storing.master_key import confirmed_key, next_key, remember
from ingestion.storing.readings import keep_form, readings
from ingestion.storing.stored_addresses import search_once, still_stored
from ingestion.tenant_zones import publish_zones
from tallyhouse import key_file
from tallyhouse.database.standstill import take_lock
from tallyhouse.errors import TallyhouseError
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
    return _Load(connect, settings, progress, processes).run(kinds)


def replay(
    connect: Connect,
    settings: Settings,
    progress: Progress | None = None,
    *,
    processes: int | None = None,
) -> LoadReport:
    """`reload` of the files with rejected records, and of those that a contract which changed since
    would read otherwise."""
    return _Load(connect, settings, progress, processes).run_again(DueOrRejected())


def reload(
    connect: Connect,
    settings: Settings,
    words: Sequence[str],
    progress: Progress | None = None,
    *,
    tables: Sequence[str] = (),
    processes: int | None = None,
) -> LoadReport:
    """Read landed files once more, by today's contracts and code, and replace what they brought.

    `words` name kinds of source, products, accounts, projects, files; with `tables` it is only
    files that hold changes of these tables. All of it is one transaction: afterwards, and
    whatever ends it early, there are the old rows or the new. Raises NothingNamed.
    """
    named = Named(tuple(words), tuple(tables))
    return _Load(connect, settings, progress, processes).run_again(named)


def rotate_key(
    connect: Connect,
    settings: Settings,
    progress: Progress | None = None,
    *,
    is_lost: bool = False,
    leaves_gone: bool = False,
    forgets_erased: bool = False,
    processes: int | None = None,
) -> LoadReport:
    """`reload` of everything under a new key of personal data, which then takes the place of the former.

    `is_lost`: the former key need not be there. Files that are gone cannot be read again: what they
    brought would keep tokens of the former key, so that they stop the rotation unless `leaves_gone`. So does a ledger
    of erasures, whose digests are of the former key, unless `forgets_erased`.
    Raises TallyhouseError. Ended early, everything is as it was.
    """
    load = _Load(connect, settings, progress, processes)
    return load.rotate(is_lost=is_lost, leaves_gone=leaves_gone, forgets_erased=forgets_erased)


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
        self._waiting: Counter[str] = Counter()  # files, by the fault of their contract
        self._done = 0
        self._at_work: str | None = None
        self._bounds = OWN
        self._refusals = Refusals()
        self._is_answer_new = True  # whether the refusals may not be those of what is loaded
        folders = [settings.root / "contracts", *settings.contracts]
        self._contracts = load_contracts(folders)
        self._key: bytes
        self._sources: SourceMaker
        self._landing = open_landing(settings.landing, settings.landing_keys)

    def run(self, kinds: Collection[str] | None) -> LoadReport:
        """Load what the ledger does not know."""
        files = [file for file in self._list() if kinds is None or file.kind in kinds]
        self._report.files_seen = len(files)
        with self._opened() as conn:
            ledger = Ledger(conn)
            for kind in KINDS if kinds is None else kinds:
                self._follow_contracts(conn, ledger, kind)
            known_digests = KnownDigests(conn, self._landing)
            with ThreadPoolExecutor(2) as threads:
                found = zip(files, threads.map(known_digests.digest, files), strict=True)
                self._load(conn, ledger, found)
            self._read_given(conn, known_digests)
            known_digests.save()
            self._report.notes += publish_zones(conn, self._contracts)
            self._tell_faults(KINDS if kinds is None else kinds)
            self._tell_refused(conn, files)
            self._tell_astray(conn, KINDS if kinds is None else kinds)
            self._tell_due(conn)
            self._mirror(conn)
        return self._report

    def run_again(self, wanted: Wanted) -> LoadReport:
        """Replace what the wanted files brought by what they say today."""
        files = self._list()
        with self._opened() as conn:
            known_digests = KnownDigests(conn, self._landing)
            chosen = self._choose(conn, known_digests, files, wanted)
            self._report.unreadable += chosen.kept
            self._replace(conn, known_digests, chosen)
        return self._report

    def rotate(self, *, is_lost: bool, leaves_gone: bool, forgets_erased: bool) -> LoadReport:
        """Replace everything by what it is under a new key."""
        files = self._list()
        with self._opened(is_key_lost=is_lost) as conn:
            if not forgets_erased and erasures.has_any(conn):
                raise TallyhouseError(_ERASED)
            known_digests = KnownDigests(conn, self._landing)
            self._use_key(next_key(self._settings))
            chosen = self._choose(conn, known_digests, files, Everything())
            kept = [*chosen.kept, *kept_by_models(conn)]
            if kept and not leaves_gone:
                raise TallyhouseError(_cannot_rotate(kept))
            self._report.notes += kept
            self._replace(conn, known_digests, chosen, is_new_key=True)
            former = key_file.exchange(self._settings.pii_key_file)
            self._report.notes.append(_rotated(self._settings.pii_key_file, self._key, former))
        return self._report

    def _choose(
        self, conn: psycopg.Connection, known_digests: KnownDigests, files: list[LandingFile],
        wanted: Wanted,
    ) -> Rereading:  # fmt: skip
        place, digest = self._settings.landing, known_digests.digest
        chosen = choose(conn, self._sources, files, digest, wanted, place)
        self._report.files_seen = len(chosen.files)
        return chosen

    def _replace(
        self, conn: psycopg.Connection, known_digests: KnownDigests, chosen: Rereading,
        *, is_new_key: bool = False,
    ) -> None:  # fmt: skip
        """Take back what the chosen files brought and load them, in one transaction."""
        self._exchange(conn, chosen, is_new_key=is_new_key)
        self._read_given(conn, known_digests)
        known_digests.save()
        self._report.notes += publish_zones(conn, self._contracts)
        self._tell_faults(KINDS)
        self._tell_refused(conn, [file for file, _ in chosen.files])
        self._tell_due(conn)
        self._mirror(conn)

    def _exchange(
        self, conn: psycopg.Connection, chosen: Rereading, *, is_new_key: bool = False
    ) -> None:
        ledger = Ledger(conn)
        self._bounds = SHARED
        conn.execute("begin")
        if is_new_key:
            remember(conn, self._key)
        self._report.withdrawn += take_back(conn, self._sources, ledger, chosen)
        self._is_answer_new = True
        self._load(conn, ledger, chosen.files)
        conn.execute("commit")
        self._bounds = OWN
        for kind in {file.kind for file, _ in chosen.files}:
            merge_recent(conn, self._sources(kind).target.key_table)

    def _read_given(self, conn: psycopg.Connection, known_digests: KnownDigests) -> None:
        """Read files again that hold events of people of whom it turned out that they had consented by then."""
        loads = due_rereads(conn)
        if not loads:
            return
        landed = list_files(self._landing, self._settings.landing)
        wanted, digest = OfLoads(frozenset(loads)), known_digests.digest
        chosen = choose(conn, self._sources, landed, digest, wanted, self._settings.landing)
        self._report.notes += chosen.kept
        self._report.files_seen += len(chosen.files)
        if chosen.files:
            self._exchange(conn, chosen)
            self._report.notes.append(_given(len(chosen.files)))
        forget_rereads(conn)

    def _follow_answers(self, conn: psycopg.Connection, ledger: Ledger) -> None:
        """Bring the door, and what is stored, to what people have answered by now."""
        if not self._is_answer_new:
            return
        with conn.transaction():
            contracts = cdc_contracts(self._contracts).values()
            taken_out = follow(conn, contracts, ledger.next_load_id)
            self._refusals = held_refusals(conn)
        self._new_days.spoil(taken_out.days)
        self._report.notes += taken_out.notes
        self._is_answer_new = False

    def _list(self) -> list[LandingFile]:
        files = list_files(self._landing, self._settings.landing)
        self._report.stray += self._landing.stray
        self._report.unreadable += self._landing.misnamed
        return files

    @contextmanager
    def _opened(self, *, is_key_lost: bool = False) -> Iterator[psycopg.Connection]:
        """The database, for the one loader at work; times the load and puts errors into words."""
        started = time.monotonic()
        try:
            with closing(self._new_days), closing(self._connect(autocommit=True)) as conn:
                self._prepare(conn)
                if not is_key_lost:
                    self._use_key(confirmed_key(conn, self._settings))
                yield conn
        except psycopg.Error as error:
            is_one = self._bounds is SHARED
            raise load_error(error, self._at_work, is_one_transaction=is_one) from error
        self._report.seconds = time.monotonic() - started

    def _prepare(self, conn: psycopg.Connection) -> None:
        conn.execute("set client_min_messages = warning")
        conn.execute("set timezone = 'UTC'")
        take_lock(conn, LOADER_LOCK, self._say, "waiting for another load to finish")
        publish_event_versions(conn, self._contracts)
        search_once(conn)

    def _use_key(self, key: bytes) -> None:
        self._key, self._sources = key, SourceMaker(self._contracts, key)

    def _follow_contracts(self, conn: psycopg.Connection, ledger: Ledger, kind: str) -> None:
        """Bring what is stored to contracts that changed, with or without new files."""
        with conn.transaction():
            self._sources(kind).follow_contracts(conn, ledger.next_load_id)

    def _load(self, conn: psycopg.Connection, ledger: Ledger, files: Iterable[Found]) -> None:
        parsing = Parsing(self._contracts, self._key, self._processes)
        outdated = outdated_loads(self._sources, readings(conn))
        erased, databases = erasures.people(conn, self._key), dict(cdc_contracts(self._contracts))
        closed = closed_days(conn)
        current: FileLoad | None = None
        try:
            for item in parsing.run(self._items(files, ledger)):
                if isinstance(item, Begin):
                    self._at_work = item.file.path
                    if item.undeclared:
                        note_undeclared(conn, ledger, item.file, item.undeclared, self._report)
                    else:
                        source = self._sources(item.file.kind)
                        if item.file.kind == "events":
                            self._follow_answers(conn, ledger)
                        current = FileLoad(
                            conn, ledger, item.file, source, self._new_days, self._filters,
                            outdated, self._bounds, Door(erased, databases), self._refusals, closed,
                        )  # fmt: skip
                elif isinstance(item, Finish):
                    assert current is not None
                    current.finish(self._report, item.problem, item.changed)
                    self._at_work = None
                    self._is_answer_new |= item.file.kind == "cdc"
                    if self._bounds is OWN:
                        merge_recent(conn, self._sources(item.file.kind).target.key_table)
                elif isinstance(item, Unread):
                    assert current is not None
                    current.lose(item.reason)
                else:
                    assert current is not None
                    current.take(item)
        finally:
            parsing.close()
        self._follow_answers(conn, ledger)

    def _items(self, files: Iterable[Found], ledger: Ledger) -> Iterator[Item]:
        """What there is to do, file by file. Runs a little ahead of the database."""
        claimed: dict[tuple[str, str, str], str] = {}  # by the path under which it came first
        for file, found in files:
            self._done += 1
            self._show(file.path, self._report.files_seen)
            if isinstance(found, str):
                self._report.unreadable.append(f"{file.path} cannot be read: {found}")
                continue
            info = FileInfo(file.kind, file.name, file.path, *found[:2])
            identity = (info.kind, info.name, info.content_hash)
            came_at, entry = self._sources(info.kind).came_at, ledger.entry(*identity)
            known = claimed.get(identity, entry.path if entry is not None else None)
            came_earlier = known is not None and came_at(info.path) < came_at(known)
            if identity in claimed and not came_earlier:
                continue
            claimed[identity] = info.path if known is None or came_earlier else known
            # what came earlier than was known is read again, or the first to be loaded would decide
            yield from self._file(file, info, found, None if came_earlier else entry)

    def _file(
        self, file: LandingFile, info: FileInfo, found: Digest, entry: Entry | None
    ) -> Iterator[Item]:
        problem = found.problem
        if problem is not None:
            how = "cannot be read" if found.is_damaged else "cannot be read to its end"
            self._report.unreadable.append(f"{file.path} {how}. {problem}")
        if entry is not None and (entry.is_complete or problem is not None):
            return
        try:
            shape = self._sources(info.kind).shape(info)
        except Waiting as fault:
            self._waiting[str(fault)] += 1
            return
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

    def _tell_refused(self, conn: psycopg.Connection, files: Iterable[LandingFile]) -> None:
        """Say of which sources nothing is stored, whichever load met them first, and why."""
        report = self._report
        for kind, name in report.empty:
            report.source(kind, name).first = refusals(conn, kind, name)[1]
        for kind, name in refused_alone(conn, {(file.kind, file.name) for file in files}):
            if (kind, name) not in report.empty:
                report.standing.append(nothing_stored(kind, name, *refusals(conn, kind, name)))

    def _tell_astray(self, conn: psycopg.Connection, kinds: Collection[str]) -> None:
        """A kind of source all of whose files lie in no source's folder is a source that is missing."""
        self._report.standing += [
            f"Nothing of {kind} was stored. {sentence}"
            for kind, sentence in self._landing.without_source.items()
            if kind in kinds and not is_stored(conn, kind)
        ]

    def _tell_due(self, conn: psycopg.Connection) -> None:
        """Say what today's contracts would read otherwise; what they would not counts as theirs."""
        due, unconcerned = find_due(conn, self._sources, readings(conn))
        self._report.notes += [*(item.sentence for item in due), *still_stored(conn)]
        for form in {form.fingerprint: form for form in unconcerned.values()}.values():
            keep_form(conn, form)
        conn.cursor().executemany(
            "update ops.load_manifest set contract = %s where load_id = %s",
            [(form.fingerprint, load_id) for load_id, form in unconcerned.items()],
        )

    def _mirror(self, conn: psycopg.Connection) -> None:
        try:
            self._report.lake_files = mirror(conn, self._settings.lake, self._say, self._new_days)
        except LakeError as error:
            self._report.unreadable.append(str(error))

    def _tell_faults(self, kinds: Collection[str]) -> None:
        """Say which contracts cannot be used, and how many files wait for them."""
        faults = [fault.sentence for fault in self._contracts.faults if fault.kind == ""]
        for kind in kinds:
            faults += self._sources(kind).faults()
        for fault in dict.fromkeys(faults):
            waiting = self._waiting[fault]
            files = "1 file waits" if waiting == 1 else f"{waiting} files wait"
            self._report.unreadable.append(f"{fault} {files} for it." if waiting else fault)

    def _show(self, path: str, total: int) -> None:
        if self._progress is not None:
            self._progress.update(self._done, total, path)

    def _say(self, text: str) -> None:
        if self._progress is not None:
            self._progress.update(self._done, None, text)


_ERASED = (
    "The key stays as it is: people were erased, and under a new key nobody would know them when the landed files are"
    " read again. Delete them from those files (governance.erasure_certificates lists the files), then rotate with"
    " --forget-erased."
)


def _given(count: int) -> str:
    files = "1 file was" if count == 1 else f"{count:,} files were"
    return (
        f"{files} read again: people whose events they hold turned out to have consented by then."
    )


def _cannot_rotate(kept: Sequence[str]) -> str:
    shown = " ".join(kept[:5])
    more = f" And {len(kept) - 5:,} more." if len(kept) > 5 else ""
    return (
        f"The key stays as it is, for not everything that was loaded can be read again under a new one. {shown}{more}"
        " Put these files back; or let what they brought keep the tokens of the former key, which meet none of the"
        " new ones, with --leave-gone."
    )


def _rotated(path: Path, key: bytes, former: Path | None) -> str:
    put_away = (
        f" The former one lies in {former}: delete it once no backup needs it." if former else ""
    )
    return (
        f"{path} holds a new key (fingerprint {key_file.fingerprint(key)}); keep a copy of it apart from the"
        f" warehouse.{put_away} The next build brings the marts up to it."
    )


def _with_header(info: FileInfo, block: Block | ByteRange, shape: Shape) -> FileInfo:
    if not shape.has_header or isinstance(block, ByteRange):
        return info
    header = block.data.lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r")
    return FileInfo(*(info.kind, info.name, info.path, info.content_hash, info.size_bytes), header)
