"""SAMIA-TAROT's own envelope: the `events_raw` of its document."""

from __future__ import annotations

from typing import Any

from simulator.sources.events import Event, Tracker
from simulator.timeline import iso

DOMAINS = {
    "order": "orders",
    "payment": "payments",
    "refund": "payments",
    "call": "calls",
    "notification": "notifications",
    "content": "moderation",
    "moderation": "moderation",
    "appeal": "moderation",
    "horoscope": "content",
}
# what stands beside `metadata`, not in it
COLUMNS = (
    "entity_type", "entity_id", "status", "provider", "service_code", "amount_cents", "currency",
    "duration_seconds",
)  # fmt: skip


def raw_event(event: Event) -> dict[str, Any]:
    """Every column of `events_raw`; null stands for one without a value."""
    told = event.properties
    return {
        "event_id": event.event_id,
        "event_domain": DOMAINS[event.name.split("_")[0]],
        "event_type": event.name,
        "event_timestamp": event.told_at if event.absurd else iso(event.at),
        "received_at": iso(event.received),
        "tenant_id": event.tenant_id,
        "user_id": event.user_id,
        "country_code": event.country or None,
        **{name: told.get(name) for name in COLUMNS},
        "metadata": {name: value for name, value in told.items() if name not in COLUMNS},
    }


TRACKER = Tracker(raw_event, event_name="event_type", properties="metadata", is_server=True)
