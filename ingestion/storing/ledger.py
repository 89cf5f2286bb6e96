"""The ledger of loaded files and the other notes a load leaves in ops.

Belongs here: every statement on ops.* but conflicts (`sink`) and drift (`drift_log`). Does not belong
here: rows of sources, deciding what to load (`load`).
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import NamedTuple

import psycopg

from ingestion.contracts.form import Form
from ingestion.contracts.model import Contracts, EventContract, EventType
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.batches import Rejection
from ingestion.storing.readings import keep_form
from ingestion.storing.sink import Stored
from ingestion.values.identity import record_key
from ingestion.values.instants import EPOCH
from ingestion.values.json_lines import encode
from ingestion.values.outcomes import Touch, copy_line

LOADER_LOCK = 7_215_002  # held by the one loader at work


class Entry(NamedTuple):
    load_id: int
    is_complete: bool
    path: str


class Ledger:
    """The ledger, read once; the loader lock makes sure nobody else writes meanwhile."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self._conn = conn
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._unfinished: dict[tuple[str, str, str], list[int]] = {}
        self._forms: set[str] = set()  # that are kept
        for kind, name, path, content_hash, load_id, is_complete in conn.execute(
            "select source_kind, source_name, file_path, content_hash, load_id, is_complete"
            " from ops.load_manifest where superseded_by is null"
        ):
            self._entries[kind, name, content_hash] = Entry(load_id, is_complete, path)
            if not is_complete:
                self._unfinished.setdefault((kind, name, path), []).append(load_id)

    def entry(self, kind: str, name: str, content_hash: str) -> Entry | None:
        return self._entries.get((kind, name, content_hash))

    def forget(self, kind: str, name: str, content_hash: str) -> None:
        """Let a content be loaded again; `finish` supersedes its entry."""
        del self._entries[kind, name, content_hash]

    def unfinished(self, file: FileInfo) -> list[int]:
        """Loads of the same file as far as it could be read then."""
        return self._unfinished.get((file.kind, file.name, file.path), [])

    def remember(self, file: FileInfo, entry: Entry) -> None:
        self._entries[(file.kind, file.name, file.content_hash)] = entry
        place = (file.kind, file.name, file.path)
        self._unfinished[place] = [] if entry.is_complete else [entry.load_id]

    def next_load_id(self) -> int:
        row = self._conn.execute(
            "select nextval(pg_get_serial_sequence('ops.load_manifest', 'load_id'))"
        ).fetchone()
        assert row is not None
        return int(row[0])

    def finish(self, file: FileInfo, load_id: int, is_complete: bool, counts: Counter[str],
               stored: Stored, form: Form | None = None) -> None:  # fmt: skip
        """Write the file's entry; it takes the place of an entry of the same content, and of
        unfinished entries of the same path."""
        if form is not None and form.fingerprint not in self._forms:
            keep_form(self._conn, form)
            self._forms.add(form.fingerprint)
        newest = [
            None if moment is None else EPOCH + timedelta(microseconds=moment)
            for moment in (stored.newest_us, stored.claimed_us)
        ]
        superseded = self._conn.execute(
            "update ops.load_manifest set superseded_by = %s,"
            " record_count = record_count - rejected_count, rejected_count = 0"
            " where superseded_by is null and source_kind = %s and source_name = %s"
            " and (content_hash = %s or (file_path = %s and not is_complete)) returning load_id",
            (load_id, file.kind, file.name, file.content_hash, file.path),
        ).fetchall()
        self._conn.execute(
            "delete from ops.rejected_records where load_id = any(%s)",
            ([old for (old,) in superseded],),
        )
        self._conn.execute(
            "insert into ops.load_manifest (load_id, source_kind, source_name, file_path,"
            " content_hash, size_bytes, record_count, stored_count, duplicate_count,"
            " rejected_count, ignored_count, conflict_count, replaced_count, withdrawn_count,"
            " event_dates, is_complete, contract, newest_received_at, newest_claimed_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                load_id, file.kind, file.name, file.path, file.content_hash, file.size_bytes,
                counts["records"], stored.stored, stored.duplicates, counts["rejected"],
                counts["ignored"], stored.conflicts, stored.replaced,
                stored.withdrawn[load_id], sorted(stored.dates), is_complete,
                form.fingerprint if form else None, *newest,
            ),
        )  # fmt: skip
        self._conn.cursor().executemany(
            "update ops.load_manifest set withdrawn_count = withdrawn_count + %s"
            " where load_id = %s",
            [(count, held) for held, count in stored.withdrawn.items() if held != load_id],
        )
        self._touch(file, load_id, stored.touches)
        if newest != [None, None]:
            self._conn.execute(
                "insert into ops.source_watermarks as held"
                " (source_kind, source_name, max_received_at, max_claimed_at)"
                " values (%s, %s, %s, %s)"
                " on conflict (source_kind, source_name) do update set"
                " max_received_at = greatest(held.max_received_at, excluded.max_received_at),"
                " max_claimed_at = greatest(held.max_claimed_at, excluded.max_claimed_at)",
                (file.kind, file.name, *newest),
            )

    def _touch(self, file: FileInfo, load_id: int, touches: Iterable[Touch]) -> None:
        lines = [
            copy_line((
                str(load_id), file.kind, touch.product, touch.entity_type, touch.tenant_id,
                touch.entity_id, touch.touched_on,
            ))
            for touch in touches
        ]  # fmt: skip
        if lines:
            columns = "load_id, source_kind, product, entity_type, tenant_id, entity_id, touched_on"
            with self._conn.cursor().copy(f"copy ops.load_touched ({columns}) from stdin") as copy:
                copy.write("\n".join(lines) + "\n")

    def reject(self, file: FileInfo, load_id: int, rejected: Iterable[Rejection]) -> None:
        """Keep what was refused: reason, file, line and the scrubbed record."""
        lines = [
            copy_line((
                str(load_id), file.kind, file.name, file.path, str(item.line_number),
                item.reason_code, item.reason.replace("\x00", "\ufffd"), item.record,
            ))
            for item in rejected
        ]  # fmt: skip
        if lines:
            columns = (
                "load_id, source_kind, source_name, file_path, line_number, reason_code, reason,"
                " record"
            )
            with self._conn.cursor().copy(
                f"copy ops.rejected_records ({columns}) from stdin"
            ) as copy:
                text = "\n".join(lines) + "\n"
                copy.write(text.encode("utf-8", "replace"))


