"""Lines of RostraCore's sources, written by hand: events in its own envelope and changes of its database.

Belongs here: the shapes the sources use. Does not belong here: any expectation.
"""

from datetime import timedelta
from typing import Any

from tests.python.marts.upcoach_lines import at, change, iso, uid

Line = dict[str, Any]


def row(
    table: str, op: str, committed: str, key: dict[str, int], tenant: int | None, **columns: Any
) -> Line:
    """A change of a row; without a tenant it is the product's own."""
    line = change(table, op, committed, {"org_id": tenant, **columns}, key)
    line["topic"] = f"rostracore.public.{table}"
    line["value"]["source"] |= {"name": "rostracore", "db": "rostracore"}
    return line


def organization(tenant: int, op: str, committed: str, timezone: str) -> Line:
    key = {"org_id": tenant}
    return row("organizations", op, committed, key, tenant, name=f"{tenant}", timezone=timezone)


def event(
    event_id: str,
    tenant: int,
    user: int | None,
    occurred: str,
    name: str,
    *,
    received: str | None = None,
    **properties: Any,
) -> Line:
    """One event; received a second after it occurred unless said."""
    occurred_at = at(occurred)
    return {
        "event_id": uid(event_id),
        "org_id": tenant,
        "user_id": user,
        "event_name": name,
        "timestamp": iso(occurred_at),
        "received_at": iso(at(received) if received else occurred_at + timedelta(seconds=1)),
        "event_properties": properties,
    }
