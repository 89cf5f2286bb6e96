"""The fast path says what the row path says, of every line that it takes."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.contracts.model import load_contracts
from ingestion.events.columns import EventRows, collect
from ingestion.events.fast import reader
from ingestion.events.parser import EventParser
from ingestion.events.source import EventSource
from ingestion.landing.file_info import FileInfo
from ingestion.parsing.rows import Accepted
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.outcomes import Row
from tallyhouse.settings import PROJECT_ROOT
from tests.python.ingestion.conftest import KEY, OTHER_TENANT, TENANT, event, line

ParserOf = Callable[..., EventParser]
NATIVE = "upcoach"


def table(accepted: Accepted) -> list[dict[str, Any]]:
    assert isinstance(accepted.rows, EventRows)
    rows: list[dict[str, Any]] = accepted.rows.table.to_pylist()
    arrivals = accepted.arrivals if accepted.arrivals is not None else [0] * len(rows)
    parts = zip(accepted.lines, accepted.keys, rows, arrivals, strict=True)
    return sorted(
        ({"line": n, "key": k, **row, "arrival": int(a)} for n, k, row, a in parts),
        key=lambda r: r["line"],
    )


def both(parser: EventParser, lines: list[bytes]) -> tuple[list[dict[str, Any]], set[int]]:
    """The rows that the bulk reader makes, after comparing them with the parser's; lines left."""
    numbered = list(enumerate(lines, start=1))
    parser.drift.clear()
    plain, left = parser.take(numbered)
    drift_in_bulk = parser.drift.copy()
    remaining = {number for number, _ in left}
    parser.drift.clear()
    taken = [(n, outcome) for n, text in numbered if n not in remaining
             if isinstance(outcome := parser.parse(n, text), Row)]  # fmt: skip
    assert len(taken) == len(lines) - len(left), "a line was taken that the parser refuses"
    slow = table(collect(None, taken))
    quick = table(plain) if plain is not None else []
    assert quick == slow
    assert drift_in_bulk == parser.drift
    assert sorted([row["line"] for row in quick] + sorted(remaining)) == [n for n, _ in numbered]
    return quick, remaining


@pytest.fixture
def parser(parser_of: ParserOf) -> EventParser:
    return parser_of(NATIVE)


USUAL: dict[str, dict[str, Any]] = {
    "as it is": {},
    "another tenant": {"tenant_id": OTHER_TENANT},
    "no user": {"user_id": None},
    "ids that are no UUIDs": {"event_id": "e-1", "tenant_id": "acme", "user_id": "u 7"},
    "an id in capitals": {"event_id": "ABCDEF00-0000-4000-8000-00000000000A"},
    "ids that are numbers": {"event_id": 7, "tenant_id": 3, "user_id": 2**53 + 1, "session_id": -4},
    "another source": {"source": "backend"},
    "times with an offset": {"occurred_at": "2026-03-01T11:00:00.5+01:00"},
    "times to the microsecond": {"occurred_at": "2026-03-01T10:00:00.000001Z"},
    "digits that are a compact date too": {"occurred_at": "1767010112345"},
    "no arrival": {"received_at": None},
    "anonymous": {"user_id": None, "anonymous_id": "a-1"},
    "a version": {"schema_version": 3},
    "a load time": {"context": {"page_load_time_ms": 870, "ip": "2001:db8::7"}},
    "no context": {"context": None},
    "no properties": {"properties": None},
    "nested and unknown properties": {"properties": {"goal_id": 1, "more": {"b": [1.5], "a": 0}}},
    "a person": {"properties": {"email": "Kim@example.org", "goal_id": 2}},
    "a text with digits": {"properties": {"goal_id": "0031 20 123 4567"}},
    "ids of 500 characters": {"event_id": "x" * 500, "session_id": "y" * 500},
    "other letters": {"properties": {"goal_id": "Ünïcødé – 目標"}},
}
UNUSUAL: dict[str, dict[str, Any]] = {
    "a flag where an id is due": {"user_id": True},
    "a fraction where an id is due": {"session_id": 1.5},
    "an unknown field": {"colour": "red"},
    "an unknown event": {"event_name": "never_heard_of"},
    "an escaped quote": {"properties": {"goal_id": 'say "x"'}},
    "a device far in the future": {"occurred_at": "2027-03-01T10:00:00Z"},
    "a day that is none": {"occurred_at": "2026-02-30T10:00:00Z"},
    "a wrong type": {"properties": {"platform": 3}},
    "an e-mail address as session": {"session_id": "kim@example.org"},
    "an integer beyond 64 bits": {"properties": {"goal_id": 2**70}},
    "an id of 501 characters": {"anonymous_id": "x" * 501},
    "a name of 501 characters": {"event_name": "x" * 501},
    "an empty id": {"event_id": ""},
    "a word for no event": {"event_id": "null"},
    "a word for no user": {"user_id": "undefined"},
    "a word for no tenant": {"tenant_id": "None"},
    "a word for no visitor": {"user_id": None, "anonymous_id": "[object Object]"},
    "a word for no session": {"session_id": 0},
    "an id beyond 64 bits": {"user_id": 2**64},
    "a version beyond 64 bits": {"schema_version": 2**64},
    "somebody else's domain": {"event_domain": "revenue"},
}