def has_loaded(conn: psycopg.Connection) -> bool:
    """Whether anything was ever loaded."""
    return conn.execute("select 1 from ops.load_manifest limit 1").fetchone() is not None


def refused_alone(
    conn: psycopg.Connection, among: Collection[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of these sources of which, as they are read today, records were refused and none is stored.

    What is gone again by an erasure or its retention was stored, and what was withheld was counted: neither is
    missing. Nor is a source whose files are empty.
    """
    found = conn.execute(
        "select source_kind, source_name from ops.load_manifest as held where superseded_by is null"
        " group by source_kind, source_name"
        " having sum(rejected_count) > 0 and sum(stored_count + duplicate_count) = 0"
        " and not exists (select 1 from ops.withheld_records as withheld"
        "  where withheld.source_kind = held.source_kind and withheld.source_name = held.source_name)"
        " order by source_kind, source_name"
    )
    return [(kind, name) for kind, name in found if (kind, name) in among]


def is_stored(conn: psycopg.Connection, kind: str) -> bool:
    """Whether any record of a kind of source was stored, or withheld by a rule."""
    row = conn.execute(
        "select exists (select 1 from ops.load_manifest where source_kind = %(kind)s and stored_count > 0)"
        " or exists (select 1 from ops.withheld_records where source_kind = %(kind)s)",
        {"kind": kind},
    ).fetchone()
    return bool(row and row[0])


def refusals(conn: psycopg.Connection, kind: str, name: str) -> tuple[Counter[str], str]:
    """How often why records of a source are refused; the first of the newest load, in words."""
    found = conn.execute(
        "select reason_code, count(*) from ops.rejected_records"
        " where source_kind = %s and source_name = %s group by reason_code order by reason_code",
        (kind, name),
    )
    reasons = Counter({code: int(count) for code, count in found})
    first = conn.execute(
        "select file_path, line_number, reason from ops.rejected_records"
        " where source_kind = %s and source_name = %s order by load_id desc, line_number limit 1",
        (kind, name),
    ).fetchone()
    if first is None:
        return reasons, ""
    path, line_number, reason = first
    return reasons, f"{path}{f', line {line_number}' if line_number else ''}: {reason}"


def publish_event_versions(conn: psycopg.Connection, contracts: Contracts) -> None:
    """Enter every declared event in ops.event_schema_versions, once per form it ever had."""
    rows = {
        (contract.product, name, contract.version): _version(contract, name, event)
        for contract in contracts.events.values()
        for name, event in contract.events.items()
    }
    held = set(
        conn.execute(
            "select product, event_name, schema_version, fingerprint from ops.event_schema_versions"
        )
    )
    missing = [(*key, *row) for key, row in rows.items() if (*key, row[0]) not in held]
    if missing:
        conn.cursor().executemany(
            "insert into ops.event_schema_versions (product, event_name, schema_version,"
            " fingerprint, event_domain, is_deprecated, replaced_by, fields)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            missing,
        )


def _version(
    contract: EventContract, name: str, event: EventType
) -> tuple[str, str | None, bool, str | None, str]:
    optional = {**contract.common, **event.optional}
    fields = encode(
        {
            field: {**form.model_dump(mode="json", exclude_defaults=True), "required": required}
            for required, group in ((False, optional), (True, event.required))
            for field, form in group.items()
        }
    )
    fingerprint = record_key(fields, str(event.domain), str(event.deprecated))
    return fingerprint, event.domain, event.deprecated, event.replaced_by, fields
