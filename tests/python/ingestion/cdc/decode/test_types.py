"""Rule 55: every encoding of a value, as Debezium has it, to what Postgres reads."""

import base64
from typing import Any

import orjson
import pytest

from ingestion.cdc.contract import Column
from ingestion.cdc.decode.placeholder import PLACEHOLDER, is_placeholder, may_hold_placeholder
from ingestion.cdc.decode.types import decoder


def decode(kind: str, value: Any, encoding: Any = None) -> Any:
    return decoder(Column(type=kind, encoding=encoding))(value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("numeric(12,2)", "CmVVyQ==", "1744132.57"),
        ("numeric(12,2)", "+y4=", "-12.34"),
        ("numeric(12,2)", "AA==", "0.00"),
        ("numeric(38,10)", "/w==", "-0.0000000001"),
        ("numeric", {"scale": 9, "value": "J+QbMka+ybFuOYEV"}, "12345678901234567890.123456789"),
        ("numeric", {"scale": 28, "value": "/w=="}, "-0.0000000000000000000000000001"),
        ("numeric(12,2)", "1234.50", "1234.50"),  # decimal.handling.mode=string
        ("numeric(12,2)", "-7", "-7"),
        ("numeric(12,2)", 1234.5, "1234.5"),  # decimal.handling.mode=double
        ("numeric", "NaN", "NaN"),
        ("double precision", "NaN", "NaN"),
        ("double precision", "-Infinity", "-Infinity"),
        ("double precision", 1e-320, 1e-320),
        ("double precision", 2**64, 2.0**64),
        ("real", 0.33333334, 0.33333334),
        ("bigint", 9007199254740993, 9007199254740993),
        ("bigint", "9007199254740993", 9007199254740993),
        ("boolean", 1, True),
        ("boolean", "false", False),
        ("date", 19782, "2024-02-29"),
        ("date", 0, "1970-01-01"),
        ("date", -719162, "0001-01-01"),
        ("date", -2440550, "4713-01-01 BC"),
        ("date", -2147472692, "infinity"),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "2024-02-29T00:00:00Z", "2024-02-29"),
        ("timestamp(3)", 1708610125986, "2024-02-22 13:55:25.986000"),
        ("timestamp", 1740704571579777, "2025-02-28 01:02:51.579777"),
        ("timestamp", 253402300799999999, "9999-12-31 23:59:59.999999"),
        ("timestamp", 9223372036825200000, "infinity"),
        ("timestamp", -62135596800000001, "0001-12-31 23:59:59.999999 BC"),
        ("timestamptz", "2024-08-20T22:03:01.811530Z", "2024-08-20T22:03:01.811530Z"),
        ("timestamptz", "-infinity", "-infinity"),
        ("timestamptz", 1708610125986000, "2024-02-22 13:55:25.986000+00"),
        ("time", 86400000000, "24:00:00"),
        ("time", 86399999999, "23:59:59.999999"),
        ("timetz", "04:45:00.5Z", "04:45:00.5Z"),
        ("interval", -86400000000, "-1 days 00:00:00"),
        ("interval", "P1Y2M3DT4H5M6.7S", "P1Y2M3DT4H5M6.7S"),
        ("bit(3)", "BQ==", "101"),
        ("bit(3)", "", "000"),
        ("varbit", "/w==", "11111111"),
        ("bytea", "3q2+7w==", "\\xdeadbeef"),
        ("bytea", "", "\\x"),
        ("uuid", "7B552FAD-e320-da25-c115-4ac2997ae578", "7b552fad-e320-da25-c115-4ac2997ae578"),
        ("integer[]", [1, None, 3], [1, None, 3]),
        ("date[]", [19723, None], ["2024-01-01", None]),
        ("text[]", ["a", None, "NULL", ""], ["a", None, "NULL", ""]),
    ],
)
def test_decoding(kind: str, value: Any, expected: Any) -> None:
    assert decode(kind, value) == expected


@pytest.mark.parametrize(
    ("encoding", "value"),
    [
        ("seconds", 1708610125),
        ("milliseconds", 1708610125000),
        ("microseconds", 1708610125000000),
        ("nanoseconds", 1708610125000000000),
    ],
)
def test_a_contract_may_name_the_unit(encoding: str, value: int) -> None:
    assert decode("timestamp", value, encoding) == "2024-02-22 13:55:25"


def test_json_keeps_every_digit_of_its_text() -> None:
    text = '{"n": 9007199254740993, "x": 1.10}'
    assert orjson.dumps(decode("jsonb", text)).decode() == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "five"), ("integer", 2**31), ("integer", True), ("smallint", 1.5),
        ("numeric(4,2)", 123.45), ("numeric(4,2)", "not base64!"), ("numeric(4,2)", "Infinity"), ("numeric", ""),
        ("date", "2024-02-30"), ("date", 10**12), ("timestamptz", "yesterday"),
        ("timestamptz", "2024-13-01T00:00:00Z"), ("timestamptz", "2024-01-01T00:00:00+23:00"),
        ("time", -1), ("interval", "soon"), ("uuid", "no"), ("bytea", "%"), ("boolean", "maybe"),
        ("jsonb", "{"), ("jsonb", '"\\u0000"'), ("bit(2)", "BQ=="), ("integer[]", 5),
        ("real", 1e39), ("double precision", "many"), ("double precision", 10**400),
    ],
)  # fmt: skip
def test_what_the_type_cannot_hold_is_refused(kind: str, value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode(kind, value)


@pytest.mark.parametrize(
    "value",
    [
        PLACEHOLDER,
        base64.b64encode(PLACEHOLDER.encode()).decode(),
        [PLACEHOLDER],
        [PLACEHOLDER, PLACEHOLDER],
        list(PLACEHOLDER.encode()),
        {PLACEHOLDER: PLACEHOLDER},
    ],
)
def test_the_placeholder_in_all_its_forms(value: Any) -> None:
    """Rule 52."""
    assert is_placeholder(value)
    assert may_hold_placeholder({"id": 1, "column": value})


@pytest.mark.parametrize("value", [None, "", [], [None], "x", [PLACEHOLDER, "x"], {}, 95])
def test_what_is_no_placeholder(value: Any) -> None:
    assert not is_placeholder(value)
