"""The bulk reader of change records says what the parser says, of every line that it takes."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.decode.parser import CdcParser
from ingestion.cdc.decode.placeholder import PLACEHOLDER, PLACEHOLDERS
from ingestion.cdc.decode.rows import SCHEMA, ChangeRows
from ingestion.landing.file_info import FileInfo
from ingestion.privacy.tokens import Tokeniser
from ingestion.values.arrow import from_copy_text
from ingestion.values.outcomes import Row

KEY = b"k" * 32
ANN, BOB = "10000000-0000-4000-8000-00000000000a", "10000000-0000-4000-8000-00000000000b"
NORTH, SOUTH = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
CONTRACT: dict[str, Any] = {
    "kind": "cdc",
    "product": "shop",
    "tables": {
        "orders": {
            "primary_key": ["id"],
            "tenant": "org",
            "user": "person",
            "columns": {
                "id": "bigint", "org": "uuid", "person": "uuid", "state": "text",
                "email": {"type": "text", "personal": "token"},
                "note": {"type": "text", "personal": "drop"},
                "is_paid": "boolean", "due": "date", "paid_at": "timestamptz",
                "made_at": "timestamp", "price": "numeric(12,2)", "weight": "double precision",
                "lat": {"type": "double precision", "personal": "round"},
                "lng": {"type": "numeric(9,6)", "personal": "round"},
                "rank": "smallint", "seen_at": {"type": "timestamptz", "encoding": "milliseconds"},
                "attrs": "jsonb", "tags": "text[]", "ranks": "integer[]",
            },
        },
        "lines": {
            "primary_key": ["order", "Email", "day"],
            "tenant": "org",
            "columns": {"order": "integer", "org": "text", "day": "date", "count": "integer",
                        "Email": {"type": "text", "personal": "token"}},
        },
        "log": {"columns": {"n": "integer"}},
        "files": {"primary_key": ["id"], "columns": {"id": "integer", "rate": "real"}},
    },
}  # fmt: skip
ORDER: dict[str, Any] = {
    "id": 7, "org": NORTH, "person": ANN, "state": "open", "email": "ann@example.org",
    "note": "by hand", "is_paid": False, "due": 20_500, "paid_at": "2026-01-05T10:00:00.123456Z",
    "made_at": 1_767_571_200_000_123, "price": "CmVVyQ==", "weight": 1.25, "rank": 3,
    "lat": -33.924869, "lng": "18.424055",
    "seen_at": 1_767_571_200_123, "attrs": '{"plan": "pro", "n": 1.10, "email": "kim@example.org"}',
    "tags": ["a", None, ""], "ranks": [1, None],
}  # fmt: skip
LINE: dict[str, Any] = {
    "order": 7, "org": "north", "day": 20_500, "count": 2, "Email": "ann@example.org",
}  # fmt: skip
SOURCE: dict[str, Any] = {
    "version": "3.6.3.Final", "connector": "postgresql", "name": "shop", "ts_ms": 1_767_571_200_123,
    "snapshot": "false", "db": "shop", "sequence": '["2400","2500"]', "schema": "public",
    "table": "orders", "txId": 12, "lsn": 2_500, "xmin": None,
}  # fmt: skip


def record(row: dict[str, Any] | None, op: str = "u", table: str = "orders",
           **changes: Any) -> dict[str, Any]:  # fmt: skip
    key = {"id": 7} if table == "orders" else {n: LINE[n] for n in ("order", "Email", "day")}
    source = {**SOURCE, "table": table, **changes.pop("source", {})}
    value = {"before": None, "after": row, "source": source, "transaction": None, "op": op,
             "ts_ms": 1_767_571_200_500, **changes.pop("value", {})}  # fmt: skip
    return {"topic": f"shop.public.{table}", "key": key, "value": value, **changes}


def encoded(record: Any, ascii_only: bool = False) -> bytes:
    return json.dumps(record, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


@cache
def parser() -> CdcParser:
    """One for all examples: what it remembers of one must not harm the next."""
    file = FileInfo("cdc", "shop", "cdc/shop/part-0001.jsonl", "ab" * 32, 1)
    return CdcParser(CdcContract.model_validate(CONTRACT), file, Tokeniser(KEY), {})


def rows_of(table: Any, numbers: list[int], keys: list[bytes]) -> list[dict[str, Any]]:
    found = []
    for number, key, row in zip(numbers, keys, table.to_pylist(), strict=True):
        parsed = {n: row[n] and json.loads(row[n]) for n in ("key", "after", "extra")}
        found.append({"line": number, "identity": key, **row, **parsed})
    return sorted(found, key=lambda row: row["line"])


def both(lines: list[bytes]) -> tuple[list[dict[str, Any]], set[int]]:
    """The rows that are read in bulk, after comparing them with the parser's; lines left."""
    one = parser()
    numbered = list(enumerate(lines, start=1))
    one.drift.clear()
    plain, left = one.take(numbered)
    assert not one.drift
    remaining = {number for number, _ in left}
    taken = [(n, outcome) for n, text in numbered if n not in remaining
             if isinstance(outcome := one.parse(n, text), Row)]  # fmt: skip
    assert not one.drift
    assert len(taken) == len(lines) - len(left), "a line was taken that the parser refuses"
    if plain is None:
        return [], remaining
    assert isinstance(plain.rows, ChangeRows)
    slow = rows_of(from_copy_text([row.copy for _, row in taken], SCHEMA), [n for n, _ in taken],
                   [bytes.fromhex(row.key) for _, row in taken])  # fmt: skip
    quick = rows_of(plain.rows.table, plain.lines, plain.keys)
    assert quick == slow
    outcomes = dict(taken)
    assert [outcomes[n].received_us for n in plain.lines] == plain.received_us.to_pylist()
    assert [outcomes[n].event_date for n in plain.lines] == list(map(str, plain.dates.to_pylist()))
    assert_images(plain.rows)
    return quick, remaining


