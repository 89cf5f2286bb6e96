"""Lines of RostraCore's sources, written by hand: changes of its database, and events in its own envelope.

Belongs here: the shapes the sources use. Does not belong here: any expectation.
"""

from datetime import datetime, timedelta
from typing import Any

from tests.python.marts import upcoach_lines
from tests.python.marts.upcoach_lines import at, iso, uid


def when(text: str) -> str:
    return iso(at(text))


def day(text: str) -> int:
    """A date as Debezium writes it: days since 1970."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1)).days


def change(
    table: str, op: str, committed: str, key: dict[str, Any], row: dict[str, Any]
) -> dict[str, Any]:
    """One change of RostraCore's database; each call is later in the log."""
    return upcoach_lines.change(table, op, committed, row, key, "rostracore")


def organization(
    org: int, op: str, committed: str, timezone: str, currency: str = "usd"
) -> dict[str, Any]:
    row = {
        "name": f"Company {org}",
        "region": "Gauteng",
        "country_code": "ZA",
        "timezone": timezone,
        "currency": currency,
        "industry": "Corporate",
        "plan": "starter",
        "size_band": "small",
        "created_at": "2026-01-01T00:00:00Z",
    }
    return change("organizations", op, committed, {"org_id": org}, row)


def row(
    table: str,
    op: str,
    committed: str,
    key: dict[str, Any],
    org: int | None,
    **columns: Any,
) -> dict[str, Any]:
    """A change of a row that has an organization; without one it is the product's own."""
    return change(table, op, committed, key, {"org_id": org, **columns})


def event(
    event_id: str,
    org: int,
    user: int | None,
    occurred: str,
    name: str,
    *,
    session: str | None = None,
    anonymous: str | None = None,
    received: str | None = None,
    **properties: Any,
) -> dict[str, Any]:
    """One event; received a second after it occurred unless said."""
    occurred_at = at(occurred)
    told = {
        "event_id": uid(event_id),
        "org_id": org,
        "user_id": user,
        "anonymous_id": anonymous,
        "session_id": session,
        "event_name": name,
        "timestamp": iso(occurred_at),
        "received_at": iso(at(received) if received else occurred_at + timedelta(seconds=1)),
        "event_properties": properties,
    }
    return {key: value for key, value in told.items() if value is not None}


def override(number: int, org: int, occurred: str, roster: int, received: str) -> dict[str, Any]:
    """The event of a scheduler who changes a roster by hand."""
    told = {"roster_id": roster, "reason": "cost"}
    return event(
        f"override {number}", org, 1, occurred, "roster_manual_override", received=received, **told
    )
