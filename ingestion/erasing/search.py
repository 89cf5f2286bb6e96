"""Looks for ids of people everywhere: each row of each relation of the warehouse, each file of the lake, landed files.

A row holds somebody when one of the ids stands in it as a word of its own, unless the row names other tenants and
not the person's. Numbers are no words to look for: rows that know a person by a number are found by the UUID that
models make of it. Belongs here: reading and comparing. Does not belong here: what is done about it.
"""

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pyarrow.parquet
from psycopg import sql

from ingestion.erasing.ledger import Subject
from ingestion.landing.blocks import blocks
from ingestion.landing.containers import Unreadable
from ingestion.landing.file_info import Shape
from tallyhouse.storage import Storage

_WORD = re.compile(rb"[A-Za-z0-9_-]{6,}")
_BLOCK = 1 << 20
_OWN = (
    "ops.erasure_requests",
    "ops.erased_ids",
    "ops.erasure_certificates",
)  # digests and counts, nothing readable
_RELATIONS = """
select n.nspname, c.relname, coalesce(parent_space.nspname || '.' || parent.relname, n.nspname || '.' || c.relname)
from pg_class as c
inner join pg_namespace as n on n.oid = c.relnamespace
left join pg_inherits as i on i.inhrelid = c.oid
left join pg_class as parent on parent.oid = i.inhparent
left join pg_namespace as parent_space on parent_space.oid = parent.relnamespace
where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    and n.nspname not like 'pg\\_temp%'
order by 3, 1, 2
"""


@dataclass
class Found:
    """Rows by relation and person; how much was looked through."""

    rows: Counter[tuple[str, int]] = field(default_factory=Counter)
    relations: int = 0
    rows_read: int = 0
    lake_files: int = 0

    def of(self, number: int) -> dict[str, int]:
        return {
            place: count for (place, person), count in sorted(self.rows.items()) if person == number
        }


class Wanted:
    """Words to look for, and whose they are."""

    def __init__(self, subjects: Sequence[Subject], tenants: Iterable[str] = ()) -> None:
        self._of: dict[bytes, set[int]] = defaultdict(set)
        self._tenant = [subject.tenant_id.encode() for subject in subjects]
        self._tenants = {tenant.encode() for tenant in tenants} | set(self._tenant)
        for number, subject in enumerate(subjects):
            names = {
                source_id for _, source_id in subject.ids if not source_id.isdigit()
            } | subject.uuids
            for name in names:
                words = _WORD.findall(name.encode().lower())
                word = max(words, key=len, default=b"")
                if word:
                    self._of[word].add(number)
        self.words = self._of.keys()

    def __len__(self) -> int:
        return len(self._of)

    def in_line(self, line: bytes) -> Set[int]:
        """Whom a row holds."""
        words = set(_WORD.findall(line.lower()))
        tenants = words & self._tenants
        return {
            number
            for word in words & self.words
            for number in self._of[word]
            if not tenants or self._tenant[number] in tenants
        }

    def in_block(self, lines: Sequence[bytes]) -> Iterator[tuple[bytes, Set[int]]]:
        """Lines that hold somebody."""
        if self.words.isdisjoint(_WORD.findall(b"\n".join(lines).lower())):
            return
        for line in lines:
            if numbers := self.in_line(line):
                yield line, numbers


def tenants_of(conn: psycopg.Connection[Any]) -> list[str]:
    """Tenants that rows may name."""
    found = conn.execute(
        "select distinct tenant_id::text from raw_events.events union"
        " select distinct tenant_id::text from ops.load_touched where tenant_id is not null"
    )
    return [tenant for (tenant,) in found.fetchall()]


def warehouse(conn: psycopg.Connection[Any], wanted: Wanted, found: Found | None = None) -> Found:
    """Look through every table and materialized view; views show only what these hold."""
    found = found if found is not None else Found()
    for schema, name, told in conn.execute(_RELATIONS).fetchall():
        if told in _OWN:
            continue
        found.relations += 1
        for lines in _lines(conn, schema, name):
            found.rows_read += len(lines)
            for _, numbers in wanted.in_block(lines):
                for number in numbers:
                    found.rows[told, number] += 1
    return found


def _lines(conn: psycopg.Connection[Any], schema: str, name: str) -> Iterator[list[bytes]]:
    query = sql.SQL("copy (select * from only {}) to stdout").format(sql.Identifier(schema, name))
    rest, size = [], 0
    with conn.cursor().copy(query) as copy:
        for row in copy:
            line = bytes(row)
            rest.append(line)
            size += len(line)
            if size >= _BLOCK:
                yield rest
                rest, size = [], 0
    if rest:
        yield rest


def rows_of(
    conn: psycopg.Connection[Any], relation: str, wanted: Wanted, columns: Sequence[str] = ()
) -> list[str]:
    """Places (ctid) of the rows of a table that hold somebody, perhaps in some columns alone."""
    looked_at = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("t.*")
    query = sql.SQL("copy (select ctid, {} from only {} as t) to stdout").format(
        looked_at, sql.Identifier(*relation.split(".", 1))
    )
    places = []
    with conn.cursor().copy(query) as copy:
        for row in copy:
            line = bytes(row)
            if wanted.in_line(line):
                places.append(line.split(b"\t", 1)[0].decode())
    return places


def lake(storage: Storage, wanted: Wanted, found: Found) -> None:
    """Look through every Parquet file."""
    for file in storage.files(""):
        if not file.name.endswith(".parquet"):
            continue
        found.lake_files += 1
        with storage.open(file.name) as raw:
            table = pyarrow.parquet.ParquetFile(raw).read()
        columns = [table[name].to_pylist() for name in table.column_names]
        lines = ["\t".join(map(str, row)).encode() for row in zip(*columns, strict=True)]
        for _, numbers in wanted.in_block(lines):
            for number in numbers:
                found.rows["lake", number] += 1


def landed(storage: Storage, names: Iterable[str], wanted: Wanted) -> Mapping[int, set[str]]:
    """Landed files that hold somebody by an id that sources write themselves, however they are packed; of one that
    breaks off, what stands before."""
    found: dict[int, set[str]] = defaultdict(set)
    for name in names:
        with storage.open(name) as raw, contextlib.suppress(Unreadable):
            for block in blocks(raw, name, Shape()):
                for _, numbers in wanted.in_block(block.data.split(b"\n")):
                    for number in numbers:
                        found[number].add(name)
    return found
