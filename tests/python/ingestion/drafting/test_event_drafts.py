"""Streams of events drafted from JSON lines and CSV: names, properties, envelopes, trackers, forms."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.contracts.model import EventContract
from ingestion.drafting.proof import try_contract
from ingestion.drafting.sample import DraftError, FileSample
from tests.python.ingestion.drafting.conftest import Drafted, drafted
from tests.python.ingestion.events.test_foreign_shapes import RECORDS

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False, width=32), st.text(max_size=20),
    st.uuids().map(str), st.dates().map(str), st.lists(st.integers(0, 9), max_size=2),
    st.dictionaries(st.text("ab", min_size=1, max_size=2), st.integers(0, 9), max_size=2),
)  # fmt: skip
KEYS = st.text("abcxyz_$. ", min_size=1, max_size=6)
EVENTS = st.lists(
    st.tuples(st.sampled_from(["opened", "Order Completed", "on", "é: 1"]),
              st.dictionaries(KEYS, VALUES, max_size=4)),
    min_size=1, max_size=6,
)  # fmt: skip


def native(name: str = "seen", number: int = 1, **properties: Any) -> dict[str, Any]:
    return {
        "event_id": f"e-{number}",
        "event_name": name,
        "occurred_at": "2026-03-01T10:00:00Z",
        "received_at": "2026-03-01T10:00:05Z",
        "tenant_id": f"t-{number % 2}",
        "user_id": f"u-{number}",
        "properties": properties,
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS, st.booleans())
def test_every_record_of_the_sample_is_accepted(
    events: list[tuple[str, dict[str, Any]]], are_flat: bool
) -> None:
    records: list[dict[str, Any]] = []
    for number, (name, properties) in enumerate(events):
        if are_flat:
            records.append(
                {**{f"p_{k}": v for k, v in properties.items()},
                 "id": f"e-{number}", "action": name, "ts": 1_772_359_200 + number}
            )  # fmt: skip
        else:
            records.append(native(name, number, **properties))
    with tempfile.TemporaryDirectory() as folder:
        made = drafted(Path(folder), records)
        lines = (Path(folder) / "shop.jsonl").read_bytes().split(b"\n")[:-1]
        sample = FileSample(Path("shop.jsonl"), tuple(enumerate(lines, 1)), False)
    EventContract.model_validate(made.body)
    outcomes = try_contract(made.body, [(sample, b"")])
    assert (outcomes.accepted, dict(outcomes.refused)) == (len(records), {})
    assert not outcomes.drift  # every property is declared


def test_the_house_envelope_needs_no_mapping(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of([native(number=n, goal_id=n) for n in range(3)], "events/shop/a.jsonl")
    assert "envelope" not in made.body
    assert (made.body["product"], made.body["clock"]) == ("shop", "device")
    assert made.properties("seen") == {"goal_id": {"type": "integer"}}


def test_required_is_what_is_always_there(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of(
        [
            native("bought", 1, total=1, code="A", seen_on="2026-03-01"),
            native("bought", 2, total=2.5, code=None, seen_on="2026-03-02"),
            native("bought", 3, total=3, gift=True, seen_on="2026-03-03"),
            native("viewed", 4, page="/a"),
        ]
    )
    assert made.properties("bought") == {"total": {"type": "number"}, "seen_on": {"type": "date"}}
    assert made.properties("bought", "optional") == {
        "code": {"type": "string"},
        "gift": {"type": "boolean"},
    }
    assert made.properties("viewed") == {"page": {"type": "string"}}
    assert "page: string  # seen once" in made.text


def test_a_foreign_envelope_is_found_by_names_and_values(draft_of: Callable[..., Drafted]) -> None:
    records = [
        {"uid": f"u{n % 2}", "action": "open", "id": f"id-{n}", "ts": 1_772_359_200_000 + n,
         "org_id": 7, "context": {"sessionId": f"s{n}", "ip": "203.0.113.77", "deviceId": f"d{n}"},
         "data": {"count": n}}
        for n in range(6)
    ]  # fmt: skip
    made = draft_of(records)
    assert made.body["envelope"] == {
        "event_id": "id",
        "event_name": "action",
        "occurred_at": {"path": "ts", "time_format": "epoch_ms"},
        "tenant_id": "org_id",
        "user_id": "uid",
        "anonymous_id": "context.deviceId",
        "session_id": "context.sessionId",
        "ip": "context.ip",
    }
    assert made.body["properties"] == {"path": "data"}
    assert made.properties("open") == {"count": {"type": "integer"}}
    assert made.body["clock"] == "server"


def test_an_id_that_repeats_is_none(draft_of: Callable[..., Drafted]) -> None:
    records = [
        {"id": 1 + n % 2, "event": "open", "time": "2026-03-01T10:00:00Z", "n": n} for n in range(4)
    ]
    made = draft_of(records)
    assert "event_id" not in made.body["envelope"]
    assert any(s.startswith("id repeats in records that differ") for s in made.sentences)


def test_a_word_for_nothing_is_no_event_id(draft_of: Callable[..., Drafted]) -> None:
    """The loader rejects such a record, so a column that has one is the id only by a sure name."""
    rest = {"event": "open", "time": "2026-03-01T10:00:00Z"}
    weak = [{"id": "undefined" if n == 9 else f"i{n}", **rest, "n": n} for n in range(20)]
    made = draft_of(weak)
    assert "event_id" not in made.body["envelope"]
    assert "none rejected" in made.sentences[-1]
    sure = draft_of([{"event_id" if k == "id" else k: v for k, v in r.items()} for r in weak])
    assert sure.body["envelope"]["event_id"] == "event_id"
    assert "1 record without one" in sure.text
    assert "1 rejected" in sure.sentences[-1]


def test_broken_records_do_not_turn_the_envelope(draft_of: Callable[..., Drafted]) -> None:
    """One clock set to 1970, one name and one user of another kind, one id twice: the fields are
    those that the others say, and the broken records are rejected as ever."""
    records = [native(number=n, page="/a") for n in range(1, 21)]
    records[3]["occurred_at"] = "1970-01-01T00:00:00Z"
    records[5]["event_name"] = None
    records[7]["user_id"] = {"id": 7}
    records[9]["event_id"] = "e-9"
    made = draft_of(records)
    assert "envelope" not in made.body
    assert made.body["clock"] == "device"
    assert list(made.body["events"]) == ["seen"]
    assert "18 records accepted, 2 rejected" in made.sentences[-1]


@pytest.mark.parametrize("tracker", sorted(RECORDS))
def test_known_trackers_are_recognised(tracker: str, draft_of: Callable[..., Drafted]) -> None:
    made = draft_of([RECORDS[tracker]], "shop.jsonl")
    assert f"contracts/examples/trackers/{tracker}.yml" in made.sentences[0]
    assert "Order Completed" in made.body["events"]
    assert "none rejected" in made.sentences[-1]


CSV = [
    b"order;at;customer_id;amount;gift;note_code;when_local",
    b"0012;03/04/2026;c1;12,50;true;NULL;1",
    b"0013;15/04/2026;c2;1.200,00;false;A;2",
]


def test_csv_by_semicolons_with_decimal_commas(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of(CSV, "orders.csv")
    assert made.body["format"] == {
        "type": "csv", "delimiter": ";", "null_text": ["", "NULL"], "decimal": ",", "thousands": ".",
    }  # fmt: skip
    assert made.body["envelope"]["occurred_at"] == {"path": "at", "time_format": "%d/%m/%Y"}
    assert made.body["envelope"]["event_name"] == {"constant": "orders"}
    properties = made.properties("orders")
    assert properties["order"] == {"type": "string"}  # its zeros lead
    assert properties["amount"] == {"type": "number"}
    assert properties["gift"] == {"type": "boolean"}
    assert made.properties("orders", "optional") == {"note_code": {"type": "string"}}
    assert "none rejected" in made.sentences[-1]


@pytest.mark.parametrize(
    ("amounts", "others"),
    [(["1,250", "2,500"], ["1", "2"]), (["12,50", "3,75"], ["1.5", "2.5"])],
    ids=["every comma may be one of thousands", "another column has decimal points"],
)
def test_commas_in_doubt_stay_text(
    amounts: list[str], others: list[str], draft_of: Callable[..., Drafted]
) -> None:
    rows = [
        f"2026-03-0{n};{a};{o}" for n, (a, o) in enumerate(zip(amounts, others, strict=True), 1)
    ]
    made = draft_of([b"on_date;amount;other", *map(str.encode, rows)], "orders.csv")
    assert "decimal" not in made.body["format"]
    assert made.properties("orders")["amount"] == {"type": "string"}
    assert "numbers with a decimal comma" in made.text


def test_a_header_has_the_names_that_people_give(draft_of: Callable[..., Drafted]) -> None:
    header = "Booking No.;When (local);Price €;% off;Paid? (y/n);VAT, incl.;Client's e-mail: kind"
    made = draft_of([header.encode(), b"B-1;05.01.2026 11:34;11,96;5;y;2,08;work"], "orders.csv")
    assert made.body["envelope"]["occurred_at"] == {
        "path": "When (local)", "time_format": "%d.%m.%Y %H:%M",
    }  # fmt: skip
    assert {"Price €", "% off", "Paid? (y/n)", "VAT, incl."} <= made.properties("orders").keys()
    assert "none rejected" in made.sentences[-1]


def test_a_draft_that_fails_says_what_it_took_the_file_for(
    draft_of: Callable[..., Drafted],
) -> None:
    with pytest.raises(DraftError, match=r"needs one\..* The file has no header"):
        draft_of([b"a@example.org,1", b"b@example.org,2"], "a.csv")


def test_a_day_that_reads_both_ways_is_said(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of([b"id,on_date", b"1,03/04/2026", b"2,05/06/2026"], "a.csv")
    assert "or is it %m/%d/%Y? Both read all values" in made.text


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", None), ("utf-8-sig", None), ("cp1252", "cp1252")]
)
def test_encodings(encoding: str, said: str | None, draft_of: Callable[..., Drafted]) -> None:
    lines = ["id,at,city"] + [
        f"{n},2026-03-01T10:00:0{n}Z,Curaçao Malmö Orléans" for n in range(1, 10)
    ]
    made = draft_of(["\n".join(lines).encode(encoding)], "a.csv")
    assert made.body["format"].get("encoding") == said
    assert made.body["envelope"]["event_id"] == "id"
    assert "none rejected" in made.sentences[-1]


def test_without_a_header_columns_are_numbered(draft_of: Callable[..., Drafted]) -> None:
    made = draft_of([b"1,2026-03-01,a", b"2,2026-03-02,b"], "a.csv")
    assert made.body["format"]["columns"] == ["column_1", "column_2", "column_3"]
    assert made.body["envelope"]["occurred_at"] == "column_2"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(), st.decimals(-999, 999, places=2), st.booleans(), st.uuids(),
                      st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=9),
                      st.sampled_from(["007", "1_000", "1,5", "NA", "", "0x10", "1e5", " 7"])),
            st.sampled_from(["a", "b c", "é", ""]),
        ),
        min_size=1, max_size=8,
    ),
    st.sampled_from(",;\t|"),
)  # fmt: skip
def test_no_text_of_a_csv_is_refused_or_becomes_another(
    rows: list[tuple[Any, str]], delimiter: str
) -> None:
    def cell(value: Any) -> str:
        text = str(value)
        return '"' + text.replace('"', '""') + '"'

    lines = [delimiter.join(["id", "at", "value", "word"]).encode()]
    for number, (value, word) in enumerate(rows):
        cells = [f"e{number}", "2026-03-01T10:00:00Z", cell(value), cell(word)]
        lines.append(delimiter.join(cells).encode())
    with tempfile.TemporaryDirectory() as folder:
        made = drafted(Path(folder), lines, "events.csv")
    assert f"Tried on its sample: {len(rows)} record" in made.sentences[-1]
    assert "none rejected" in made.sentences[-1]
    declared = {**made.properties("events"), **made.properties("events", "optional")}
    kind = declared.get("value", {}).get("type")
    if kind == "integer":
        assert all(str(int(str(v))) == str(v) for v, _ in rows if str(v) not in ("", "NA"))
