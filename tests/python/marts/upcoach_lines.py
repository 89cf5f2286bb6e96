"""Lines of UpCoach's sources, written by hand: events and changes of its database.

Belongs here: the shapes the sources use. Does not belong here: any expectation.
"""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid5

NAMESPACE = UUID("00000000-0000-4000-8000-000000000000")
FIRST_LSN = 1000
_positions = count(FIRST_LSN, 8)


def uid(name: str) -> str:
    """A UUID that stands for a word: the same word, the same id."""
    return str(uuid5(NAMESPACE, name))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def event(
    event_id: str,
    tenant: str,
    user: str | None,
    occurred: str,
    *,
    name: str = "app_opened",
    session: str | None = None,
    anonymous: str | None = None,
    received: str | None = None,
    **properties: Any,
) -> dict[str, Any]:
    """One event in the house's envelope; received a second after it occurred unless said."""
    occurred_at = at(occurred)
    given = {
        "event_id": uid(event_id),
        "event_name": name,
        "occurred_at": iso(occurred_at),
        "received_at": iso(at(received) if received else occurred_at + timedelta(seconds=1)),
        "tenant_id": uid(tenant),
        "user_id": uid(user) if user else None,
        "anonymous_id": anonymous,
        "session_id": session,
        "source": "app",
        "properties": properties,
    }
    return {key: value for key, value in given.items() if value is not None}


def change(
    table: str,
    op: str,
    committed: str,
    row: dict[str, Any],
    key: dict[str, Any],
    product: str = "upcoach",
) -> dict[str, Any]:
    """One change of a product's database as Debezium writes it; each call is later in the log."""
    lsn, ms = next(_positions), int(at(committed).timestamp() * 1000)
    value = {
        "before": key if op == "d" else None,
        "after": None if op == "d" else {**key, **row},
        "source": {
            "connector": "postgresql",
            "name": product,
            "snapshot": "false",
            "db": product,
            "schema": "public",
            "table": table,
            "ts_ms": ms,
            "txId": lsn,
            "lsn": lsn,
            "sequence": f'["{lsn}","{lsn}"]',
        },
        "op": op,
        "ts_ms": ms + 50,
    }
    return {"topic": f"{product}.public.{table}", "key": key, "value": value}


def organization(tenant: str, op: str, committed: str, timezone: str) -> dict[str, Any]:
    row = {
        "name": tenant,
        "country_code": "ZA",
        "region": "Gauteng",
        "timezone": timezone,
        "currency": "usd",
        "industry": "wellbeing",
        "plan": "pro",
        "size_band": "small",
        "created_at": "2025-01-01T00:00:00.000000Z",
    }
    return change("organizations", op, committed, row, {"id": uid(tenant)})


def owned(
    table: str, op: str, committed: str, number: int, tenant: str, user: str, **row: Any
) -> dict[str, Any]:
    """A change of a row that belongs to a user: goals, tasks, mood_entries, chat_sessions."""
    owner = {"user_id": uid(user), "organization_id": uid(tenant)}
    return change(table, op, committed, {**owner, **row}, {"id": number})
