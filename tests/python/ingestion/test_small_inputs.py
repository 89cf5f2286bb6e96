"""Small inputs that were once read wrongly, each with its right answer, loaded where they lie.

The folders are `../shared/data/cases/events` (a contract and a landing folder each) and `odd-input`.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.report import LoadReport
from tests.python.ingestion.conftest import Loading, line
from tests.shared_data import shared

pytestmark = pytest.mark.slow
Row = tuple[Any, ...]


@pytest.fixture
def case(loading: Loading, tmp_path: Path) -> Callable[..., LoadReport]:
    """Load one case of `events`, with changes to its contract's text if there are any."""

    def load(name: str, *changes: tuple[str, str]) -> LoadReport:
        place = shared(f"cases/events/{name}")
        contracts = tmp_path / "contracts"
        shutil.rmtree(contracts, ignore_errors=True)
        shutil.copytree(place / "contract", contracts)
        for path in contracts.iterdir():
            text = path.read_text()
            for before, after in changes:
                assert before in text
                text = text.replace(before, after)
            path.write_text(text)
        shutil.copytree(place / "landing", loading.landing, dirs_exist_ok=True)
        loading.settings = replace(loading.settings, contracts=(contracts,))
        return loading.load()

    return load


def test_a_list_of_events_in_a_line_is_as_many_events(
    case: Callable[..., LoadReport], loading: Loading
) -> None:
    assert case("batch").stored == 2
    assert loading.rows("select source_event_id, event_name from raw_events.events order by 1") == [
        ("1", "a"), ("2", "b"),
    ]  # fmt: skip


def test_an_array_is_its_events(case: Callable[..., LoadReport], loading: Loading) -> None:
    assert case("jsonarray").stored == 3
    assert loading.rejections() == []


def test_a_header_names_the_columns_between_blanks(
    case: Callable[..., LoadReport], loading: Loading
) -> None:
    report = case("wsheader")
    assert (report.stored, report.rejected) == (2, 0)
    assert loading.rows("select user_source_id from raw_events.events order by 1") == [
        ("00001",), ("00002",),
    ]  # fmt: skip


def test_a_country_without_a_code_is_kept_and_told(
    case: Callable[..., LoadReport], loading: Loading
) -> None:
    assert case("countrylost").stored == 2
    rows = loading.rows(
        "select country_code, properties ->> 'country_code' from raw_events.events order by occurred_at"
    )
    assert rows == [("GB", None), (None, "Norway")]
    drift = (
        "select field_name, kind, record_count from ops.schema_drift where kind <> 'unknown_field'"
    )
    assert loading.rows(drift) == [("country_code", "unplaced_value", 1)]


def test_a_type_of_an_id_makes_one_user_of_two_spellings(
    case: Callable[..., LoadReport], loading: Loading
) -> None:
    assert case("envelopetype").stored == 2
    assert loading.rows("select distinct user_source_id from raw_events.events") == [("13085",)]


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("user_id: u}", 2),
        ("user_id: u, event_id: {content: true}}", 1),
        ("user_id: u, event_id: {path: [at, u, sku, q], join: '|'}}", 1),
    ],
)
def test_the_contract_chooses_whether_equal_rows_are_one(
    case: Callable[..., LoadReport], loading: Loading, said: str, count: int
) -> None:
    report = case("exactdups", ("user_id: u}", said))
    assert (report.stored, report.duplicates) == (count, 2 - count)


def test_one_bad_contract_stops_nobody_else(
    case: Callable[..., LoadReport], loading: Loading
) -> None:
    loading.put("events/upcoach/a.jsonl", [line(1)])
    report = case("baddelimiter")
    assert report.stored == 1
    (sentence,) = report.unreadable
    assert "tsv.yml" in sentence and "format.delimiter" in sentence and "1 file waits" in sentence
    assert loading.rejections() == [] and report.undeclared == []
    mended = case("baddelimiter", (r"'\t'", r'"\t"'))
    assert (mended.stored, mended.unreadable) == (1, [])
    assert loading.one("select properties ->> 'note' from raw_events.events where product = 'tsv'") \
        == "two\nlines"  # fmt: skip


def test_a_reload_under_a_bad_contract_keeps_what_was_read(
    case: Callable[..., LoadReport], loading: Loading
) -> None:
    case("baddelimiter", (r"'\t'", r'"\t"'))
    contract = loading.settings.contracts[0] / "tsv.yml"
    contract.write_text(contract.read_text().replace(r'"\t"', r"'\t'"))
    report = loading.reload("tsv")
    assert any("tsv.yml" in sentence for sentence in report.unreadable)
    assert loading.one("select count(*) from raw_events.events where product = 'tsv'") == 1


