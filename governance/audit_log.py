"""The audit log: added to and never changed, each entry sealed together with the one before it.

A seal is an HMAC over the entry and the seal before it, under a key that lies outside of the database
(`audit.key` beside the key of personal data). Who can write in the database can neither change, drop nor insert
an entry without breaking the chain; that its end is not cut off is proven by `audit.head` in the home folder, which
remembers the newest entry. Belongs here: the table, entering, verifying. Does not belong here: what is worth an
entry (`statements`, `standing`, the receiver's refusals).
"""

import getpass
import hmac
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tallyhouse import key_file
from tallyhouse.closed_files import replace_closed
from tallyhouse.database import Warehouse
from tallyhouse.settings import Settings, make_folder

LOCK_KEY = 7_220_004  # any constant; entries are made one after another
PUBLISHED = "analytics_audit_log"
TABLE = f"governance.{PUBLISHED}"
HEAD = "audit.head"  # in the home
FIRST = "0" * 64  # what stands for the seal before the first entry
SHOWN_FAULTS = 10

Connection = psycopg.Connection[Any]

DDL = """
create schema if not exists governance;
do $$
begin
    if to_regclass('governance.analytics_audit_log') is not null and not exists (
        select from pg_attribute
        where attrelid = to_regclass('governance.analytics_audit_log') and attname = 'entry_number'
    ) then
        alter table governance.analytics_audit_log rename to unsealed_audit_log;
        alter table governance.unsealed_audit_log rename constraint
            analytics_audit_log_pkey to unsealed_audit_log_pkey;
    end if;
end
$$;
create table if not exists governance.analytics_audit_log (
    entry_number bigint primary key,
    audit_id text not null unique,
    actor text not null,
    action text not null,
    resource text not null,
    outcome text not null,
    details jsonb not null,
    happened_at timestamptz not null,
    recorded_at timestamptz not null,
    key_fingerprint text not null,
    seal text not null
);
create or replace function governance.refuse_to_change_the_audit_log()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception 'The audit log is only added to; its entries are neither changed nor removed.';
end
$$;
do $$
begin
    if not exists (
        select from pg_trigger
        where tgrelid = 'governance.analytics_audit_log'::regclass and tgname = 'only_added_to'
    ) then
        create trigger only_added_to before update or delete or truncate on governance.analytics_audit_log
        for each statement execute function governance.refuse_to_change_the_audit_log();
    end if;
end
$$;
"""


@dataclass(frozen=True)
class Act:
    """Something that was done or tried. `audit_id` names it wherever it is told of: it is entered once.

    `details` holds text, whole numbers and lists of them, never a value of a record.
    """

    audit_id: str
    happened_at: datetime
    actor: str
    action: str
    resource: str
    outcome: str = "done"
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Verification:
    """How many entries hold, and a sentence for each thing that does not."""

    entries: int = 0
    faults: list[str] = field(default_factory=list)


def apply(connection: Connection) -> None:
    """Create what is missing; an earlier version's log is set aside until the next entry takes it over."""
    connection.execute(DDL)


def enter(warehouse: Warehouse, action: str, resource: str) -> None:
    """Enter what whoever runs this command did just now."""
    now = datetime.now(UTC)
    record(
        warehouse, [Act(f"{action} {now.isoformat()}", now, getpass.getuser(), action, resource)]
    )


def record(warehouse: Warehouse, acts: Iterable[Act]) -> int:
    """Enter what is not entered yet, in this order; returns how many that were.

    All of it or nothing. Safe to repeat, and for several processes at once. The end that is remembered moves on only
    while the log holds it: of a log that was cut off it stays the proof, whatever is entered afterwards.
    """
    settings = warehouse.settings
    key = _key(settings)
    with warehouse.connect(autocommit=True) as connection, _one_at_a_time(connection):
        is_whole = _holds(connection, remembered(settings))
        with connection.transaction():
            earlier = _earlier(connection)
            number, seal, entered = _append(connection, key, [*earlier, *acts])
        if entered and is_whole:
            make_folder(settings.home)
            replace_closed(_head(settings), json.dumps({"entry": number, "seal": seal}) + "\n")
    return entered


