"""Records in arrays, in lists of a line and in Parquet files become one a line, to the letter."""

import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from ingestion.landing import enclosed
from ingestion.landing.blocks import blocks
from ingestion.landing.containers import Damaged, Foreign, Unreadable
from ingestion.landing.enclosed import are_lines, one_a_line
from ingestion.landing.file_info import RecordList, Shape

PLAIN = Shape()
AUTO = Shape(records=RecordList(("batch", "events"), frozenset({"event"})))


def lines_of(data: bytes, shape: Shape = PLAIN, piece: int = 1 << 20) -> list[bytes]:
    cut = iter([data[place : place + piece] for place in range(0, len(data), piece)])
    return b"".join(one_a_line(cut, shape)).splitlines()


RECORDS = [
    {"id": 9007199254740993, "text": 'a, "b" ] }\n[ {'},
    {"id": 2, "in": {"x": [1, {"y": 2}]}},
    {},
]


@pytest.mark.parametrize("indent", [None, 1, 4])
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_an_array_is_its_records(indent: int | None, piece: int) -> None:
    text = json.dumps(RECORDS, indent=indent).encode()
    assert not are_lines(text, PLAIN)
    assert [json.loads(one) for one in lines_of(text, piece=piece)] == RECORDS
    assert [json.loads(one) for one in lines_of(b"\xef\xbb\xbf \n" + text)] == RECORDS


def test_objects_that_go_over_several_lines_are_records() -> None:
    text = b"\n".join(json.dumps(record, indent=2).encode() for record in RECORDS[:2])
    assert [json.loads(one) for one in lines_of(text)] == RECORDS[:2]


def test_an_array_on_each_line_is_the_records_of_all() -> None:
    text = b'[{"a": 1}, {"a": 2}]\n[{"a": 3}]\n'
    assert lines_of(text) == [b'{"a": 1}', b'{"a": 2}', b'{"a": 3}']


def test_what_only_looks_like_an_array_stays_lines() -> None:
    for text in (
        b'[1, 2]\n{"a": 1}\n',
        b'[{"a": 1}\n{"a": 2}\n',
        b"[]\n",
        b"{\n[[[\x92\n",
        b"[{junk\n",
    ):
        assert are_lines(text, PLAIN) and lines_of(text) == text.splitlines()


def test_numbers_keep_every_digit() -> None:
    text = b'[{"n": 123456789012345678901234567890.10, "m": 1E400}\n,\n{"n": -0.0}]'
    assert lines_of(text) == [
        b'{"n": 123456789012345678901234567890.10, "m": 1E400}',
        b'{"n": -0.0}',
    ]


@pytest.mark.parametrize(
    "text", [b'[{"a": 1}, {"a": 2', b'[{"a": 1}, {"a": 2}', b'[{"a": 1}, junk]']
)
def test_a_broken_array_gives_its_good_records_and_a_sentence(text: bytes) -> None:
    found: list[bytes] = []
    with pytest.raises(
        Unreadable, match=r"From its record [23] on it is no JSON, or it was cut off"
    ):
        for one in one_a_line(iter([text]), PLAIN):
            found.append(one)
    assert found[0] == b'{"a": 1}\n'


def test_a_text_that_is_not_utf8_is_damaged() -> None:
    with pytest.raises(Damaged, match="UTF-8"):
        lines_of(b'[{"a": 1}, {"b": "\xff"}]')


def test_a_list_in_a_line_is_its_records_with_what_stands_beside_it() -> None:
    text = (
        b'{"sentAt": "s", "batch": [{"event": "a", "n": 1.50}, {"event": "b", "sentAt": "own"}]}\n'
        b'{"event": "c", "batch": [{"x": 1}]}\n'
    )
    first, second, third = lines_of(text, AUTO)
    assert first == b'{"sentAt":"s","event": "a", "n": 1.50}'
    assert json.loads(second) == {"sentAt": "own", "event": "b"}
    assert third == b'{"event": "c", "batch": [{"x": 1}]}'  # it is a record itself


def test_a_first_line_without_a_list_leaves_the_file_as_it_is() -> None:
    text = b'{"event": "c"}\n{"batch": [{"event": "a"}]}\n'
    assert lines_of(text, AUTO) == text.splitlines()
    certain = Shape(records=RecordList(("batch",), is_certain=True))
    assert lines_of(text, certain) == [b'{"event": "c"}', b'{"event": "a"}']


