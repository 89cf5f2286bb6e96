"""Which landed files are read again, and taking back what they brought.

A file that shares records with others is read again with them: which body of a record stays (rule
40) is for all of them to decide anew. Belongs here: choosing, by what a person named or by what is
due. Does not belong here: reading (`load`), the statements (`storing.withdrawal`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar

import psycopg

from ingestion.due import Sources, find_due, form_today
from ingestion.landing.digest import Digest
from ingestion.landing.listing import LandingFile
from ingestion.storing.ledger import Ledger
from ingestion.storing.readings import Reading, all_loads_of, loads_with_parts, readings
from ingestion.storing.withdrawal import withdraw
from tallyhouse.errors import TallyhouseError

Found = tuple[LandingFile, Digest | str]  # a file and its digest, or why it cannot be read


class NothingNamed(TallyhouseError):
    """What was named is neither landed nor loaded."""


@dataclass
class Rereading:
    """What is read again. `kept` are sentences about what is not, and stays as it was read."""

    files: list[Found] = field(default_factory=list)
    earlier: list[Reading] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Named:
    """What a person named: kinds, products, accounts, projects, files; perhaps tables of CDC."""

    words: Sequence[str]
    tables: Sequence[str] = ()
    # whether files that hold records of those chosen are read with them
    takes_sharing: ClassVar[bool] = True

    def choose(
        self, conn: psycopg.Connection, sources: Sources, known: Collection[Reading],
        landed: Collection[LandingFile], place: str,
    ) -> tuple[list[Reading], list[LandingFile]]:  # fmt: skip
        """The known readings and the landed files that are meant; raises NothingNamed."""
        words = [_below(word, place) for word in self.words]
        for word, told in zip(words, self.words, strict=True):
            items: list[LandingFile | Reading] = [*landed, *known]
            if not any(_is_meant(word, sources, item) for item in items):
                raise NothingNamed(
                    f"Nothing that was landed or loaded answers to {told!r}. Name a kind of source"
                    " (cdc, events, revenuecat, stripe), a product, an account or project, or a"
                    f" file below {place}."
                )
        chosen = [r for r in known if any(_is_meant(word, sources, r) for word in words)]
        files = [f for f in landed if any(_is_meant(word, sources, f) for word in words)]
        if self.tables:
            chosen = self._with_tables(conn, sources, chosen)
        return chosen, files

    def _with_tables(
        self, conn: psycopg.Connection, sources: Sources, chosen: list[Reading]
    ) -> list[Reading]:
        """Those that hold changes of the tables, or records nobody could read."""
        tables = [table.replace(".", "__") for table in self.tables]
        changes = [reading for reading in chosen if reading.kind == "cdc"]
        loads = all_loads_of(conn, [reading.load_id for reading in changes])
        for told, table in zip(self.tables, tables, strict=True):
            forms = (form_today(sources, reading) for reading in changes)
            is_known = any(form is not None and table in form.parts for form in forms)
            target = sources("cdc").target
            if not is_known and not loads_with_parts(conn, target, [table], loads):
                raise NothingNamed(
                    f"No table {told!r} is declared or loaded in what was named. Name it as in its"
                    " contract below contracts/cdc."
                )
        holding = loads_with_parts(conn, sources("cdc").target, tables, loads)
        return [
            reading
            for reading in changes
            if reading.has_rejections or holding.intersection(all_loads_of(conn, [reading.load_id]))
        ]


@dataclass(frozen=True)
class DueOrRejected:
    """Files with rejected records, and those that a changed contract would read otherwise."""

    takes_sharing: ClassVar[bool] = True

    def choose(
        self, conn: psycopg.Connection, sources: Sources, known: Collection[Reading],
        landed: Collection[LandingFile], place: str,
    ) -> tuple[list[Reading], list[LandingFile]]:  # fmt: skip
        due = {file.load_id for item in find_due(conn, sources, known)[0] for file in item.files}
        return [r for r in known if r.is_complete and (r.has_rejections or r.load_id in due)], []


@dataclass(frozen=True)
class OfLoads:
    """What these loads read. Nothing but who had consented is judged otherwise than it was, so that files which share
    records with theirs need not be read with them."""

    loads: Collection[int]
    takes_sharing: ClassVar[bool] = False

    def choose(
        self, conn: psycopg.Connection, sources: Sources, known: Collection[Reading],
        landed: Collection[LandingFile], place: str,
    ) -> tuple[list[Reading], list[LandingFile]]:  # fmt: skip
        return [reading for reading in known if reading.load_id in self.loads], []


@dataclass(frozen=True)
class Everything:
    """All that was ever loaded."""

    takes_sharing: ClassVar[bool] = True

    def choose(
        self, conn: psycopg.Connection, sources: Sources, known: Collection[Reading],
        landed: Collection[LandingFile], place: str,
    ) -> tuple[list[Reading], list[LandingFile]]:  # fmt: skip
        return list(known), list(landed)


Wanted = Named | DueOrRejected | OfLoads | Everything


def choose(
    conn: psycopg.Connection, sources: Sources, landed: Sequence[LandingFile],
    digest: Callable[[LandingFile], Digest | str], wanted: Wanted, place: str,
) -> Rereading:  # fmt: skip
    """What to read again; `landed` are all files of the landing folder at `place`."""
    known = readings(conn)
    chosen, files = wanted.choose(conn, sources, known, landed, place)
    sharing = _sharing(known, chosen) if wanted.takes_sharing else []
    folders = {(item.kind, item.name) for item in (*chosen, *sharing)}
    folders |= {(file.kind, file.name) for file in files}
    found = list(_digests((f for f in landed if (f.kind, f.name) in folders), digest))
    contents: dict[tuple[str, str, str], Found] = {}
    for file, told in sorted(found, key=lambda f: sources(f[0].kind).came_at(f[0].path)):
        if isinstance(told, Digest):
            contents.setdefault((file.kind, file.name, told.content_hash), (file, told))
    result = Rereading()
    taken: set[LandingFile] = set()
    for reading in (*chosen, *sharing):
        content = contents.get(reading.identity)
        undeclared = form_today(sources, reading) is None
        if content is None or (undeclared and reading.is_complete):
            if reading.is_complete and reading not in sharing:
                result.kept.append(_why_kept(reading, found, undeclared and content is not None))
            continue
        result.earlier.append(reading)
        result.files.append(content)
        taken.add(content[0])
    if not getattr(wanted, "tables", ()):
        result.files += _new(found, files, taken, known)
    order = {file: number for number, file in enumerate(landed)}
    result.files.sort(key=lambda item: order[item[0]])
    return result


def take_back(conn: psycopg.Connection, sources: Sources, ledger: Ledger, chosen: Rereading) -> int:
    """Take back what the chosen files brought, in the open transaction; the number of rows."""
    by_kind: dict[str, list[Reading]] = defaultdict(list)
    for reading in chosen.earlier:
        ledger.forget(*reading.identity)
        by_kind[reading.kind].append(reading)
    rows = 0
    for kind, earlier in by_kind.items():
        load_id = ledger.next_load_id()
        loads = all_loads_of(conn, [reading.load_id for reading in earlier])
        gone = withdraw(conn, kind, sources(kind).target, loads, load_id)
        sources(kind).after_withdrawal(conn, gone.parts, load_id)
        sources(kind).follow_contracts(conn, ledger.next_load_id)
        rows += gone.rows
    return rows


def _sharing(known: Iterable[Reading], chosen: Collection[Reading]) -> list[Reading]:
    """Files beside the chosen ones that may have records in common with them."""
    places = {_identities_of(reading) for reading in chosen}
    loads = {reading.load_id for reading in chosen}
    return [
        reading
        for reading in known
        if reading.has_shared_records
        and reading.load_id not in loads
        and _identities_of(reading) in places
    ]


def _identities_of(reading: Reading) -> tuple[str, str]:
    """Within what records are told apart: an event of Stripe names its account itself."""
    return reading.kind, "" if reading.kind == "stripe" else reading.name


def _new(
    found: Iterable[Found], files: Collection[LandingFile], taken: Collection[LandingFile],
    known: Iterable[Reading],
) -> Iterator[Found]:  # fmt: skip
    """Files that were named and never read, or cannot be."""
    read = {reading.identity for reading in known}
    for file, told in found:
        is_read = isinstance(told, Digest) and (file.kind, file.name, told.content_hash) in read
        if file in files and file not in taken and not is_read:
            yield file, told


def _digests(
    files: Iterable[LandingFile], digest: Callable[[LandingFile], Digest | str]
) -> Iterator[Found]:
    listed = list(files)
    with ThreadPoolExecutor(2) as threads:
        yield from zip(listed, threads.map(digest, listed), strict=True)


def _why_kept(reading: Reading, found: Iterable[Found], is_undeclared: bool) -> str:
    told = next((told for file, told in found if file.path == reading.path), None)
    if is_undeclared:
        why = "is of a source that nobody declares any more"
    elif told is None:
        why = "is gone from the landing folder"
    elif isinstance(told, str):
        why = f"cannot be read: {told}"
    else:
        why = "has another content than when it was loaded"
    return f"{reading.path} {why.rstrip('.')}; what it brought stays as it was read."


def _below(word: str, place: str) -> str:
    """A word as paths below the landing folder are written; the folder itself is all of it."""
    if "://" in place:
        text = word.removeprefix(f"{place.rstrip('/')}/").rstrip("/")
        return "*" if text == place.rstrip("/") else text
    path, folder = Path(word).absolute(), Path(place).absolute()
    if path == folder:
        return "*"
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else word.rstrip("/")


def _is_meant(word: str, sources: Sources, item: LandingFile | Reading) -> bool:
    return (
        word in (item.kind, item.name, f"{item.kind}/{item.name}", item.path)
        or item.path.startswith(f"{word}/")
        or fnmatchcase(item.path, word)
        or word == sources(item.kind).product(item.name)
    )