def assert_images(rows: ChangeRows) -> None:
    """Typed images and images as JSON are of the same rows and hold the same ids."""
    tables, after = rows.table["table_name"].to_pylist(), rows.table["after"].to_pylist()
    places = sorted(place for image in rows.images.values() for place in image.places.tolist())
    assert places == list(range(len(rows)))
    for name, image in rows.images.items():
        for place, typed in zip(image.places.tolist(), image.columns.to_pylist(), strict=True):
            held = json.loads(after[place])
            assert tables[place] == name
            assert {n for n, v in typed.items() if v is not None} == {
                n for n, v in held.items() if v is not None
            }
            for own in ("_tenant_id", "_user_id"):
                value = held.get(own)
                assert typed[own] == (value and bytes.fromhex(value.replace("-", "")))


USUAL: dict[str, dict[str, Any]] = {
    "an update": record(ORDER),
    "an insert": record(ORDER, "c"),
    "a row of a snapshot": record(ORDER, "r", source={"snapshot": "first", "sequence": None}),
    "a delete": record(None, "d", value={"before": {"id": 7, "state": None}}),
    "a key of several columns": record(LINE, table="lines"),
    "no record around": record(ORDER)["value"],
    "no tenant, no user": record({**ORDER, "org": None, "person": None}),
    "all null": record({**dict.fromkeys(ORDER), "id": 7}),
    "a transaction's number": record(
        ORDER, value={"transaction": {"id": "7:1", "total_order": 3, "data_collection_order": 1}}
    ),
    "a partition": record(ORDER, partition=3, offset=99),
    "a partition alone": record(ORDER, partition=3),
    "finer clocks": record(
        ORDER, source={"ts_us": 1_767_571_200_123_456, "ts_ns": 1_767_571_200_123_456_789},
        value={"ts_us": 1_767_571_200_500_001, "ts_ns": 1},
    ),
    "as a consumer writes it": record(
        ORDER, headers=[], partition=0, offset=7, timestamp=1_767_571_200_600,
        source={"origin": None, "origin_lsn": None},
    ),
    "empty arrays": record({**ORDER, "tags": [], "ranks": []}),
    "JSON null": record({**ORDER, "attrs": "null"}),
    "JSON of an array": record({**ORDER, "attrs": '[1, "x", 12345678901234567890123]'}),
    "other letters": record({**ORDER, "state": "Ünïcødé – 目標 \u2028 \x7f"}),
    "escapes": record({**ORDER, "state": 'say "x" \\ / \n\t'}),
    "numbers as text": record({**ORDER, "price": "-12.5"}),
    "a whole number where a fraction is due": record({**ORDER, "weight": 5}),
    "minus nothing": record({**ORDER, "weight": -0.0}),
    "a large fraction": record({**ORDER, "weight": 1e16}),
}  # fmt: skip
UNUSUAL: dict[str, dict[str, Any]] = {
    "no key": {**record(LINE, table="lines"), "key": None},
    "a value that was not sent": record({**ORDER, "state": "__debezium_unavailable_value"}),
    "a UUID that was not sent": record({**ORDER, "person": sorted(PLACEHOLDERS)[2]}),
    "a column more": record({**ORDER, "colour": "red"}),
    "a column less": record({n: v for n, v in ORDER.items() if n != "state"}),
    "a value of another type": record({**ORDER, "rank": "high"}),
    "a number too large": record({**ORDER, "rank": 2**15}),
    "a text with NUL": record({**ORDER, "state": "a\x00b"}),
    "a UUID in capitals": record({**ORDER, "person": ANN.upper()}),
    "a day that is none": record({**ORDER, "paid_at": "2026-02-30T10:00:00Z"}),
    "an infinite day": record({**ORDER, "due": 2_147_483_647}),
    "a type that is read alone": record({"id": 7, "rate": 0.1}, table="files"),
    "an array that was not sent": record({**ORDER, "tags": ["__debezium_unavailable_value"]}),
    "numbers that were not sent": record({**ORDER, "ranks": list(b"__debezium_unavailable_value")}),
    "JSON that was not sent": record({**ORDER, "attrs": "__debezium_unavailable_value"}),
    "JSON that is none": record({**ORDER, "attrs": "{"}),
    "JSON with NUL": record({**ORDER, "attrs": '{"a": "\\u0000"}'}),
    "an array of arrays": record({**ORDER, "tags": [["a"]]}),
    "a table without a key": {**record({"n": 1}, "c", table="log"), "key": None},
    "a table nobody declared": record({"id": 1}, table="baskets"),
    "a row of an incremental snapshot": record(ORDER, "r", source={"snapshot": "incremental"}),
    "a truncate": record(None, "t"),
    "no row": record(None),
    "no position": record(ORDER, source={"lsn": None}),
    "another key": {**record(ORDER), "key": {"number": 7}},
    "a field nobody knows": record(ORDER, value={"more": 1}),
    "a heartbeat": {**record(ORDER), "topic": "__debezium-heartbeat.shop"},
}
assert sorted(PLACEHOLDERS)[2].count("-") == 4


