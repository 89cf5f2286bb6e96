"""RostraCore's own envelope: the `analytics_events` of its document."""

from __future__ import annotations

from typing import Any

from simulator.sources.events import Event, Tracker
from simulator.timeline import iso


def analytics_event(event: Event) -> dict[str, Any]:
    """User and organisation are integers there, null stands for a field without a value."""
    device = event.device
    record: dict[str, Any] = {
        "event_id": event.event_id,
        "user_id": None if event.user_id is None else int(event.user_id),
        "org_id": int(event.tenant_id),
        "event_name": event.name,
        "event_properties": event.properties,
        "session_id": event.session_id,
        "timestamp": event.told_at if event.absurd else iso(event.at),
        "received_at": iso(event.received),
        "user_agent": device.agent,
        "ip_address": device.ip,
        "device_type": device.device_type,
        "browser": device.browser,
        "page_load_time_ms": event.load_ms,
    }
    if event.anonymous_id is not None:
        record["anonymous_id"] = event.anonymous_id
    return record


TRACKER = Tracker(record=analytics_event, properties="event_properties")