BAD_VALUES = {
    "timezone: Europe/Londn": "timezone",
    "format: {type: csv, encoding: latin-99}": "format.encoding",
    "format: {type: csv, encoding: utf-16}": "format.encoding",
    "format: {type: csv, delimiter: '||'}": "format.delimiter",
    "format: {type: csv, delimiter: ''}": "format.delimiter",
    "event_pattern: '(?P<domain>[a-z'": "event_pattern",
}


@pytest.mark.parametrize("said", BAD_VALUES)
def test_a_bad_value_is_one_sentence_with_file_and_place(
    loading: Loading, tmp_path: Path, said: str
) -> None:
    shared("cases/events/badvalue/ANSWER.txt")
    folder = tmp_path / "contracts"
    folder.mkdir()
    envelope = "envelope: {event_name: {constant: sale}, occurred_at: at}\n"
    text = f"kind: events\nproduct: shop\nunknown_events: accept\n{envelope}{said}\n"
    (folder / "shop.yml").write_text(text)
    loading.settings = replace(loading.settings, contracts=(folder,))
    loading.put("events/shop/a.csv", [b"at", b"2026-03-01"])
    loading.put("events/upcoach/a.jsonl", [line(1)])
    report = loading.load()
    assert report.stored == 1
    (sentence,) = report.unreadable
    assert "shop.yml" in sentence and BAD_VALUES[said] in sentence


def test_csv_values_stay_what_they_are(loading: Loading, tmp_path: Path) -> None:
    """A doubled column is refused; with names of its own each row is right or refused."""
    place = shared("cases/odd-input/06-csv-silent-changes")
    folder = tmp_path / "contracts"
    folder.mkdir()
    text = (place / "webshop.yml").read_text()
    (folder / "webshop.yml").write_text(text)
    loading.settings = replace(loading.settings, contracts=(folder,))
    loading.put("events/webshop/a.csv", (place / "a.csv").read_bytes())
    assert loading.load().stored == 0
    assert {code for code, _ in loading.rejections()} == {"doubled_column"}
    names = "order_no, bought_at, buyer, amount, units, serial, note, remark"
    named = f"type: csv, columns: [{names}], header: true"
    (folder / "webshop.yml").write_text(text.replace("type: csv", named))
    loading.replay()
    assert loading.rejections() == [("wrong_type", 3), ("wrong_type", 4)]
    held = loading.rows(
        "select source_event_id, properties ->> 'amount', properties ->> 'units',"
        " properties ->> 'serial', properties ->> 'note', properties ->> 'remark'"
        " from raw_events.events order by 1"
    )
    assert held[0] == ("A-1", "12.5", "3", "9007199254740993", "first note", "second note")
    assert held[1] == ("A-4", "1000.0", "7", "12", "x", "y")
    assert [row[0] for row in held] == ["A-1", "A-4", "A-5", "A-6"]


def test_a_file_name_that_is_not_utf8_concerns_that_file_alone(loading: Loading) -> None:
    script = shared("cases/odd-input/04-file-name-not-utf8/make.py")
    subprocess.run([sys.executable, script, loading.landing], check=True)
    report = loading.load()
    assert report.stored == 1
    assert loading.one("select source_event_id from raw_events.events") == "fn-good"
    (sentence,) = report.unreadable
    assert r"caf\xe9 2026.jsonl" in sentence
    sentence.encode()  # it can be printed and stored


def test_the_sensor_sees_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    from orchestration.landing_state import landing_fingerprint

    script = shared("cases/odd-input/04-file-name-not-utf8/make.py")
    before = landing_fingerprint(os.fspath(tmp_path))
    subprocess.run([sys.executable, script, tmp_path], check=True)
    after = landing_fingerprint(os.fspath(tmp_path))
    assert after[1] == 2 and after != before


PERSONAL = (
    "Marta", "Quill", "Elm Row", "1991-04-05", "Piet", "Oak", "1990-02-03", "Ann Reed", "Reed 9",
    "1980-02-03", "Cor Pine", "Pine 4", "not a time", "1970-02-03", "Fir", "1960-02-03", "0x10",
    "knee", "Kestrel", "Delft", "Bram", "Willow", "s3cr3t", "31612345678", "4111111111111111",
    "marta.quill", "asia/kolkata", "yesterday", "seven",
)  # fmt: skip