@pytest.mark.parametrize("case", USUAL)
def test_usual_records_are_taken(case: str) -> None:
    rows, left = both([encoded(USUAL[case])])
    assert (len(rows), left) == (1, set())


@pytest.mark.parametrize("case", UNUSUAL)
def test_what_asks_for_judgement_is_left_to_the_parser(case: str) -> None:
    lines = [encoded(record(ORDER)), encoded(UNUSUAL[case]), encoded(record(LINE, table="lines"))]
    rows, left = both(lines)
    assert ([row["line"] for row in rows], left) == ([1, 3], {2})


def test_people_of_two_tenants_have_two_tokens() -> None:
    rows, _ = both([encoded(record({**ORDER, "org": org})) for org in (NORTH, SOUTH, NORTH)])
    tokens = [row["after"]["email"] for row in rows]
    assert tokens[0] == tokens[2] != tokens[1]
    assert all(token.startswith("tok_") for token in tokens)


TEXTS = st.text(max_size=8) | st.sampled_from([
    *PLACEHOLDERS, "", "7", "1e3", "a@b.co", "\x00", "2026-01-05T10:00:00Z", "2026-01-05 10:00:00",
    "2026-01-05T10:00:60Z", "2026-01-05T10:00:00.1Z", "2026-01-05T10:00:00.1234567Z", "infinity",
    "0000-01-05T10:00:00Z", "2026-01-05T24:00:00Z", "2026-01-05T10:00:00.123+01:00", "2026-01-05",
    "12.50", "-0.00", "AA==", "NaN", "1234", "+y4=", ANN, BOB.upper(), ANN.replace("-", ""), "t",
    "２026-01-05T10:00:00Z", "2026-01-05T10-00-00Z",
])  # fmt: skip
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.sampled_from([
    0, -1, -0.0, 1.0, 2**15, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 1e308, 5e-324, 20_500,
    -719_163, 2_932_897, 1_767_571_200_123_456, 253_402_300_800_000_000, 9_223_372_036_825_200_000,
])  # fmt: skip
VALUES = st.none() | st.booleans() | TEXTS | NUMBERS | st.sampled_from([
    [], {}, ["x"], {"a": 1}, [None], [1, 2**31], list(b"__debezium_unavailable_value"), "[1]", "null",
    [PLACEHOLDER, None], [PLACEHOLDER], "{}", '{"a": 1e5, "b": "ann@example.org"}', '"x"', "[1e400]",
])  # fmt: skip
ROWS = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(ORDER, VALUES), "new": VALUES, "_tenant_id": TEXTS}
).map(lambda changes: {**ORDER, **changes}) | st.just(ORDER)
LINES = st.fixed_dictionaries({}, optional=dict.fromkeys(LINE, VALUES)).map(
    lambda changes: {**LINE, **changes}
)
KEYS = st.fixed_dictionaries({}, optional={"id": VALUES, "order": VALUES, "day": VALUES,
                                           "Email": VALUES}) | VALUES  # fmt: skip
