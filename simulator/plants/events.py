"""Defects planted among product events: late, repeated, contradictory, absurd in time, broken.

Late and absurd ones change the event itself, so that the truth knows; broken ones are extra lines
that count nowhere. Each is noted with what a right warehouse does with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.chance import Chance
from simulator.files import Folder, Plant, encode
from simulator.sources.events import RECORDS, Event, line_of
from simulator.timeline import DAY, HOUR, MINUTE, SECOND, iso

ABSURD: tuple[tuple[str, Callable[[Event], Any]], ...] = (
    ("year 4466", lambda e: f"4466{iso(e.at)[4:]}"),
    ("1970", lambda e: "1970-01-01T00:00:00.000Z"),
    ("null", lambda e: None),
    ("three days ahead", lambda e: iso(e.received + 3 * DAY)),
    ("1999", lambda e: "1999-12-31T23:59:59.000Z"),
)


def plant_events(product: str, world: Any, folder: Folder, chance: Chance) -> None:
    """Files every event of a product, with its defects."""
    events: list[Event] = world.events[product]
    events.sort(key=lambda event: (event.at, event.event_id))
    if product == "upcoach" and events:
        events[-1].received = world.window.end - 30 * SECOND
    for event in events:
        plants = _change(event, world.limit, chance)
        if chance.hit(0.004):
            place = event.received + int(chance.between(-2, 2) * HOUR)
            plants.append(Plant("out_of_order", "stored", event.event_id))
        else:
            place = event.received
        line = line_of(product, event)
        if chance.hit(0.0004):
            line += b"\r"
            plants.append(Plant("carriage_return", "stored", event.event_id))
        folder.add(place, line)
        for plant in plants:
            folder.mark(plant)
        if chance.hit(0.004):
            again = event.received + int(chance.uniform() ** 2 * 40 * DAY) + MINUTE
            folder.add(again, line, Plant("duplicate", "ignored_as_duplicate", event.event_id))
        if chance.hit(0.0006) and event.received + 4 * DAY < world.limit:
            _contradict(product, event, folder, chance)
    _break(product, events, folder, chance, world)


def _change(event: Event, limit: int, chance: Chance) -> list[Plant]:
    """Lateness, absurd clocks and odd values: changes the event before it is written."""
    plants: list[Plant] = []
    draw = chance.uniform()
    late = 0
    if draw < 0.004:
        late = int(chance.between(3, 600) * MINUTE)
    elif draw < 0.006:
        late = int(chance.between(1, 20) * DAY)
    elif draw < 0.0066:
        late = int(chance.between(30, 150) * DAY)
    if late and event.received + late < limit:
        event.received += late
        plants.append(
            Plant("late", "stored_on_its_own_date", event.event_id, f"{late / DAY:.2f} days")
        )
    elif chance.hit(0.0012) and event.received < limit - HOUR:
        name, tell = ABSURD[int(chance.uniform() * len(ABSURD))]
        event.absurd, event.told_at = True, tell(event)
        plants.append(Plant("absurd_time", "dated_by_received_at", event.event_id, name))
    elif chance.hit(0.0008) and "goal_id" in event.properties:
        event.properties = event.properties | {"goal_id": 9007199254740993}
        plants.append(Plant("large_integer", "stored_with_every_digit", event.event_id))
    elif chance.hit(0.0006) and event.name == "screen_viewed":
        event.properties = event.properties | {"screen": "notes\u2028today"}
        plants.append(Plant("line_separator_in_text", "stored", event.event_id))
    return plants


def _contradict(product: str, event: Event, folder: Folder, chance: Chance) -> None:
    """The same id with another body and a later arrival; sometimes filed before the one that wins."""
    record = RECORDS[product](event)
    record["received_at"] = iso(event.received + int(chance.between(5, 3000) * MINUTE))
    name = "properties" if product == "upcoach" else "event_properties"
    record[name] = {**record[name], "platform": "contradiction"}
    before = chance.hit(0.5)
    place = event.received - DAY if before else event.received + 2 * DAY
    folder.add(
        place,
        encode(record),
        Plant("same_id_other_body", "conflict_logged_earliest_received_stays", event.event_id),
    )


def _break(product: str, events: list[Event], folder: Folder, chance: Chance, world: Any) -> None:
    """Extra lines that cannot be used, and one that is nothing."""
    if not events:
        return
    rounds = max(1, round(len(events) / 40_000))
    for _ in range(rounds):
        for name, spoil in BROKEN:
            event = chance.pick(events)
            record = RECORDS[product](event)
            record["event_id"] = chance.uuid()
            record["received_at"] = iso(event.received)
            line, expected = spoil(record)
            known = record.get("event_id")
            known = known if known and known.encode() in line else None
            folder.add(event.received, line, Plant(name, expected, known))


def _truncated(record: dict[str, Any]) -> tuple[bytes, str]:
    return encode(record)[:-60], "rejected"


def _without(field: str) -> Callable[[dict[str, Any]], tuple[bytes, str]]:
    def spoil(record: dict[str, Any]) -> tuple[bytes, str]:
        del record[field]
        return encode(record), "rejected"

    return spoil


def _with(field: str, value: Any) -> Callable[[dict[str, Any]], tuple[bytes, str]]:
    def spoil(record: dict[str, Any]) -> tuple[bytes, str]:
        record[field] = value
        return encode(record), "rejected"

    return spoil


def _raw(body: bytes, expected: str) -> Callable[[dict[str, Any]], tuple[bytes, str]]:
    def spoil(record: dict[str, Any]) -> tuple[bytes, str]:
        return body, expected

    return spoil


BROKEN: tuple[tuple[str, Callable[[dict[str, Any]], tuple[bytes, str]]], ...] = (
    ("truncated_json", _truncated),
    ("missing_event_id", _without("event_id")),
    ("missing_event_name", _without("event_name")),
    ("event_name_is_a_number", _with("event_name", 42)),
    ("unknown_event_name", _with("event_name", "teleported")),
    ("not_an_object", _raw(b'["a","list"]', "rejected")),
    ("binary_junk", _raw(b"\x00\xff\xfe\x80 junk", "rejected")),
    ("blank_line", _raw(b"", "ignored")),
)