@pytest.mark.parametrize("case", USUAL)
def test_usual_lines_are_taken(parser: EventParser, case: str) -> None:
    rows, left = both(parser, [json.dumps(event(1, **USUAL[case]), ensure_ascii=False).encode()])
    assert (len(rows), left) == (1, set())


@pytest.mark.parametrize("case", UNUSUAL)
def test_what_asks_for_judgement_is_left_to_the_parser(parser: EventParser, case: str) -> None:
    rows, left = both(parser, [line(1), line(2, **UNUSUAL[case]), line(3)])
    assert ([row["line"] for row in rows], left) == ([1, 3], {2})


def test_lines_taken_in_many_parts(parser: EventParser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_LINES_AT_ONCE", 3)
    cases = [*USUAL.values(), *UNUSUAL.values()] * 2
    lines = [json.dumps(event(n, **case)).encode() for n, case in enumerate(cases)]
    rows, left = both(parser, lines)
    assert (len(rows), len(left)) == (2 * (len(USUAL) - 1), 2 * (len(UNUSUAL) + 1))


def test_memories_do_not_mix_tenants(parser: EventParser) -> None:
    person = {"email": "kim@example.org"}
    lines = [line(n, tenant_id=t, properties=person)
             for n, t in enumerate([TENANT, OTHER_TENANT, TENANT])]  # fmt: skip
    rows, _ = both(parser, lines)
    tokens = [json.loads(row["properties"])["email"] for row in rows]
    assert tokens[0] == tokens[2] != tokens[1]
    assert all(token.startswith("tok_") for token in tokens)


# A usual line of each product, in the words of its document.
PRODUCTS: dict[str, dict[str, Any]] = {
    NATIVE: event(1),
    "rostracore": {
        "event_id": "r-1", "event_name": "roster_generated", "timestamp": "2026-03-01T10:00:00.123Z",
        "received_at": "2026-03-01T10:00:02Z", "org_id": "acme", "user_id": "u-1",
        "session_id": "s-1", "ip_address": "10.1.2.3", "event_properties": {"shift_count": 7},
    },
    "samia_tarot": {
        "event_id": "s-1", "event_type": "payment_succeeded", "event_domain": "payments",
        "event_timestamp": "2026-03-01T10:00:00Z", "received_at": "2026-03-01T10:00:01Z",
        "tenant_id": "souk", "user_id": 12, "entity_type": "order", "entity_id": 991,
        "status": "captured", "provider": "stripe", "amount_cents": 4900, "currency": "EUR",
        "metadata": {"reader_id": 3},
    },
    "projectflo": event(1, event_name="lead_created", properties={"lead_id": 5}),
    "rentguy": {
        "event": "rentguy.onboarding.step_completed", "eventId": "g-1",
        "timestamp": "2026-03-01T10:00:00.5Z", "receivedAt": "2026-03-01T10:00:01Z",
        "source": "web",
        "context": {"tenantId": "mr-dj", "userId": "u-3", "module": "onboarding"},
        "properties": {"step": 3},
    },
}  # fmt: skip


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_products_envelope_takes_the_fast_path(parser_of: ParserOf, product: str) -> None:
    said = json.dumps(PRODUCTS[product]).encode()
    rows, left = both(parser_of(product), [said, said])
    assert ([row["product"] for row in rows], left) == ([product, product], set())


def test_named_properties_join_the_objects_own(parser_of: ParserOf) -> None:
    record, changes = PRODUCTS["samia_tarot"], [
        {},
        {"metadata": None},
        {"metadata": {}},
        {"metadata": {"status": "own", "amount_cents": None}},  # its own count, even null
        {"status": None, "entity_id": {"b": 1, "a": [2.5, "x"]}, "currency": ""},
    ]  # fmt: skip
    rows, left = both(
        parser_of("samia_tarot"),
        [json.dumps({**record, "event_id": f"e{n}", **change}).encode()
         for n, change in enumerate(changes)],
    )  # fmt: skip
    assert left == set()
    named = {"amount_cents": 4900, "currency": "EUR", "entity_id": 991, "entity_type": "order",
             "provider": "stripe", "status": "captured"}  # fmt: skip
    wanted = [
        {**named, "reader_id": 3},
        named,
        named,
        {**named, "status": "own", "amount_cents": None},
        {"amount_cents": 4900, "currency": "", "entity_id": {"a": [2.5, "x"], "b": 1},
         "entity_type": "order", "provider": "stripe", "reader_id": 3},
    ]  # fmt: skip
    assert [json.loads(row["properties"]) for row in rows] == wanted


@pytest.mark.parametrize(
    ("product", "change"),
    [
        ("rentguy", {"context": {"tenantId": "mr-dj"}}),  # without the module that it must name
        ("rentguy", {"context": {"tenantId": "mr-dj", "module": None}}),
        ("rentguy", {"context": {"module": "planning", "extra": 1}}),
        ("rentguy", {"event": "rentguy.nothing"}),
        ("samia_tarot", {"metadata": [1]}),
        ("samia_tarot", {"metadata": "text"}),
        ("samia_tarot", {"event_domain": "calls"}),
        ("samia_tarot", {"amount_cents": "4900"}),
        ("samia_tarot", {"status": 'a "word"'}),
        ("samia_tarot", {"entity_id": 2**70}),
    ],
)
def test_what_is_odd_about_them_is_left_to_the_parser(
    parser_of: ParserOf, product: str, change: dict[str, Any]
) -> None:
    lines = [json.dumps({**PRODUCTS[product], **more}).encode() for more in ({}, change)]
    rows, left = both(parser_of(product), lines)
    assert ([row["line"] for row in rows], left) == ([1], {2})


IDS = st.sampled_from([
    "", "x", "a@b.co", "é" * 3, "1" * 501, 7, -1, 2**53 + 1, 2**64, -(2**70), 1.0, 1e20, -0.0, True,
    None, [], {}, TENANT,
])  # fmt: skip
TIMES = st.sampled_from([
    "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.1Z", "2026-03-01T10:00:00.1234567Z",
    "2026-03-01T10:00:00.1234", "2026-03-01 10:00:00.123Z", "2026-03-01T10:00:00.123+00:00",
    "2026-03-01", "20260301T100000Z", "2026-02-30T10:00:00Z", "2026-03-01T24:00:00Z",
    "1999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "4466-01-01T00:00:00Z", 1772359200,
    1772359200123, "1772359200", "soon", "", None, "2026-03-03T10:00:00.000Z", 1e30,
    "2026-03-01T10:00:60Z", "２026-03-01T10:00:00Z", "2026-03-01T10:00:00z",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["kim@example.org", "+31 6 12345678", "4111111111111111", "sk_live_abc123"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
KEYS = st.sampled_from(["goal_id", "platform", "email", "password", "ip", "new", "a@b.co"])
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("event_id", "tenant_id", "user_id", "anonymous_id", "session_id",
                         "source", "event_domain"), IDS),
        **dict.fromkeys(("occurred_at", "received_at"), TIMES),
        "event_name": st.sampled_from(["goal_viewed", "mood_logged", "nope", "", 5]),
        "schema_version": st.sampled_from([0, 2, -1, 2**31, "4", 1.0, True]),
        "context": st.dictionaries(
            st.sampled_from(["user_agent", "ip", "device_type", "browser", "country_code",
                             "page_load_time_ms", "else"]),
            VALUES | st.sampled_from(["nl", "10.0.0.1", "010.0.0.1", "256.1.1.1", "1.2.3", "::1", "",
                                      "Tablet", 12.5, -1, 2**31]),
            max_size=4,
        ) | IDS,
        "properties": st.dictionaries(KEYS, VALUES, max_size=4) | IDS,
        "unknown": VALUES,
    },
)  # fmt: skip


@cache
def own_parser(product: str = NATIVE) -> EventParser:
    """One for all examples: what it remembers of one must not harm the next."""
    file = FileInfo("events", product, f"events/{product}/a.jsonl", "ab" * 32, 1)
    contracts = load_contracts([PROJECT_ROOT / "contracts"])
    parser = EventSource(contracts, Tokeniser(KEY)).open(file)
    assert isinstance(parser, EventParser)
    return parser


@settings(max_examples=400, deadline=None)
@given(changes=st.lists(EVENTS, min_size=1, max_size=6), ascii_only=st.booleans(), data=st.data())
def test_any_line_reads_the_same(
    changes: list[dict[str, Any]], ascii_only: bool, data: st.DataObject
) -> None:
    parser = own_parser()
    lines = []
    for number, change in enumerate(changes):
        text = json.dumps({**event(number), **change}, ensure_ascii=ascii_only)
        encoded = text.encode("utf-8", "surrogatepass")
        if data.draw(st.integers(0, 4)) == 0:  # one byte replaced
            place = data.draw(st.integers(0, len(encoded) - 1))
            byte = data.draw(st.sampled_from(b'"{}[]:,\\\x00\x1f\xff\xc3\x80 0eE-'))
            encoded = encoded[:place] + bytes([byte]) + encoded[place + 1 :]
        lines.append(encoded.replace(b"\n", b" "))
    both(parser, lines)


NAMED = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.dictionaries(
            st.sampled_from(["status", "reader_id", "email", "amount_cents"]), VALUES, max_size=3
        ) | IDS,
        **dict.fromkeys(("status", "entity_id", "provider", "request_id", "amount_cents"), VALUES),
        "user_id": IDS,
        "event_timestamp": TIMES,
        "received_at": TIMES,
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(NAMED, min_size=1, max_size=6))
def test_any_line_with_named_properties_reads_the_same(changes: list[dict[str, Any]]) -> None:
    record = PRODUCTS["samia_tarot"]
    lines = [
        json.dumps({**record, "event_id": f"e{number}", **change}, ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
        for number, change in enumerate(changes)
    ]
    both(own_parser("samia_tarot"), [text.replace(b"\n", b" ") for text in lines])
