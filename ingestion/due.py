"""What today's contracts would read otherwise than it was read: the files, and what differs.

Belongs here: holding what the ledger says of each file against the contracts, in sentences. Does not
belong here: reading files again (`rereading`, `load`), what a form is (`contracts.form`).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

import psycopg

from ingestion.contracts.form import Difference, Form, difference
from ingestion.contracts.model import load_contracts
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.batches import SourceMaker
from ingestion.parsing.source import Source, Undeclared
from ingestion.storing.master_key import confirmed_key
from ingestion.storing.readings import Reading, kept_forms, loads_with_parts, readings
from tallyhouse.settings import Settings

Sources = Callable[[str], Source]


class Due(NamedTuple):
    """Files of one source that a changed contract would read otherwise."""

    kind: str
    name: str
    difference: Difference
    form: str  # the contract's
    files: tuple[Reading, ...]

    @property
    def sentence(self) -> str:
        """What differs, and the way out."""
        count = len(self.files)
        were = "1 file was" if count == 1 else f"{count:,} files were"
        return (
            f"{self.kind}/{self.name}: {were} read under another form of the contract {self.form}"
            f" ({self.difference.words}). What was read so stays until `{self.command}` reads it"
            " again."
        )

    @property
    def command(self) -> str:
        """The command that brings it up to date."""
        tables = sorted(self.difference.parts or ()) if self.kind == "cdc" else []
        options = "".join(f" --table {table}" for table in tables)
        return f"tallyhouse reload {self.kind}/{self.name}{options}"


def form_today(sources: Sources, reading: Reading) -> Form | None:
    """By what a file would be read today; None where nobody declares its source any more."""
    file = FileInfo(reading.kind, reading.name, reading.path, reading.content_hash, 0)
    try:
        return sources(reading.kind).form(file)
    except Undeclared:
        return None


def outdated_loads(sources: Sources, found: Iterable[Reading]) -> frozenset[int]:
    """Loads whose files another form of their contract would read today."""
    return frozenset(
        reading.load_id
        for reading in found
        if reading.contract is not None
        and (form := form_today(sources, reading)) is not None
        and form.fingerprint != reading.contract
    )


def find_due(
    conn: psycopg.Connection, sources: Sources, found: Collection[Reading]
) -> tuple[list[Due], dict[int, Form]]:
    """What is due to be read again; and of files that a difference does not concern, by load, the
    form that they may count as read by."""
    groups: dict[tuple[str, str, str, str], list[Reading]] = defaultdict(list)
    forms: dict[str, Form] = {}
    outdated = outdated_loads(sources, found)
    for reading in found:
        if reading.load_id in outdated and (form := form_today(sources, reading)) is not None:
            forms[form.fingerprint] = form
            key = (reading.kind, reading.name, str(reading.contract), form.fingerprint)
            groups[key].append(reading)
    if not groups:
        return [], {}
    kept = kept_forms(conn)
    due: list[Due] = []
    unconcerned: dict[int, Form] = {}
    for (kind, name, before, now), files in sorted(groups.items()):
        differs = difference(kept[before], forms[now])
        concerned = {file.load_id for file in files}
        if differs.parts is not None:
            holding = loads_with_parts(conn, sources(kind).target, differs.parts, concerned)
            concerned = {f.load_id for f in files if f.has_rejections or f.load_id in holding}
        unconcerned |= {f.load_id: forms[now] for f in files if f.load_id not in concerned}
        left = tuple(file for file in files if file.load_id in concerned)
        if left:
            due.append(Due(kind, name, differs, forms[now].name, left))
    return due, unconcerned


def due_sentences(connect: Callable[[], psycopg.Connection], settings: Settings) -> list[str]:
    """One sentence per source and changed contract under which a reload is due."""
    contracts = load_contracts([settings.root / "contracts", *settings.contracts])
    with connect() as conn:
        sources = SourceMaker(contracts, confirmed_key(conn, settings))
        return [due.sentence for due in find_due(conn, sources, readings(conn))[0]]
