"""Product events, and how a product's tracker writes them down.

What belongs here: the event, the tracker that sends the house's own envelope, one product's stream. What
does not: any product's own envelope. An `Event` also knows what really happened (`user`,
`counted_at`): the truth is made from that, not from lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.chance import Chance
from simulator.files import Folder, encode
from simulator.timeline import iso

_AGENTS = {
    ("mobile", "Safari"): "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Mobile/15E148",
    ("mobile", "Chrome"): "Mozilla/5.0 (Linux; Android 15; Pixel 8) Chrome/131.0 Mobile",
    ("desktop", "Chrome"): "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0",
    ("desktop", "Firefox"): "Mozilla/5.0 (Windows NT 10.0; rv:133.0) Gecko/20100101 Firefox/133.0",
    ("tablet", "Safari"): "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) Version/18.1",
}


# What a service does to people rather than people themselves; nobody is active by it.
PASSIVE = frozenset({"notification_sent", "notification_delivered"})


@dataclass(slots=True)
class Device:
    """What somebody uses; IP addresses come from the ranges reserved for documentation."""

    device_type: str
    browser: str
    ip: str
    source: str

    @classmethod
    def some(cls, chance: Chance, mobile: float) -> Device:
        if chance.hit(mobile):
            kind, browser, source = "mobile", chance.pick(("Safari", "Chrome")), "app"
        elif chance.hit(0.1):
            kind, browser, source = "tablet", "Safari", "app"
        else:
            kind, browser, source = "desktop", chance.pick(("Chrome", "Chrome", "Firefox")), "web"
        if chance.hit(0.12):
            ip = f"2001:db8:{chance.integer(1, 9999):x}:{chance.integer(1, 9999):x}::{chance.integer(1, 250):x}"
        else:
            ip = f"{chance.pick(('192.0.2', '198.51.100', '203.0.113'))}.{chance.integer(1, 254)}"
        return cls(kind, browser, ip, source)

    @property
    def agent(self) -> str:
        return _AGENTS[self.device_type, self.browser]


@dataclass(slots=True)
class Event:
    """One thing somebody did. `told_at` replaces the time in the line where a clock was absurd;
    `is_refused` once it is known that who did it had refused to be counted."""

    event_id: str
    tenant_id: str
    user: str
    user_id: str | None
    anonymous_id: str | None
    session_id: str | None
    name: str
    at: int
    received: int
    device: Device
    country: str
    properties: dict[str, Any] = field(default_factory=dict)
    load_ms: int | None = None
    absurd: bool = False
    told_at: Any = None
    is_refused: bool = False

    @property
    def counted_at(self) -> int:
        """When a right warehouse dates it: an absurd device time falls back to the arrival."""
        return self.received if self.absurd else self.at


def native_record(event: Event) -> dict[str, Any]:
    """The house's envelope."""
    record: dict[str, Any] = {
        "event_id": event.event_id,
        "event_name": event.name,
        "occurred_at": event.told_at if event.absurd else iso(event.at),
        "received_at": iso(event.received),
        "tenant_id": event.tenant_id,
        "user_id": event.user_id,
    }
    if event.anonymous_id is not None:
        record["anonymous_id"] = event.anonymous_id
    if event.session_id is not None:
        record["session_id"] = event.session_id
    device = event.device
    record["source"] = device.source
    record["schema_version"] = 1
    record["context"] = {
        "user_agent": device.agent,
        "ip": device.ip,
        "device_type": device.device_type,
        "browser": device.browser,
        "country_code": event.country,
        "page_load_time_ms": event.load_ms,
    }
    record["properties"] = event.properties
    return record


@dataclass(frozen=True)
class Tracker:
    """How a product writes an event down, and what it calls the fields that defects are planted in.

    Of the properties, `integer_property` may get more digits than a double keeps and `text_property`
    a line separator; leave out what the product does not send. `is_server`: events carry the time of
    the product's own servers, as its contract says (`clock: server`). `needs_a_time`: its contract
    refuses an event whose time is null.
    """

    record: Callable[[Event], dict[str, Any]] = native_record
    event_id: str = "event_id"
    event_name: str = "event_name"
    received_at: str = "received_at"
    properties: str = "properties"
    integer_property: str | None = None
    text_property: str | None = None
    is_server: bool = False
    needs_a_time: bool = False

    def line(self, event: Event) -> bytes:
        return encode(self.record(event))


@dataclass
class EventStream:
    """All events of one product, the folder they are filed in, the tracker that tells them."""

    folder: Folder
    tracker: Tracker = field(default_factory=Tracker)
    events: list[Event] = field(default_factory=list)
