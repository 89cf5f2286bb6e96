"""The audit log of refused calls, kept even when the database is away.

A refusal is one durable line in a spool folder; `import_spool` moves the lines into
`governance.audit_log` (each load calls it). A caller that is refused again and again gets
BURST lines a minute, and one that counts the others. Belongs here: writing and moving them. Does
not belong here: deciding what is refused.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from governance.audit_log import Act, record
from ingestion.landing.listing import printable
from ingestion.privacy.scrub import without_values
from serving.receiver.landing_writer import INCOMING, LandingWriter
from tallyhouse.database import Warehouse

SPOOL = "audit_spool"  # below the home
FOLDER = "audit"
UNREADABLE = "unreadable"  # beside it: what could not be moved, for a person to look at
BURST = 100
UNSTORABLE = re.compile(
    "[\x00-\x1f\x7f\ud800-\udfff]"
)  # in no text of a database, or of no use there


class AuditLog:
    """Writes refused calls to the spool; never fails a request because of it."""

    def __init__(self, spool: Path) -> None:
        self.writer = LandingWriter(str(spool), max_pending_bytes=4 << 20)
        self.minute = 0
        self.counts: Counter[tuple[str, int, str]] = Counter()  # by actor, status, reason

    def refused(self, actor: str, resource: str, status: int, reason: str) -> None:
        """Log one refused call. No header, secret, body or personal value goes into the log."""
        minute = int(time.monotonic() // 60)
        if minute != self.minute:
            self._tell_the_rest()
            self.minute = minute
        self.counts[(actor, status, reason)] += 1
        if self.counts[(actor, status, reason)] <= BURST:
            parts = UNSTORABLE.sub("\ufffd", resource[:200]).split("/")
            resource = "/".join(map(without_values, parts))
            self._write(actor, resource, {"status": status, "reason": reason})

    def _tell_the_rest(self) -> None:
        for (actor, status, reason), count in self.counts.items():
            if count > BURST:
                details = {"status": status, "reason": reason, "further_calls": count - BURST}
                self._write(actor, "", details)
        self.counts.clear()

    def _write(self, actor: str, resource: str, details: dict[str, Any]) -> None:
        entry = {
            "happened_at": datetime.now(UTC).isoformat(),
            "actor": actor,
            "action": "receive",
            "resource": resource,
            "outcome": "refused",
            "details": details,
        }
        with contextlib.suppress(Exception):  # no call fails because its refusal is not logged
            self.writer.submit(FOLDER, [json.dumps(entry).encode()])

    def close(self) -> None:
        """Write what is waiting."""
        self._tell_the_rest()
        self.writer.close()


@dataclass
class Imported:
    """How many refused calls were moved, and a sentence per file that was set aside instead."""

    moved: int = 0
    problems: list[str] = field(default_factory=list)


def import_spool(spool: Path, warehouse: Warehouse) -> Imported:
    """Move spooled lines into the audit log. Safe to interrupt and repeat.

    A file goes only after its lines are in the log. A file that cannot be read is set aside, so that it is told
    once and stops no load.
    """
    found = Imported()
    paths = sorted(p for p in (spool / FOLDER).rglob("*.jsonl") if INCOMING not in p.parts)
    for path in paths:
        try:
            acts = [
                _act(f"{path.stem}:{number}", json.loads(line))
                for number, line in enumerate(path.read_bytes().splitlines())
            ]
            found.moved += record(warehouse, acts)
            path.unlink(missing_ok=True)
        except (OSError, ValueError, KeyError, TypeError, psycopg.DataError) as error:
            place = spool / UNREADABLE / path.name
            with contextlib.suppress(OSError):
                place.parent.mkdir(mode=0o700, exist_ok=True)
                path.replace(place)
            shown, moved_to = printable(str(path)), printable(str(place))
            found.problems.append(
                f"The refused calls in {shown} cannot be entered in the audit log"
                f" ({type(error).__name__}). The file was moved to {moved_to}; nothing else waits for it."
            )
    return found


def _act(audit_id: str, entry: dict[str, Any]) -> Act:
    def plain(name: str) -> str:
        return UNSTORABLE.sub("\ufffd", entry[name])

    return Act(
        audit_id,
        datetime.fromisoformat(entry["happened_at"]),
        actor=plain("actor"),
        action=plain("action"),
        resource=plain("resource"),
        outcome=plain("outcome"),
        details=dict(entry["details"]),
    )
