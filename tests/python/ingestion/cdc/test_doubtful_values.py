"""What a record says and hardly means: words for nobody, times in another unit, rows that no position orders."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ingestion.load import reload
from tests.forms.change_data import postgres
from tests.python.ingestion.cdc.conftest import Loading

pytestmark = pytest.mark.slow

CONTRACT = """
kind: cdc
product: shop
tables:
  t:
    primary_key: [id]
    tenant: org
    user: who
    columns: {id: text, org: text, who: text, customer_id: text, reader_id: uuid, member_id: integer}
  seats:
    primary_key: [who]
    user: who
    columns: {who: text}
"""
TIMES = """
kind: cdc
product: shop
tables:
  t:
    primary_key: [id]
    columns: {id: text, at: AT}
"""
NIL = "00000000-0000-0000-0000-000000000000"
MOMENT = 1_790_000_000_000


@pytest.fixture(scope="module")
def shop(loading: Callable[..., Loading], tmp_path_factory: pytest.TempPathFactory) -> Loading:
    folder = tmp_path_factory.mktemp("pack")
    (folder / "shop.yml").write_text(CONTRACT)
    return loading(folder)


def declare(shop: Loading, text: str) -> None:
    (shop.warehouse.settings.contracts[0] / "shop.yml").write_text(text)


@pytest.fixture(autouse=True)
def _empty(shop: Loading) -> None:
    declare(shop, CONTRACT)
    shop.start_over("shop")


def load(shop: Loading, *rows: dict[str, Any], table: str = "t", **source: Any) -> list[str]:
    """The lines of a load of these rows."""
    lines = [
        json.dumps(postgres(row, number=number, table=table, **source)).encode()
        for number, row in enumerate(rows)
    ]
    return shop.put_and_load({f"cdc/shop/{table}.jsonl": lines}).sentences()


def drift(shop: Loading) -> list[tuple[Any, ...]]:
    return shop.rows(
        "select field_name, kind, record_count from ops.schema_drift where settled_at is null order by 1, 2"
    )


def a_row(
    key: str, who: Any, org: str = "7", reviewer: Any = "r1", owner: Any = None
) -> dict[str, Any]:
    return {
        "id": key,
        "org": org,
        "who": who,
        "customer_id": reviewer,
        "reader_id": owner,
        "member_id": 5,
    }


@pytest.mark.parametrize("odd", [{}, {"more": 1}], ids=["in bulk", "one by one"])
def test_a_word_for_nobody_identifies_nobody(shop: Loading, odd: dict[str, Any]) -> None:
    """Rule 49, in change data: whoever a row names by such a word is nobody, and that is told."""
    words = ["undefined", "null", "None", "NaN", "0", "[object Object]", NIL, " NULL ", "0" * 32]
    rows = [a_row(f"k{number}", word) | odd for number, word in enumerate(words)]
    said = load(
        shop,
        *rows,
        a_row("k", "u1", org="0", reviewer="undefined", owner=NIL) | {"member_id": 0} | odd,
    )
    assert shop.rows(
        "select count(*), count(who), count(_user_id), count(org) from raw_cdc.shop__t"
    ) == [(len(words) + 1, 1, 1, len(words))]
    assert shop.rows(
        "select who, org, _tenant_id, customer_id, reader_id, member_id from raw_cdc.shop__t where id = 'k'"
    ) == [("u1", None, None, None, None, None)]
    told = [row for row in drift(shop) if row[1] == "placeholder_id"]
    once = ("customer_id", "member_id", "org", "reader_id")
    assert told == [
        *((name, "placeholder_id", 1) for name in once),
        ("who", "placeholder_id", len(words)),
    ]
    assert any(", ".join((*once, "who")) + ": 13 times a word for nobody" in line for line in said)


def test_a_key_keeps_what_the_source_calls_it(shop: Loading) -> None:
    load(shop, {"who": "0"}, {"who": "null"}, {"who": "u1"}, table="seats")
    assert shop.rows("select who from raw_cdc.shop__seats order by who") == [
        ("0",), ("null",), ("u1",),
    ]  # fmt: skip
    assert drift(shop) == []


def test_a_tenant_may_be_number_0(shop: Loading) -> None:
    declare(shop, CONTRACT.replace("org: text", "org: bigint"))
    load(shop, a_row("a", "u1") | {"org": 0})
    assert shop.rows("select org, _tenant_id is null from raw_cdc.shop__t") == [(0, False)]
    assert drift(shop) == []


def test_whoever_was_nobody_comes_back_where_the_column_names_no_user(shop: Loading) -> None:
    load(shop, a_row("a", "0"), a_row("b", "u1"))
    declare(shop, CONTRACT.replace("    user: who\n    columns: {id", "    columns: {id"))
    shop.load()
    assert shop.rows("select id, who from raw_cdc.shop__t order by 1") == [("a", "0"), ("b", "u1")]
    assert drift(shop) == []


def test_what_an_earlier_version_took_for_somebody_is_nobody_with_the_next_load(
    shop: Loading,
) -> None:
    load(shop, a_row("a", "u1"))
    with shop.connect() as conn:
        conn.execute('update raw_cdc.changes set after = after || \'{"who": "undefined"}\'')
        conn.execute("update raw_cdc.folded_tables set fingerprint = 'of an earlier version'")
    shop.load()
    assert shop.rows("select who, _user_id from raw_cdc.shop__t") == [(None, None)]
    assert ("who", "placeholder_id", 1) in drift(shop)


@pytest.mark.parametrize("odd", [{}, {"more": 1}], ids=["in bulk", "one by one"])
@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("timestamp", MOMENT),  # milliseconds read as micro
        ("timestamp", MOMENT // 1000),
        ("timestamptz", MOMENT),
        ("timestamp(3)", MOMENT * 1000),  # microseconds read as milli: the year 58692
        ("timestamptz(3)", MOMENT // 1000),
        ("timestamp", MOMENT * 1_000_000),
        ("{type: timestamp, encoding: seconds}", MOMENT),
        ("{type: timestamp, encoding: nanoseconds}", MOMENT * 1000),
        ("date", MOMENT // 1000),  # seconds read as days
        ("{type: date, encoding: microseconds}", MOMENT),
    ],
)
def test_a_time_in_another_unit_is_told(
    shop: Loading, kind: str, sent: int, odd: dict[str, Any]
) -> None:
    declare(shop, TIMES.replace("AT", f"'{kind}'" if "{" not in kind else kind))
    said = load(shop, {"id": "a", "at": sent} | odd, {"id": "b", "at": None} | odd)
    assert ("at", "implausible_time", 1) in drift(shop)
    assert any("before 1900, after 2100 or in the first weeks of 1970" in line for line in said)


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("timestamp", MOMENT * 1000),
        ("timestamp", 0),  # 1970 itself
        ("timestamp", -1_000_000_000_000_000),  # 1938, when somebody was born
        ("timestamp", 253_402_300_799_000_000),  # the last day there is: never
        ("timestamp", -62_135_596_800_000_000),  # and the first
        ("timestamp", 9_223_372_036_825_200_000),  # infinity
        ("timestamp(3)", MOMENT),
        ("timestamptz", "2999-12-31T00:00:00Z"),  # a text counts nothing
        ("date", 20_717),
        ("date", 12),
        ("date", 2_932_896),  # 9999-12-31
    ],
)
def test_a_time_that_can_be_is_not(shop: Loading, kind: str, sent: Any) -> None:
    declare(shop, TIMES.replace("AT", f"'{kind}'"))
    load(shop, {"id": "a", "at": sent})
    assert drift(shop) == []


def test_once_the_unit_is_said_a_reload_answers_it(shop: Loading) -> None:
    declare(shop, TIMES.replace("AT", "timestamp"))
    load(shop, {"id": "a", "at": MOMENT})
    declare(shop, TIMES.replace("AT", "{type: timestamp, encoding: milliseconds}"))
    assert any("reload" in note for note in shop.load().notes)
    reload(shop.warehouse.connect, shop.warehouse.settings, ["shop"], processes=1)
    assert shop.rows("select at::text from raw_cdc.shop__t") == [("2026-09-21 14:13:20",)]
    assert drift(shop) == []


def test_the_schema_of_a_record_says_the_unit_beyond_doubt(shop: Loading) -> None:
    declare(shop, TIMES.replace("AT", "timestamp(3)"))
    at = {"field": "at", "type": "int64", "name": "io.debezium.time.Timestamp"}
    image = {"type": "struct", "field": "after", "fields": [{"field": "id", "type": "string"}, at]}
    record = {
        "schema": {"type": "struct", "fields": [image]},
        "payload": postgres({"id": "a", "at": 5_000}),
    }
    shop.put_and_load({"cdc/shop/t.jsonl": [json.dumps(record).encode()]})
    assert shop.rows("select at::text from raw_cdc.shop__t") == [("1970-01-01 00:00:05",)]
    assert drift(shop) == []


def flat(value: str, **more: Any) -> dict[str, Any]:
    return {"id": "a", "at": value, "__op": "u", "__table": "t", "__deleted": "false"} | more


def test_rows_without_a_place_stand_in_the_order_of_files_and_that_is_told(shop: Loading) -> None:
    declare(shop, TIMES.replace("AT", "text"))
    files = {f"cdc/shop/part-{n}.jsonl": [json.dumps(flat(f"v{n}", __ts_ms=MOMENT - n)).encode()]
             for n in (10, 2, 9)}  # fmt: skip
    for path, lines in files.items():  # 2 comes after 10, and stands before it
        said = shop.put_and_load({path: lines}).sentences()
        assert any("without a position in the source's log" in line for line in said)
    assert shop.rows("select at from raw_cdc.shop__t") == [("v10",)]
    assert drift(shop) == [("", "unplaced_record", 3)]


def test_that_files_order_rows_can_be_said_and_is_told_no_more(shop: Loading) -> None:
    contract = TIMES.replace("AT", "text")
    declare(shop, contract)
    shop.put_and_load({"cdc/shop/1.jsonl": [json.dumps(flat("v1")).encode()]})
    is_open = "select settled_at is null from ops.schema_drift where kind = 'unplaced_record'"
    assert shop.rows(is_open) == [(True,)]
    declare(shop, contract.replace("tables:", "ordered_by_files: true\ntables:"))
    said = shop.put_and_load({"cdc/shop/2.jsonl": [json.dumps(flat("v2")).encode()]})
    assert not said.notes and not any("position" in line for line in said.sentences())
    assert shop.rows(is_open) == [(False,)] and shop.rows("select at from raw_cdc.shop__t") == [
        ("v2",)
    ]
    declare(shop, contract)
    shop.put_and_load({"cdc/shop/3.jsonl": [json.dumps(flat("v3")).encode()]})
    assert shop.rows(is_open) == [(True,)]


@pytest.mark.parametrize(
    "record",
    [
        flat("a", __lsn=100),
        {
            "topic": "app.public.t",
            "partition": 0,
            "offset": 5,
            "key": {"id": "a"},
            "value": flat("a"),
        },
        postgres({"id": "a", "at": "a"}, op="r", snapshot="incremental"),
    ],
    ids=["a position", "an offset", "an incremental snapshot"],
)
def test_rows_with_a_place_are_not_told_of(shop: Loading, record: dict[str, Any]) -> None:
    declare(shop, TIMES.replace("AT", "text"))
    shop.put_and_load({"cdc/shop/t.jsonl": [json.dumps(record).encode()]})
    assert shop.rows("select at from raw_cdc.shop__t") == [("a",)]
    assert drift(shop) == []


def test_the_load_names_a_tenant_whose_zone_nobody_knows(shop: Loading) -> None:
    """Rule 68: never UTC without a word."""
    declare(
        shop,
        """
kind: cdc
product: shop
tables:
  t: {primary_key: [id], tenant: id, is_tenant_table: true, columns: {id: text, timezone: text}}
""",
    )
    said = load(shop, {"id": "a", "timezone": "Europe/Amsterdm"}, {"id": "b", "timezone": "europe/paris"},
                {"id": "c", "timezone": None}, {"id": "d", "timezone": " "})  # fmt: skip
    ((tenant,),) = shop.rows("select _tenant_id::text from raw_cdc.shop__t where id = 'a'")
    (warning,) = [line for line in said if "time zone" in line]
    assert "'Europe/Amsterdm'" in warning and f"tallyhouse tenant set {tenant}" in warning
    assert warning in shop.load().notes  # until somebody says it
    with shop.connect() as conn:
        conn.execute(
            "insert into ops.tenant_statements (origin, product, tenant_id, timezone)"
            " values ('person', '', %s, 'Europe/Amsterdam')", (tenant,),
        )  # fmt: skip
    assert shop.load().notes == []