def verify(warehouse: Warehouse) -> Verification:
    """Hold every entry against its seal, its predecessor and the remembered end of the log."""
    settings, found = warehouse.settings, Verification()
    key = _key(settings)
    ours = key_file.fingerprint(key)
    newest = remembered(settings)
    before, expected = FIRST, 1
    foreign = 0
    with warehouse.connect() as connection:
        cursor = connection.cursor("audit_log", row_factory=dict_row)
        for row in cursor.execute(f"select * from {TABLE} order by entry_number"):
            number = row["entry_number"]
            if number != expected:
                found.faults.append(_missing(expected, number - 1))
            if row["key_fingerprint"] != ours:
                foreign += 1
            elif not hmac.compare_digest(row["seal"], _seal(key, before, row)):
                found.faults.append(
                    f"Entry {number} is not what was entered, or does not follow what stands before it."
                )
            if newest and number == newest[0] and row["seal"] != newest[1]:
                found.faults.append(f"Entry {number} is another than {_head(settings)} remembers.")
            before, expected = row["seal"], number + 1
            found.entries += 1
    if newest and newest[0] >= expected:
        found.faults.append(_missing(expected, newest[0]))
    if not newest and found.entries:
        found.faults.append(
            f"{_head(settings)}, which remembers the newest entry, is gone: whether entries are missing at the"
            " end cannot be said. Restore it from a backup; the next entry writes it anew."
        )
    if foreign:
        found.faults.append(
            f"{foreign} entries are sealed with another key than {_key_path(settings)}, so they cannot be"
            " verified. Restore the key that they were sealed with from a backup."
        )
    if len(found.faults) > SHOWN_FAULTS:
        more = len(found.faults) - SHOWN_FAULTS
        found.faults[SHOWN_FAULTS:] = [f"{more} more entries do not hold."]
    return found


def storable(value: Any) -> Any:
    """The same without what no text of the database can hold, at any depth."""
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, str):
        return "".join("\ufffd" if c == "\x00" or "\ud800" <= c <= "\udfff" else c for c in value)
    return value


def _holds(connection: Connection, newest: tuple[int, str] | None) -> bool:
    """Whether the entry that is remembered as the newest is in the log; nothing remembered is nothing missing."""
    if newest is None:
        return True
    row = connection.execute(
        f"select seal from {TABLE} where entry_number = %s", [newest[0]]
    ).fetchone()
    return row == (newest[1],)


def _append(connection: Connection, key: bytes, acts: Iterable[Act]) -> tuple[int, str, int]:
    row = connection.execute(
        f"select entry_number, seal from {TABLE} order by entry_number desc limit 1"
    ).fetchone()
    number, seal = row or (0, FIRST)
    acts = list(acts)
    known = {
        found[0]
        for found in connection.execute(
            f"select audit_id from {TABLE} where audit_id = any (%s)", [[a.audit_id for a in acts]]
        )
    }
    rows, fingerprint, recorded_at = [], key_file.fingerprint(key), datetime.now(UTC)
    for act in acts:
        if act.audit_id in known:
            continue
        known.add(act.audit_id)
        number += 1
        entry = {
            **storable(vars(act)),
            "entry_number": number,
            "recorded_at": recorded_at,
            "key_fingerprint": fingerprint,
        }
        entry["seal"] = seal = _seal(key, seal, entry)
        rows.append({**entry, "details": json.dumps(entry["details"])})
    with connection.cursor() as cursor:
        cursor.executemany(
            f"insert into {TABLE} (entry_number, audit_id, actor, action, resource, outcome, details,"
            " happened_at, recorded_at, key_fingerprint, seal) values (%(entry_number)s, %(audit_id)s,"
            " %(actor)s, %(action)s, %(resource)s, %(outcome)s, %(details)s, %(happened_at)s,"
            " %(recorded_at)s, %(key_fingerprint)s, %(seal)s)",
            rows,
        )
    return number, seal, len(rows)


def _seal(key: bytes, before: str, entry: dict[str, Any]) -> str:
    plain = [
        entry["entry_number"],
        *(entry[name] for name in ("audit_id", "actor", "action", "resource", "outcome")),
        entry["details"],
        *(entry[name].astimezone(UTC).isoformat() for name in ("happened_at", "recorded_at")),
        before,
    ]
    return hmac.digest(key, json.dumps(plain, sort_keys=True).encode(), "sha256").hex()


def _earlier(connection: Connection) -> Iterator[Act]:
    """The entries of a log from before entries were sealed; its table goes with the transaction."""
    row = connection.execute("select to_regclass('governance.unsealed_audit_log')").fetchone()
    if row is None or row[0] is None:
        return
    rows = connection.execute(
        "select audit_id, happened_at, actor, action, resource, outcome, details"
        " from governance.unsealed_audit_log order by happened_at, audit_id"
    ).fetchall()
    connection.execute("drop table governance.unsealed_audit_log")
    yield from (Act(*values) for values in rows)


@contextmanager
def _one_at_a_time(connection: Connection) -> Iterator[None]:
    connection.execute("select pg_advisory_lock(%s)", [LOCK_KEY])
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(%s)", [LOCK_KEY])


def _key_path(settings: Settings) -> Path:
    return settings.pii_key_file.with_name("audit.key")


def _key(settings: Settings) -> bytes:
    return key_file.read_or_make(_key_path(settings))


def _head(settings: Settings) -> Path:
    return settings.home / HEAD


def remembered(settings: Settings) -> tuple[int, str] | None:
    """Number and seal of the newest entry that this home knows of."""
    try:
        said = json.loads(_head(settings).read_text("utf-8"))
        return int(said["entry"]), str(said["seal"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _missing(first: int, last: int) -> str:
    which = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
    return f"{which} missing."
