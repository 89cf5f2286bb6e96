"""The audit log of refused calls, kept even when the database is away.

A refusal is one durable line in a spool folder; `import_spool` moves the lines into
`governance.analytics_audit_log` (each load calls it). Belongs here: writing and moving them. Does not belong here:
deciding what is refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from serving.receiver.landing_writer import INCOMING, LandingWriter

SPOOL = "audit_spool"  # below the home
FOLDER = "audit"

DDL = """
create schema if not exists governance;
create table if not exists governance.analytics_audit_log (
    audit_id text primary key,
    happened_at timestamptz not null,
    actor text not null,
    action text not null,
    resource text not null,
    outcome text not null,
    details jsonb not null
);
"""


class AuditLog:
    """Writes refused calls to the spool; never fails a request because of it."""

    def __init__(self, spool: Path) -> None:
        self.writer = LandingWriter(str(spool), max_pending_bytes=4 << 20)

    def refused(self, actor: str, resource: str, status: int, reason: str) -> None:
        """Log one refused call. No header, secret or body goes into the log."""
        entry = {
            "happened_at": datetime.now(UTC).isoformat(),
            "actor": actor,
            "action": "receive",
            "resource": resource[:200],
            "outcome": "refused",
            "details": {"status": status, "reason": reason},
        }
        try:
            self.writer.submit(FOLDER, [json.dumps(entry).encode()])
        except Exception:
            return

    def close(self) -> None:
        """Write what is waiting."""
        self.writer.close()


@dataclass
class Imported:
    """How many refused calls were moved, and a sentence per file that could not be."""

    moved: int = 0
    problems: list[str] = field(default_factory=list)


def import_spool(spool: Path, connection: psycopg.Connection) -> Imported:
    """Move spooled lines into the audit table. Safe to interrupt and repeat.

    `connection` commits by itself: a file goes only after its lines are in the table.
    """
    found = Imported()
    paths = sorted(p for p in (spool / FOLDER).rglob("*.jsonl") if INCOMING not in p.parts)
    if paths:
        connection.execute(DDL)
    for path in paths:
        try:
            rows = [
                _row(f"{path.stem}:{number}", json.loads(line))
                for number, line in enumerate(path.read_bytes().splitlines())
            ]
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(
                    "insert into governance.analytics_audit_log values (%s, %s, %s, %s, %s, %s, %s)"
                    " on conflict do nothing",
                    rows,
                )
                found.moved += cursor.rowcount
            path.unlink(missing_ok=True)
        except (OSError, ValueError, KeyError, TypeError, psycopg.DataError) as error:
            found.problems.append(
                f"The refused calls in {path} cannot be entered in the audit log ({error}). Mend or"
                " remove the file."
            )
    return found


def _row(audit_id: str, entry: dict[str, Any]) -> list[str]:
    plain = [entry[name] for name in ("happened_at", "actor", "action", "resource", "outcome")]
    return [audit_id, *plain, json.dumps(entry["details"])]