ANYWHERE = Shape(records=RecordList(("data",), frozenset({"id"}), keeps_beside=False, is_on_any_line=True))  # fmt: skip


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_a_list_on_any_line_is_its_records(piece: int) -> None:
    text = (
        b'\xef\xbb\xbf{"id": 1, "data": {"object": 2}}\n'
        b'{"object": "list", "data": []}\n'
        b'\n{"data": [{"id": 2}, {"id": 3}], "has_more": true}\r\n'
        b'{"data": [{"x": 1}], "id": 4}\n{"data": [1, 2]}\n{"data": [{]\n'
        b'{"data":\n{"object": "list", "data": [{"id": 5}]}'
    )
    assert not are_lines(text, ANYWHERE)
    assert lines_of(text, ANYWHERE, piece) == [
        b'{"id": 1, "data": {"object": 2}}',
        b"",
        b'{"id": 2}',
        b'{"id": 3}',
        b'{"data": [{"x": 1}], "id": 4}',  # it is a record itself
        b'{"data": [1, 2]}',
        b'{"data": [{]',
        b'{"data":',
        b'{"id": 5}',
    ]


@pytest.mark.parametrize("empty_first", [True, False])
@pytest.mark.parametrize("shape", [AUTO, ANYWHERE], ids=["first line", "any line"])
def test_an_empty_list_ends_no_file(shape: Shape, empty_first: bool) -> None:
    assert shape.records is not None
    (name, *_) = shape.records.paths
    pages = [b'{"%s": []}' % name.encode(), b'{"%s": [{"x": 1}, {"x": 2}]}' % name.encode()]
    text = b"\n".join([*(pages if empty_first else pages[::-1]), pages[1], b""])
    (block,) = blocks(io.BytesIO(text), "a.jsonl", shape)
    assert block.data.splitlines() == [b'{"x": 1}', b'{"x": 2}'] * 2


def test_a_line_too_long_to_hold_records_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosed, "_LARGEST", 100)
    text = b'{"id": 1}\n{"data": "' + b"x" * 500 + b'"}\n{"data": [{"id": 2}]}\n'
    first, long, last = lines_of(text, ANYWHERE, 50)
    assert (first, long, last) == (b'{"id": 1}', text.split(b"\n")[1], b'{"id": 2}')


def test_a_list_may_lie_deeper_and_in_an_array() -> None:
    shape = Shape(records=RecordList(("data.items",), is_certain=True))
    text = b'[{"v": 1, "data": {"w": 2, "items": [{"x": 3}]}}, {"data": {"items": []}}]'
    assert [json.loads(one) for one in lines_of(text, shape)] == [{"v": 1, "w": 2, "x": 3}]


def written(**columns: Any) -> bytes:
    held = io.BytesIO()
    parquet.write_table(pa.table(columns), held)
    return held.getvalue()


def test_a_parquet_file_is_its_rows_with_every_digit() -> None:
    data = written(
        id=[9007199254740993, None],
        price=pa.array([Decimal("12345678901234567.89"), Decimal("0.10")], pa.decimal128(20, 2)),
        at=pa.array([datetime(2026, 3, 1, 10, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
        day=[date(2026, 3, 1), None],
        inner=[{"a": [1, 2]}, None],
        raw=[b"text", b"\xff"],
    )
    assert not are_lines(data, PLAIN)
    first, second = lines_of(data)
    assert b'"id":9007199254740993' in first and b'"price":12345678901234567.89' in first
    held = json.loads(first)
    assert (held["at"], held["day"]) == ("2026-03-01T10:00:00+00:00", "2026-03-01")
    assert (held["inner"], held["raw"]) == ({"a": [1, 2]}, "text")
    assert json.loads(second)["id"] is None and json.loads(second)["raw"] == "/w=="


def test_a_parquet_file_under_a_contract_for_text_is_named() -> None:
    with pytest.raises(Foreign, match="Parquet"):
        lines_of(written(a=[1]), Shape(is_json=False))


def test_a_damaged_parquet_file_is_damaged() -> None:
    with pytest.raises(Damaged, match="Parquet"):
        lines_of(written(a=list(range(1000)))[:-9])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), JSON), min_size=1, max_size=5), st.integers(1, 50),
       st.sampled_from([None, 2]))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_any_array_of_objects_is_its_objects(
    records: list[dict[str, Any]], piece: int, indent: int | None
) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=False).encode("utf-8", "replace")
    wanted = json.loads(text)
    assert [json.loads(one) for one in lines_of(text, piece=piece)] == wanted
