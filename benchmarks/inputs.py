"""Landing files of a known size and shape.

Belongs here: bulk events in the house's envelope, equal in every run. Does not belong here: sources
that behave like people (`simulator`).
"""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

NAMES = ("app_opened", "screen_viewed", "feature_clicked", "goal_viewed", "habit_checked")
AGENT = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile"
START = datetime(2025, 1, 1, tzinfo=UTC)


def write_events(folder: Path, count: int, files: int, first_day: int, days: int) -> int:
    """Write `count` events over `days` days into `files` files; returns their bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(first_day)
    size = 0
    for number in range(files):
        path = folder / f"{first_day:05}-{number:03}.jsonl"
        share = range(number * count // files, (number + 1) * count // files)
        with path.open("wb") as file:
            for i in share:
                file.write(orjson.dumps(_event(chance, first_day, days * i / count, i)) + b"\n")
        size += path.stat().st_size
    return size


def _event(chance: random.Random, first_day: int, day: float, number: int) -> dict[str, object]:
    at = START + timedelta(days=first_day + day)
    user = int(20_000 * chance.random() ** 2)
    return {
        "event_id": f"{first_day:08x}-0000-4000-8000-{number:012x}",
        "event_name": chance.choice(NAMES),
        "occurred_at": at.isoformat(timespec="milliseconds"),
        "received_at": (at + timedelta(seconds=3)).isoformat(timespec="milliseconds"),
        "tenant_id": f"00000000-0000-4000-8000-{user % 20:012x}",
        "user_id": f"10000000-0000-4000-8000-{user:012x}",
        "source": "app",
        "context": {"user_agent": AGENT, "ip": f"192.0.2.{user % 250}", "country_code": "NL"},
        "properties": {"platform": "android", "screen": "home"},
    }
