"""RentGuy's own envelope: the frontend event contract of its document."""

from __future__ import annotations

from typing import Any

from simulator.sources.events import Event, Tracker
from simulator.timeline import iso


def contract_event(event: Event) -> dict[str, Any]:
    """The module stands beside the properties, as does whatever the contract calls context."""
    told = dict(event.properties)
    context: dict[str, Any] = {
        "module": told.pop("module"),
        "tenantId": event.tenant_id,
        "userId": event.user_id,
        "sessionId": event.session_id,
        "userAgent": event.device.agent,
        "ip": event.device.ip,
        "countryCode": event.country,
        "pageLoadTimeMs": event.load_ms,
    }
    return {
        "event": event.name,
        "eventId": event.event_id,
        "timestamp": event.told_at if event.absurd else iso(event.at),
        "receivedAt": iso(event.received),
        "context": context,
        "properties": told,
    }


TRACKER = Tracker(
    contract_event,
    event_id="eventId",
    event_name="event",
    received_at="receivedAt",
    needs_a_time=True,
)
