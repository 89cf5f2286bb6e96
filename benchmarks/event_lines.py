"""The shapes of single events: one product in the house's envelope, one in foreign field names.

Belongs here: what a line says, given its draws of chance. Does not belong here: how many there are
and where they go (`inputs`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import orjson

TENANTS = 2  # of each product
AGENTS = (
    "Mozilla/5.0 (Android 15; Mobile) Chrome/140.0",
    "Mozilla/5.0 (iPhone; iOS 18.5) Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0) Firefox/142.0",
)
COUNTRIES = ("ZA", "NL", "DE", "GB")
COMMENTS = (
    "The morning reminder came too late for the walk",
    "Works well, would like a darker theme",
    "Could not find where the week is closed",
    "Roster looks right, two people swapped by hand",
)

Kind = tuple[str, Callable[[int], dict[str, Any]]]


def _twenty(*kinds: tuple[int, str, Callable[[int], dict[str, Any]]]) -> list[Kind]:
    """Kinds of events, each as often as its share of twenty."""
    return [(name, make) for share, name, make in kinds for _ in range(share)]


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rare(words: tuple[int, ...], properties: dict[str, Any]) -> dict[str, Any]:
    if words[8] % 10 == 0:
        properties["comment"] = COMMENTS[words[9] % len(COMMENTS)]
    if words[8] % 20 == 1:
        properties["referred_by"] = f"friend-{words[9] % 5_000}@example.org"
    return properties


def house_event(
    event_id: str, at: datetime, part: int, user: int, words: tuple[int, ...]
) -> dict[str, Any]:
    name, more = _COACHING[words[5] % 20]
    event: dict[str, Any] = {
        "event_id": event_id,
        "event_name": name,
        "occurred_at": _text(at),
        "received_at": _text(at + timedelta(seconds=words[1] % 90)),
        "tenant_id": f"00000000-0000-4000-8000-{user % TENANTS:012x}",
    }
    if words[2] % 25 == 0:
        event["anonymous_id"] = f"visitor-{user}"
    else:
        event["user_id"] = f"10000000-0000-4000-8000-{user:012x}"
    if words[3] % 10 < 6:
        event["session_id"] = f"{user:x}-{part:x}"
    event["context"] = {
        "user_agent": AGENTS[user % 3],
        "ip": f"198.51.{user % 100}.{words[4] % 250}",
        "country_code": COUNTRIES[user % 4],
    }
    event["properties"] = _rare(words, {"platform": "android", **more(words[6])})
    return event


_COACHING = _twenty(
    (
        7,
        "screen_viewed",
        lambda number: {"screen": ("home", "goals", "habits", "chat")[number % 4]},
    ),
    (3, "habit_checked", lambda number: {"habit_id": number % 60_000}),
    (2, "goal_viewed", lambda number: {"goal_id": number % 40_000}),
    (2, "feature_clicked", lambda number: {"feature": f"feature-{number % 40}"}),
    (1, "mood_logged", lambda number: {"score": 1 + number % 5}),
    (1, "search_performed", lambda number: {"result_count": number % 300}),
    (2, "request_completed", lambda number: {"duration_ms": number % 90_000 / 10, "status": 200}),
    (1, "chat_message_sent", lambda number: {"chat_session_id": number % 90_000}),
    (
        1,
        "notification_sent",
        lambda number: {"notification_id": number % 500_000, "channel": "push"},
    ),
)


def foreign_event(
    event_id: str, at: datetime, part: int, user: int, words: tuple[int, ...]
) -> dict[str, Any]:
    name, more = _ROSTERING[words[5] % 20]
    event: dict[str, Any] = {
        "event_id": event_id,
        "event_name": name,
        "timestamp": _text(at),
        "received_at": _text(at + timedelta(seconds=words[1] % 90)),
        "org_id": 1 + user % TENANTS,
        "user_agent": AGENTS[user % 3],
        "ip_address": f"203.0.{user % 100}.{words[4] % 250}",
        "country_code": COUNTRIES[user % 4],
        "page_load_time_ms": 80 + words[7] % 4_000,
    }
    if words[2] % 25 == 0:
        event["anonymous_id"] = f"visitor-{user}"
    else:
        event["user_id"] = 100_000 + user
    if words[3] % 10 < 6:
        event["session_id"] = f"{user:x}-{part:x}"
    event["event_properties"] = _rare(words, {"platform": "web", **more(words[6])})
    return event


_ROSTERING = _twenty(
    (6, "dashboard_viewed", lambda number: {"dashboard": ("week", "site", "costs")[number % 3]}),
    (
        3,
        "roster_generated",
        lambda number: {
            "roster_id": number % 70_000,
            "algorithm_used": ("greedy", "cp-sat")[number % 2],
            "shift_count": number % 400,
            "duration_seconds": number % 6_000 / 100,
            "fill_rate": number % 1_000 / 1_000,
        },
    ),
    (2, "shift_created_manual", lambda number: {"shift_id": number % 300_000}),
    (2, "employee_filtered", lambda number: {"filter": f"skill-{number % 30}"}),
    (2, "roster_confirmed", lambda number: {"roster_id": number % 70_000}),
    (2, "feature_clicked", lambda number: {"feature": f"feature-{number % 40}"}),
    (1, "search_performed", lambda number: {"result_count": number % 300}),
    (1, "export_triggered", lambda number: {"format": ("pdf", "xlsx")[number % 2]}),
    (1, "error_encountered", lambda number: {"error_code": f"E{number % 90}", "status": 500}),
)


def spoiled(event: dict[str, Any], chance: int) -> bytes:
    if chance % 3 == 0:
        return orjson.dumps(event)[: 20 + chance % 200] + b"\n"
    if chance % 3 == 1:
        return orjson.dumps({**event, "event_name": "nobody_declared_this"}) + b"\n"
    return orjson.dumps({**event, "received_at": "yesterday"}) + b"\n"
