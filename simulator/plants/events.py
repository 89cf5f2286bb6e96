"""Defects planted among product events: late, repeated, contradictory, absurd in time, broken.

Late and absurd ones change the event itself, so that the truth knows; broken ones are extra lines
that count nowhere. Each is noted with what a right warehouse does with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.chance import Chance
from simulator.files import Folder, Plant, encode
from simulator.sources.events import Event, EventStream, Tracker
from simulator.timeline import DAY, HOUR, MINUTE, iso

ABSURD: tuple[tuple[str, Callable[[Event], Any]], ...] = (
    ("year 4466", lambda e: f"4466{iso(e.at)[4:]}"),
    ("1970", lambda e: "1970-01-01T00:00:00.000Z"),
    ("null", lambda e: None),
    ("three days ahead", lambda e: iso(e.received + 3 * DAY)),
    ("1999", lambda e: "1999-12-31T23:59:59.000Z"),
)
# what nobody believes of a server either, whose other times count
UNBELIEVABLE = tuple(kind for kind in ABSURD if kind[0] in ("year 4466", "null"))


def plant_events(stream: EventStream, limit: int, chance: Chance) -> None:
    """Files every event of a product, with its defects."""
    folder, tracker, events = stream.folder, stream.tracker, stream.events
    events.sort(key=lambda event: (event.at, event.event_id))
    for event in events:
        plants = _change(event, tracker, limit, chance)
        if chance.hit(0.004):
            place = event.received + int(chance.between(-2, 2) * HOUR)
            plants.append(Plant("out_of_order", "stored", event.event_id))
        else:
            place = event.received
        line = tracker.line(event)
        if chance.hit(0.0004):
            line += b"\r"
            plants.append(Plant("carriage_return", "stored", event.event_id))
        folder.add(place, line)
        for plant in plants:
            folder.mark(plant)
        if chance.hit(0.004):
            again = event.received + int(chance.uniform() ** 2 * 40 * DAY) + MINUTE
            folder.add(again, line, Plant("duplicate", "ignored_as_duplicate", event.event_id))
        if chance.hit(0.0006) and event.received + 4 * DAY < limit:
            _contradict(tracker, event, folder, chance)
    _break(tracker, events, folder, chance)


def _change(event: Event, tracker: Tracker, limit: int, chance: Chance) -> list[Plant]:
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
        kinds = UNBELIEVABLE if tracker.is_server else ABSURD
        if tracker.needs_a_time:
            kinds = tuple(kind for kind in kinds if kind[0] != "null")
        name, tell = kinds[int(chance.uniform() * len(kinds))]
        event.absurd, event.told_at = True, tell(event)
        plants.append(Plant("absurd_time", "dated_by_received_at", event.event_id, name))
    elif chance.hit(0.0008) and tracker.integer_property in event.properties:
        event.properties = event.properties | {tracker.integer_property: 9007199254740993}
        plants.append(Plant("large_integer", "stored_with_every_digit", event.event_id))
    elif chance.hit(0.0006) and tracker.text_property in event.properties:
        event.properties = event.properties | {tracker.text_property: "notes\u2028today"}
        plants.append(Plant("line_separator_in_text", "stored", event.event_id))
    return plants


def _contradict(tracker: Tracker, event: Event, folder: Folder, chance: Chance) -> None:
    """The same id with another body and a later arrival; sometimes filed before the one that wins."""
    record = tracker.record(event)
    record[tracker.received_at] = iso(event.received + int(chance.between(5, 3000) * MINUTE))
    told = record[tracker.properties]
    record[tracker.properties] = {**told, "platform": "contradiction"}
    before = chance.hit(0.5)
    place = event.received - DAY if before else event.received + 2 * DAY
    folder.add(
        place,
        encode(record),
        Plant("same_id_other_body", "conflict_logged_earliest_received_stays", event.event_id),
    )


def _break(tracker: Tracker, events: list[Event], folder: Folder, chance: Chance) -> None:
    """Extra lines that cannot be used, and one that is nothing."""
    if not events:
        return
    rounds = max(1, round(len(events) / 40_000))
    for _ in range(rounds):
        for name, spoil in BROKEN:
            event = chance.pick(events)
            record = tracker.record(event)
            record[tracker.event_id] = chance.uuid()
            record[tracker.received_at] = iso(event.received)
            line, expected = spoil(record, tracker)
            known = record.get(tracker.event_id)
            known = known if known and known.encode() in line else None
            folder.add(event.received, line, Plant(name, expected, known))


Spoil = Callable[[dict[str, Any], Tracker], tuple[bytes, str]]


def _truncated(record: dict[str, Any], _: Tracker) -> tuple[bytes, str]:
    return encode(record)[:-60], "rejected"


def _without(field: str) -> Spoil:
    def spoil(record: dict[str, Any], tracker: Tracker) -> tuple[bytes, str]:
        del record[getattr(tracker, field)]
        return encode(record), "rejected"

    return spoil


def _with(field: str, value: Any) -> Spoil:
    def spoil(record: dict[str, Any], tracker: Tracker) -> tuple[bytes, str]:
        record[getattr(tracker, field)] = value
        return encode(record), "rejected"

    return spoil


def _raw(body: bytes, expected: str) -> Spoil:
    def spoil(_: dict[str, Any], __: Tracker) -> tuple[bytes, str]:
        return body, expected

    return spoil


BROKEN: tuple[tuple[str, Spoil], ...] = (
    ("truncated_json", _truncated),
    ("missing_event_id", _without("event_id")),
    ("missing_event_name", _without("event_name")),
    ("event_name_is_a_number", _with("event_name", 42)),
    ("unknown_event_name", _with("event_name", "teleported")),
    ("not_an_object", _raw(b'["a","list"]', "rejected")),
    ("binary_junk", _raw(b"\x00\xff\xfe\x80 junk", "rejected")),
    ("blank_line", _raw(b"", "ignored")),
)
