"""The audit log of refused calls, kept even when the database is away.

A refusal is one durable line in a spool folder; `import_spool` moves the lines into
`governance.analytics_audit_log`. Belongs here: writing and moving them. Does not belong here:
deciding what is refused.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from serving.landing_writer import INCOMING, LandingWriter

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


def import_spool(spool: Path, connection: psycopg.Connection) -> int:
    """Move spooled lines into the audit table; returns how many. Safe to interrupt and repeat."""
    connection.execute(DDL)
    moved = 0
    for path in sorted((spool / FOLDER).rglob("*.jsonl")):
        if INCOMING in path.parts:
            continue
        with connection.transaction(), connection.cursor() as cursor:
            for number, line in enumerate(path.read_bytes().splitlines()):
                entry = json.loads(line)
                cursor.execute(
                    "insert into governance.analytics_audit_log values (%s, %s, %s, %s, %s, %s, %s)"
                    " on conflict do nothing",
                    [
                        f"{path.stem}:{number}",
                        *(entry[k] for k in ("happened_at", "actor", "action", "resource")),
                        entry["outcome"],
                        json.dumps(entry["details"]),
                    ],
                )
                moved += cursor.rowcount
        path.unlink()
    return moved
