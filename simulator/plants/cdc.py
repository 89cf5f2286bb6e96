"""Defects planted in a change stream: redelivery after a crash, foreign records, broken lines."""

from __future__ import annotations

import orjson

from simulator.chance import Chance
from simulator.files import Plant, encode
from simulator.sources.debezium import Envelope
from simulator.timeline import DAY, MINUTE


def plant_changes(envelope: Envelope, chance: Chance) -> None:
    """Call once the stream is written."""
    folder, start = envelope.folder, envelope.log.window.start
    told = [entry for entry in folder.lines if entry[0] >= start + DAY]
    if len(told) < 20:
        return
    for _ in range(2):
        first = chance.integer(len(told) // 4, len(told) - 11)
        block = told[first : first + min(80, len(told) // 10)]
        for _, _, line in block:
            again = min(block[-1][0] + DAY, envelope.log.window.end - 3 * MINUTE)
            folder.add(
                again, line, Plant("redelivered", "state_unchanged", None, "connector crash")
            )
    place, _, line = told[len(told) // 2]
    folder.add(place, line[: len(line) // 2], Plant("truncated_json", "rejected"))
    records = (orjson.loads(entry[2]) for entry in told)
    record = next((r for r in records if r["value"] and r["value"].get("op") == "c"), None)
    if record is None:
        return
    del record["value"]["op"]
    record |= {"offset": 10**9} if "offset" in record else {}
    folder.add(place, encode(record), Plant("missing_op", "rejected"))
    record["value"]["op"] = "c"
    record["topic"] = f"{envelope.name}.public.undeclared_table"
    record["value"]["source"]["table"] = "undeclared_table"
    folder.add(place, encode(record), Plant("undeclared_table", "not_stored_and_reported"))
    message = {
        "op": "m",
        "ts_ms": place,
        "source": record["value"]["source"] | {"table": "", "schema": "", "ts_ms": place},
        "transaction": None,
        "message": {"prefix": "checkpoint", "content": "YnVsay1kb25l"},
    }
    told_message = {
        "topic": f"{envelope.name}.message",
        "key": {"prefix": "checkpoint"},
        "value": message,
    }
    folder.add(place, encode(told_message), Plant("logical_message", "ignored"))