SOURCES = st.fixed_dictionaries(
    {},
    optional={
        "lsn": NUMBERS, "txId": NUMBERS | st.none(), "ts_ms": NUMBERS | st.none(), "ts_us": NUMBERS,
        "snapshot": st.sampled_from(["true", "last", "false", "incremental", True, False, None, 1]),
        "sequence": st.sampled_from(['[null,"2500"]', "[]", "", "nope", '["x"]', '["9999","1"]', None,
                                     '["-5","1"]', '[7,"8"]', '["99999999999999999999","1"]', 5]),
        "table": st.sampled_from(["orders", "", "nothing", None, "public__orders"]),
        "schema": TEXTS | st.none(), "db": TEXTS, "xmin": VALUES, "file": TEXTS, "pos": NUMBERS,
    },
)  # fmt: skip
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["c", "u", "r", "d", "t", "m", "x", None, 5]),
        "before": st.none() | ROWS | VALUES, "ts_ms": NUMBERS | st.none(), "ts_us": NUMBERS,
        "transaction": st.none() | st.just({}) | st.fixed_dictionaries(
            {}, optional={"total_order": NUMBERS | st.none(), "id": VALUES}
        ) | VALUES,
        "schema": VALUES,
    },
)  # fmt: skip
RECORDS = st.fixed_dictionaries(
    {}, optional={"topic": TEXTS | st.none(), "key": KEYS, "partition": NUMBERS, "offset": NUMBERS,
                  "more": VALUES},
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A record with some of its parts as nobody expects them, and perhaps one byte replaced."""
    table = draw(st.sampled_from(["orders", "orders", "lines"]))
    row = draw(st.none() | VALUES | (ROWS if table == "orders" else LINES))
    if draw(st.booleans()):
        row = ORDER if table == "orders" else LINE
    odd: dict[str, Any] = {"source": {}, "value": {}}
    place = draw(st.sampled_from(["source", "value", "record", "nowhere"]))
    if place == "source":
        odd["source"] = draw(SOURCES)
    elif place == "value":
        odd["value"] = draw(ENVELOPES)
    elif place == "record":
        odd |= draw(RECORDS)
    op = draw(st.sampled_from("cur"))
    made = record(row, op, table, **odd)
    if draw(st.integers(0, 3)) == 0:
        made = made["value"]
    text = encoded(made, draw(st.booleans()))
    if draw(st.integers(0, 4)) == 0:
        place_of_byte = draw(st.integers(0, len(text) - 1))
        byte = draw(st.sampled_from(b'"{}[]:,\\\x00\x1f\xff\xc3\x80 0eE-'))
        text = text[:place_of_byte] + bytes([byte]) + text[place_of_byte + 1 :]
    return text.replace(b"\n", b" ")


@settings(max_examples=600, deadline=None)
@given(found=st.lists(lines(), min_size=1, max_size=5))
def test_any_record_reads_the_same(found: list[bytes]) -> None:
    both([encoded(record(ORDER)), *found])
