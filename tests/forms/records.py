"""Events in the house's envelope: what one line may be.

Belongs here: JSON lines and their times. Does not belong here: delimited text, containers, ids.
"""

import json
from typing import Any

from tests.forms import Form, Outcome

CONTRACT = "kind: events\nproduct: PRODUCT\nclock: server\nunknown_events: accept\n"
DEVICE = CONTRACT.replace("server", "device")
LINES, TIMES = "Events: a line", "Events: times"


def record(**changes: Any) -> bytes:
    """An event's line; a change to None leaves the field out."""
    base = {
        "event_id": "e1", "event_name": "seen", "occurred_at": "2026-03-01T10:00:00Z",
        "received_at": "2026-03-01T10:00:05Z", "tenant_id": "t1", "user_id": "u1",
    }  # fmt: skip
    held = {key: value for key, value in {**base, **changes}.items() if value is not None}
    return json.dumps(held).encode() + b"\n"


def line(
    name: str, text: bytes, outcome: Outcome, sentence: str = "", **stored: str | None
) -> Form:
    """A form that is one line; `stored` are columns of its row."""
    files = {"events/PRODUCT/a.jsonl": text}
    rows = (stored,) if stored else ()
    return Form(name, LINES, "events", files, CONTRACT, outcome, sentence, rows)


def time(name: str, occurred_at: Any, stored: str, contract: str = CONTRACT) -> Form:
    """A time of an event that arrived on 2026-03-01 at 10:00:05."""
    files = {"events/PRODUCT/a.jsonl": record(occurred_at=occurred_at)}
    is_device = contract is DEVICE
    row = {"occurred_at": f"{stored}+00", "is_time_corrected": "true" if is_device else "false"}
    return Form(name, TIMES, "events", files, contract, Outcome.READ, "", (row,))


READ, REFUSED = Outcome.READ, Outcome.REFUSED

FORMS = (
    line("one JSON object", record(), READ, event_name="seen", user_source_id="u1"),
    line("a byte-order mark before it", b"\xef\xbb\xbf" + record(), READ, event_name="seen"),
    line("`\\r\\n` after it", record()[:-1] + b"\r\n", READ, event_name="seen"),
    line("a name twice in an object: the last counts, as in every common parser",
         record()[:-2] + b', "event_name": "heard"}\n', READ, event_name="heard", user_source_id="u1"),
    line("broken JSON", b"{'event_id': 1}\n", REFUSED,
         "Not JSON: Expecting property name enclosed in double quotes at character 2."),
    line("JSON that was cut off", record()[:-20], REFUSED,
         "The line ends in the middle of a JSON value."),
    time("ISO 8601 with an offset", "2026-03-01T12:00:00+02:00", "2026-03-01 10:00:00"),
    time("lower-case t and z", "2026-03-01t10:00:00z", "2026-03-01 10:00:00"),
    time("24:00:00", "2026-02-28T24:00:00Z", "2026-03-01 00:00:00"),
    time("a leap second", "2016-12-31T23:59:60Z", "2017-01-01 00:00:00"),
    time("epoch seconds, a number", 1772359200, "2026-03-01 10:00:00"),
    time("epoch milliseconds, a number", 1772359200123, "2026-03-01 10:00:00.123"),
    time("epoch milliseconds, a text", "1772359200123", "2026-03-01 10:00:00.123"),
    time("epoch microseconds, a text", "1772359200123456", "2026-03-01 10:00:00.123456"),
    Form("a small number: a spreadsheet's day, or none", TIMES, "events",
         {"events/PRODUCT/a.jsonl": record(occurred_at=46082.41)}, CONTRACT, READ, "",
         ({"occurred_at": "2026-03-01 10:00:05+00", "is_time_corrected": "true"},)),
    Form("the same as a text", TIMES, "events",
         {"events/PRODUCT/a.jsonl": record() + record(event_id="e2", occurred_at="0")}, CONTRACT, READ, "",
         ({"occurred_at": "2026-03-01 10:00:00+00", "is_time_corrected": "false"},
          {"occurred_at": "2026-03-01 10:00:05+00", "is_time_corrected": "true"})),
    time("a device's text that is no time", "yesterday", "2026-03-01 10:00:05", DEVICE),
    time("a device's clock a day or more ahead", "2038-01-19T03:14:07Z", "2026-03-01 10:00:05",
         DEVICE),
)  # fmt: skip