def test_what_is_refused_shows_nothing_personal_rule_79(loading: Loading, tmp_path: Path) -> None:
    place = shared("cases/odd-input/03-personal-data-in-rejected")
    folder = tmp_path / "contracts"
    folder.mkdir()
    for path in place.glob("*.yml"):
        shutil.copy(path, folder)
    loading.settings = replace(loading.settings, contracts=(folder,))
    targets = {
        "members.csv": "events/bookclub", "diary.jsonl": "events/diary", "cut.jsonl": "cdc/upcoach",
        "single_quotes.jsonl": "events/webshop", "utf16_personal.jsonl": "events/webshop",
    }  # fmt: skip
    for name, target in targets.items():
        loading.put(f"{target}/{name}", (place / name).read_bytes())
    loading.put("events/upcoach/names.jsonl", [
        line(1, event_name="Marta Quill was seen"),
        line(2, event_domain="Marta Quill"),
        line(3, properties={"Marta.Quill@example.org": 1, "goal_id": 1}),
        line(4, event_name="mood_logged", properties={"score": "knee", "note": "Kestrel"}),
    ])  # fmt: skip
    stripe = {"object": "event", "id": "Marta Quill", "type": None, "created": "yesterday",
              "data": {"object": {"name": "Piet Oak"}}, "account": "acct_upcoach"}  # fmt: skip
    loading.put("stripe/acct_upcoach/a.jsonl", [
        json.dumps(stripe).encode(),
        json.dumps({**stripe, "type": "x", "object": "Ann Reed"}).encode(),
        json.dumps({**stripe, "type": "x", "created": 1, "id": "evt_1"}).encode(),
    ])  # fmt: skip
    loading.put("revenuecat/upcoach/a.jsonl", [
        json.dumps({"event": {"id": "rc-1", "type": "RENEWAL", "event_timestamp_ms": "yesterday",
                              "app_user_id": "Marta Quill"}}).encode(),
    ])  # fmt: skip
    report = loading.load()
    assert report.rejected >= 9
    said = loading.rows(
        "select file_path, line_number, coalesce(record, '') || ' | ' || reason from ops.rejected_records"
    )
    drift = loading.rows(
        "select object_name, 0, object_name || field_name || kind from ops.schema_drift"
    )
    for where, number, text in [*said, *drift]:
        found = [word for word in PERSONAL if word.lower() in text.lower()]
        assert not found, (where, number, text)
    shown = dict(loading.rows(
        "select file_path || ':' || line_number, record from ops.rejected_records"
    ))  # fmt: skip
    assert shown["events/webshop/single_quotes.jsonl:1"] == ""
    assert json.loads(shown["events/diary/diary.jsonl:2"]) == {
        "event_id": "d2", "event_name": "entry_written", "occurred_at": "2026-03-03T08:00:00Z",
    }  # fmt: skip
    assert (
        shown["events/bookclub/members.csv:4"] == ""
    )  # too many columns: nobody knows which is which
    assert json.loads(shown["events/bookclub/members.csv:5"]) == {
        "event_id": "3", "event_name": "joined", "occurred_at": "2026-03-01T10:00:00Z",
    }  # fmt: skip


def test_epoch_milliseconds_written_as_text_are_times(loading: Loading, tmp_path: Path) -> None:
    place = shared("cases/odd-input/05-epoch-ms-as-text")
    loading.settings = replace(loading.settings, contracts=(tmp_path / "contracts",))
    (tmp_path / "contracts").mkdir()
    shutil.copy(place / "webshop_json.yml", tmp_path / "contracts")
    loading.put("events/webshop/times.jsonl", (place / "times.jsonl").read_bytes())
    assert loading.load().stored == 2
    assert loading.rows(
        "select occurred_at::text, is_time_corrected, received_at::text from raw_events.events"
        " where source_event_id = 'e1'"
    ) == [("2025-12-29 12:08:32.345+00", False, "2026-01-01 00:00:00+00")]
    received = "select received_at::text from raw_events.events where source_event_id = 'e2'"
    assert loading.one(received) == "2025-12-29 12:08:32.345+00"


def test_words_for_nothing_identify_nobody_rule_49(loading: Loading) -> None:
    place = shared("cases/odd-input/07-placeholder-ids")
    loading.put("events/upcoach/sentinels.jsonl", (place / "sentinels.jsonl").read_bytes())
    loading.load()
    words = ("undefined", "null", "none", "nan", "0", "[object object]")
    held = loading.rows("select user_source_id, anonymous_id from raw_events.events")
    assert held and not {str(text).lower() for row in held for text in row if text} & {*words}
    assert (
        loading.one("select sum(record_count) from ops.schema_drift where kind = 'placeholder_id'")
        > 5
    )


def test_what_does_not_count_moves_no_as_of(loading: Loading) -> None:
    """Rule 66: a phone set to 2038, a sandbox's purchase of 2031 and a test clock's subscription."""
    place = shared("cases/odd-input/01-future-clock")
    loading.put("events/upcoach/good.jsonl", [line(1)])
    loading.load()
    as_of = "select max(max_received_at) from ops.source_watermarks"
    before = loading.one(as_of)
    assert before is not None
    for path, name in (
        ("events/upcoach", "clock"), ("stripe/acct_upcoach", "stripe_testclock"),
        ("revenuecat/upcoach", "revenuecat_sandbox"),
    ):  # fmt: skip
        loading.put(f"{path}/{name}.jsonl", (place / f"{name}.jsonl").read_bytes())
    report = loading.load()
    assert (report.stored + report.duplicates, report.rejected) == (3, 0)
    assert loading.one(as_of) == before
