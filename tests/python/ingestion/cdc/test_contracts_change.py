"""Rule 57: the source changes its tables, the contract follows later, and nothing is lost.

Also what the tables keep of people, and which keys a load says it touched.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.decode.table_decoder import TableDecoder
from ingestion.privacy.tokens import Tokeniser
from tests.python.ingestion.cdc.conftest import Loading

pytestmark = pytest.mark.slow

BEFORE = """
kind: cdc
product: shop
tables:
  people:
    primary_key: [id]
    tenant: org
    user: id
    columns:
      id: integer
      org: integer
      email: {type: text, personal: token}
      notes: {type: text, personal: drop}
      plan: text
"""
AFTER = (
    BEFORE.replace("plan: text", "tier: text\n      score: numeric(6,2)\n      joined: date")
    + """
  visits:
    columns: {person: integer, "on": date}
"""
)


class Shop:
    """A source whose tables change, and a warehouse that reads it."""

    def __init__(self, loading: Loading, folder: Path) -> None:
        self.folder, self.files, self.lsn = folder, 0, 100
        self.contract(BEFORE)
        settings = replace(loading.warehouse.settings, contracts=(folder,))
        self.loading = Loading(replace(loading.warehouse, settings=settings))

    def contract(self, text: str) -> None:
        (self.folder / "shop.yml").write_text(text)

    def change(self, op: str, row: dict[str, Any], table: str = "people") -> bytes:
        self.lsn += 10
        source = {"lsn": self.lsn, "txId": self.lsn, "table": table, "schema": "public",
                  "sequence": json.dumps([str(self.lsn - 5), str(self.lsn)]),
                  "ts_ms": 1_700_000_000_000 + self.lsn}  # fmt: skip
        key = {"id": row["id"]} if "id" in row else None
        after = None if op in "dt" else row
        value = {"op": op, "before": None, "after": after, "source": source,
                 "ts_ms": 1_700_000_001_000 + self.lsn}  # fmt: skip
        record = {"topic": f"shop.public.{table}", "key": key, "value": value}
        return json.dumps(record).encode()

    def load(self, *lines: bytes) -> None:
        self.files += 1
        self.loading.put_and_load({f"cdc/shop/{self.files}.jsonl": lines})

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.loading.rows(query)

    def opened(self, query: str) -> list[dict[str, Any] | None]:
        """What lies sealed in the rows of (tenant, sealed values)."""
        key = self.loading.warehouse.settings.pii_key()
        decoder = TableDecoder("shop", "people", None, Tokeniser(key))
        return [
            held and decoder.opened(held, str(tenant or decoder.default_tenant))
            for tenant, held in self.rows(query)
        ]


@pytest.fixture
def shop(loading: Callable[..., Loading], tmp_path: Path) -> Shop:
    return Shop(loading(), tmp_path)


def test_a_renamed_column_and_a_new_table_are_kept_reported_and_found_again(shop: Shop) -> None:
    ann = {"id": 1, "org": 7, "email": "ann@example.org", "notes": "n", "plan": "pro"}
    shop.load(shop.change("c", ann))
    renamed = {"id": 1, "org": 7, "email": "ann@example.org", "notes": None, "tier": "gold",
               "score": "AMg=", "joined": 19782, "mobile_number": "0825550100"}  # fmt: skip
    shop.load(
        shop.change("u", renamed),
        shop.change("c", {"person": 1, "on": 19782}, table="visits"),
        shop.change("c", {"person": 1, "on": 19782}, table="visits"),
    )
    assert shop.rows(
        "select plan, _extra ->> 'tier' like 'sealed\\_%' from raw_cdc.shop__people"
    ) == [("pro", True)]
    (kept,) = shop.opened("select _tenant_id, _extra from raw_cdc.shop__people")
    assert kept == {name: renamed[name] for name in ("tier", "score", "joined", "mobile_number")}
    drift = shop.rows("select object_name, field_name, kind from ops.schema_drift")
    assert ("people", "tier", "undeclared_column") in drift
    assert ("people", "plan", "missing_column") in drift
    assert ("visits", "", "undeclared_table") in drift

    shop.contract(AFTER)
    shop.load(shop.change("u", {**renamed, "tier": "silver"}))
    assert shop.rows("select tier, score, joined::text from raw_cdc.shop__people") == [
        ("silver", 2, "2024-02-29")
    ]
    assert shop.rows(
        "select tier, score from raw_cdc.shop__people_history order by valid_from"
    ) == [(None, None), ("gold", 2), ("silver", 2)]
    # what the contract no longer names is where nobody's columns are
    first = " from raw_cdc.changes where table_name = 'people' order by lsn limit 1"
    assert shop.rows("select after ->> 'plan'" + first) == [(None,)]
    assert shop.opened("select after ->> '_tenant_id', extra" + first) == [{"plan": "pro"}]
    visits = shop.rows('select person, "on"::text from raw_cdc.shop__visits')
    assert visits == [(1, "2024-02-29")] * 2


def test_the_rebuilt_tables_are_those_of_a_warehouse_that_knew_from_the_start(
    shop: Shop, loading: Callable[..., Loading], tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = [
        shop.change("c", {"id": n, "org": 7, "email": f"{n}@example.org", "notes": None,
                          "tier": "gold", "score": "AMg=", "joined": n})
        for n in range(5)
    ]  # fmt: skip
    lines += [shop.change("d", {"id": 3}), shop.change("c", {"person": 1, "on": 5}, table="visits")]
    knowing = Shop(loading(), tmp_path_factory.mktemp("knowing"))
    knowing.contract(AFTER)
    knowing.load(*lines)
    shop.load(*lines)
    shop.contract(AFTER)
    shop.loading.load()
    for table, columns in (
        ("people_history", "id, email, tier, score, joined, valid_from, valid_to, is_deleted"),
        ("visits", 'person, "on"'),
    ):
        query = f"select {columns} from raw_cdc.shop__{table} order by 1"
        assert shop.rows(query) == knowing.rows(query) != []


def test_a_value_of_another_type_is_set_aside_and_the_row_goes_on(shop: Shop) -> None:
    shop.load(
        shop.change("c", {"id": 1, "org": 7, "email": None, "notes": None, "plan": "pro"}),
        shop.change("u", {"id": 1, "org": "seven", "email": None, "notes": None, "plan": "free"}),
    )
    assert shop.rows("select org, plan from raw_cdc.shop__people") == [(7, "free")]
    assert shop.opened("select null, _extra from raw_cdc.shop__people") == [{"org": "seven"}]
    assert shop.rows(
        "select field_name from ops.schema_drift where kind = 'undecodable_value'"
    ) == [("org",)]


def test_nothing_personal_is_stored_anywhere(shop: Shop) -> None:
    """Rule 74: tokens by tenant, free text dropped, undeclared columns searched."""
    person = {"id": 1, "org": 7, "email": "Ann@Example.org", "notes": "ann has a secret plan",
              "plan": "pro", "backup_email": "ann@home.org", "remark": "ask ann@home.org"}  # fmt: skip
    other = {**person, "id": 2, "org": 8}
    unknown = {"id": 9, "email": "ann@example.org", "phone": "+27825550100"}
    shop.load(shop.change("c", person), shop.change("c", other), b'{"broken": "ann@example.org"',
              shop.change("c", unknown, table="unknown"))  # fmt: skip
    ann, elsewhere = shop.rows("select email from raw_cdc.shop__people order by id")
    assert ann[0].startswith("tok_") and elsewhere[0].startswith("tok_") and ann != elsewhere
    for table in ("raw_cdc.changes", "raw_cdc.shop__people", "raw_cdc.shop__people_history",
                  "ops.rejected_records"):  # fmt: skip
        found = shop.rows(
            f"select t::text from {table} as t where t::text ~* '(ann@|secret plan|825550100)'"
        )
        assert found == [], table


def test_a_load_says_whom_it_touched(shop: Shop) -> None:
    """The tenant and user a row leaves are touched as well as those it comes to."""
    row = {"id": 1, "org": 7, "email": None, "notes": None, "plan": "pro"}
    shop.load(shop.change("c", row))
    shop.load(shop.change("u", {**row, "org": 8}))
    shop.load(shop.change("d", {"id": 1}))
    touched = shop.rows(
        "select load_id - min(load_id) over (), entity_type, count(distinct tenant_id)"
        " from ops.load_touched group by load_id, entity_type order by 1, 2"
    )
    assert touched == [
        (0, "cdc_table", 0), (0, "user", 1), (1, "cdc_table", 0), (1, "user", 2),
        (2, "cdc_table", 0), (2, "user", 1),
    ]  # fmt: skip


def test_flattened_rows_follow_their_stream(shop: Shop) -> None:
    """Without positions the files' natural order counts, whatever order they are loaded in."""

    def row(plan: str, deleted: str = "false") -> bytes:
        return json.dumps({"id": 1, "org": 7, "plan": plan, "__deleted": deleted,
                           "__table": "people"}).encode()  # fmt: skip

    files = {"cdc/shop/part-2.jsonl": [row("b"), row("c")], "cdc/shop/part-10.jsonl": [row("d")],
             "cdc/shop/part-1.jsonl": [row("a")]}  # fmt: skip
    for path, lines in files.items():
        shop.loading.put_and_load({path: lines})
    assert shop.rows("select plan from raw_cdc.shop__people") == [("d",)]
    shop.loading.put_and_load({"cdc/shop/part-11.jsonl": [row("d", deleted="true")]})
    assert shop.rows("select plan from raw_cdc.shop__people") == []


def test_partition_and_offset_order_before_the_files_name(shop: Shop) -> None:
    def row(plan: str, offset: int) -> bytes:
        value = {"id": 1, "org": 7, "plan": plan}
        return json.dumps({"topic": "shop.public.people", "partition": 0, "offset": offset,
                           "key": {"id": 1}, "value": value}).encode()  # fmt: skip

    shop.loading.put_and_load({"cdc/shop/a.jsonl": [row("new", 12)]})
    shop.loading.put_and_load({"cdc/shop/b.jsonl": [row("old", 7), row("new", 12)]})
    assert shop.rows("select plan from raw_cdc.shop__people") == [("new",)]
    assert shop.rows("select count(*) from raw_cdc.changes") == [(2,)]


def test_an_undeclared_database_waits_for_its_contract(shop: Shop) -> None:
    record = b'{"topic": "x.public.t", "key": {"id": 1}, "value": {"id": 1, "__table": "t"}}'
    report = shop.loading.put_and_load({"cdc/nobody/1.jsonl": [record]})
    assert "contracts/cdc/nobody.yml" in report.undeclared[0]
    (shop.folder / "nobody.yml").write_text(
        "kind: cdc\nproduct: nobody\ntables: {t: {primary_key: [id], columns: {id: integer}}}\n"
    )
    shop.loading.load()
    assert shop.rows("select id from raw_cdc.nobody__t") == [(1,)]


EDITED = """
kind: cdc
product: shop
tables:
  people:
    primary_key: [id]
    tenant: org
    columns: {{id: integer, org: integer, {}}}
"""


@pytest.mark.parametrize(
    ("sent", "before", "after", "found"),
    [
        ("19782", "text", "date", "2024-02-29"),  # a count that was kept as a text
        (1_790_000_000_123, "bigint", "timestamp(3)", "2026-09-21 14:13:20.123"),
        ("1234", "text", "numeric", "1234"),
        ("1234", "numeric(12,2)", "numeric(14,2)", "1234.00"),  # digits again, and no base64
        (5, "integer", "text", "5"),
        ("abc", "integer", "text", "abc"),
        ("123.45", "numeric(4,2)", "numeric(12,2)", "123.45"),
        ("yesterday", "date", "text", "yesterday"),
        ('{"a": 1}', "text", "jsonb", '{"a": 1}'),
        ("true", "text", "boolean", "true"),
        (True, "boolean", "text", "true"),
        ("2026-01-01", "text", "date", "2026-01-01"),
        (["a"], "text[]", "jsonb", '["a"]'),
    ],
)
def test_a_retyped_column_is_read_from_what_is_stored(
    shop: Shop, sent: Any, before: str, after: str, found: str
) -> None:
    shop.contract(EDITED.format(f"v: '{before}'"))
    shop.load(
        shop.change("c", {"id": 1, "org": 7, "v": sent}),
        shop.change("c", {"id": 1 << 20, "org": 8, "v": None}),
    )
    shop.contract(EDITED.format(f"v: '{after}'"))
    shop.loading.load()
    assert shop.rows("select id, v::text from raw_cdc.shop__people order by id") == [
        (1, found), (1 << 20, None),
    ]  # fmt: skip
    assert shop.rows("select kind from ops.schema_drift where settled_at is null"
                     " and kind <> 'unsure_decimal'") == []  # fmt: skip


def test_an_edit_of_something_else_loses_nothing_that_was_kept_aside(shop: Shop) -> None:
    """A value that no type took, a column nobody declared, a value that was not sent; three edits long."""
    shop.contract(EDITED.format("n: integer"))
    shop.load(
        shop.change("c", {"id": 1, "org": 7, "n": "many", "extra": [1, {"a": "b"}]}),
        shop.change("c", {"id": 2, "org": 8, "n": 5, "extra": None}),
        shop.change("u", {"id": 2, "org": 8, "n": "__debezium_unavailable_value", "extra": 1}),
    )
    for more in ("w: text", "w: integer", "m: date"):
        shop.contract(EDITED.format(f"n: integer, {more}"))
        shop.loading.load()
        assert shop.rows("select id, n from raw_cdc.shop__people order by id") == [
            (1, None),
            (2, 5),
        ]
        kept = shop.opened("select _tenant_id, _extra from raw_cdc.shop__people order by id")
        assert kept == [{"n": "many", "extra": [1, {"a": "b"}]}, {"extra": 1}]
    shop.contract(EDITED.format("n: text, extra: jsonb"))
    shop.loading.load()
    assert shop.rows("select id, n, extra, _extra from raw_cdc.shop__people order by id") == [
        (1, "many", [1, {"a": "b"}], None), (2, "5", 1, None),
    ]  # fmt: skip


def test_what_a_schema_said_of_a_column_is_known_when_somebody_declares_it(shop: Shop) -> None:
    """Its scale and its unit came with the record, and nothing of them is left when the contract follows."""
    shop.contract(EDITED.format("n: integer"))
    row = {"id": 1, "org": 7, "n": 1, "at": 1_790_000_000_123, "price": "EtaH"}
    record = json.loads(shop.change("c", row))
    connect = "org.apache.kafka.connect.data."
    fields = [
        {"field": "at", "type": "int64", "name": f"{connect}Timestamp"},
        {
            "field": "price",
            "type": "bytes",
            "name": f"{connect}Decimal",
            "parameters": {"scale": "4"},
        },
    ]
    after = {"field": "after", "type": "struct", "fields": fields}
    schema = {"type": "struct", "fields": [after]}
    record["value"] = {"schema": schema, "payload": record["value"]}
    shop.load(json.dumps(record).encode())
    shop.contract(EDITED.format("n: integer, at: timestamp, price: 'numeric(12,4)'"))
    shop.loading.load()
    assert shop.rows("select at::text, price::text from raw_cdc.shop__people") == [
        ("2026-09-21 14:13:20.123", "123.4567")
    ]


EXACT = EDITED.format("lat: double precision, lng: 'numeric(9,6)'")
ROUNDED = EDITED.format(
    "lat: {type: double precision, personal: round}, lng: {type: 'numeric(9,6)', personal: round}"
)


def test_a_home_is_stored_as_of_a_suburb(shop: Shop) -> None:
    """Two tenants; as a number, as text, on a row with more than the contract has, in the history."""
    shop.contract(ROUNDED)
    near = {"lat": -33.924869, "lng": "18.424055"}
    shop.load(
        shop.change("c", {"id": 1, "org": 7, **near}),
        shop.change("u", {"id": 1, "org": 7, "lat": "-33.918861", "lng": 18.4233}),
        shop.change("c", {"id": 2, "org": 8, **near, "more": 1}),
        shop.change("c", {"id": 3, "org": 8, "lat": -0.001, "lng": None}),
    )
    assert shop.rows("select id, lat::text, lng::text from raw_cdc.shop__people_history"
                     " order by id, version_number") == [
        (1, "-33.92", "18.420000"), (1, "-33.92", "18.420000"), (2, "-33.92", "18.420000"), (3, "0", None),
    ]  # fmt: skip
    assert exact_homes(shop) == []


def exact_homes(shop: Shop) -> list[str]:
    tables = "raw_cdc.changes", "raw_cdc.shop__people", "raw_cdc.shop__people_history"
    return [
        table
        for table in tables
        if shop.rows(f"select 1 from {table} as t where t::text ~ '(92[4]869|918861|424055|4233)'")
    ]


def test_homes_of_before_are_rounded_by_the_next_load_which_asks_for_a_reload(shop: Shop) -> None:
    shop.contract(EXACT)
    shop.load(
        shop.change("c", {"id": 1, "org": 7, "lat": -33.924869, "lng": "18.424055"}),
        shop.change("u", {"id": 1, "org": 7, "lat": -33.918861, "lng": "18.4233"}),
        shop.change("c", {"id": 2, "org": 8, "lat": -33.924869, "lng": "18.424055"}),
    )
    assert len(exact_homes(shop)) == 3
    shop.contract(ROUNDED)
    report = shop.loading.load()
    assert exact_homes(shop) == []
    assert shop.rows("select id, lat::text, lng::text from raw_cdc.shop__people order by id") == [
        (1, "-33.92", "18.420000"), (2, "-33.92", "18.420000"),
    ]  # fmt: skip
    assert 'lat.personal is "round", was not named' in str(report.notes)
    assert "tallyhouse reload cdc/shop --table people" in str(report.notes)


@pytest.mark.parametrize(
    ("columns", "key", "why"),
    [
        ("lat: {type: text, personal: round}", "id", "no type to round"),
        ("lat: {type: 'double precision[]', personal: round}", "id", "no type to round"),
        ("lat: {type: double precision, personal: round}", "lat", "two would be one"),
    ],
)
def test_only_numbers_that_are_no_key_are_rounded(columns: str, key: str, why: str) -> None:
    text = EDITED.format(columns).replace("primary_key: [id]", f"primary_key: [{key}]")
    with pytest.raises(ValidationError, match=why):
        CdcContract.model_validate(yaml.safe_load(text))


LOGINS = """
kind: cdc
product: shop
tables:
  people:
    primary_key: [id]
    tenant: org
    user: id
    columns: {{id: {}, org: integer, plan: text}}
  orders:
    primary_key: [id]
    tenant: org
    columns: {{id: integer, org: integer, {}: text}}
"""
PHONE = 27825550001


def test_a_telephone_as_the_number_of_a_user_is_kept_closed_until_it_is_a_text(shop: Shop) -> None:
    """A token is no number: the column is empty, the key and `_user_id` are made of the token."""
    shop.contract(LOGINS.format("bigint", "customer_id"))
    shop.load(
        shop.change("c", {"id": PHONE, "org": 7, "plan": "pro"}),
        shop.change("c", {"id": 5, "org": 8, "plan": "pro"}),
        shop.change("u", {"id": PHONE, "org": 7, "plan": "free"}),
        shop.change("d", {"id": 5, "org": 8}),
    )
    assert shop.rows("select id, plan from raw_cdc.shop__people") == [(None, "free")]
    assert shop.rows("select count(*) from raw_cdc.shop__people_history") == [(3,)]
    before = shop.rows("select _user_id from raw_cdc.shop__people")
    assert "undecodable_value" in str(shop.rows("select kind from ops.schema_drift"))
    assert traces_of(shop, str(PHONE)) == []
    shop.contract(LOGINS.format("text", "customer_id"))
    shop.load(shop.change("u", {"id": str(PHONE), "org": 7, "plan": "team"}))
    ((login, user, plan),) = shop.rows("select id, _user_id, plan from raw_cdc.shop__people")
    assert login.startswith("tok_") and [(user,)] == before and plan == "team"
    assert traces_of(shop, str(PHONE)) == []


def test_whom_a_column_names_by_its_name_is_keyed(shop: Shop) -> None:
    """An order's customer who is an e-mail address: another token in each tenant; ordinary ids stay."""
    shop.contract(LOGINS.format("integer", "customer_id"))
    who = ("ann@secret.example", 7), ("ann@secret.example", 8), ("c-17", 7), ("+27825550001", 8)
    shop.load(
        *(shop.change("c", {"id": n, "org": org, "customer_id": name}, "orders")
          for n, (name, org) in enumerate(who))
    )  # fmt: skip
    found = [
        name for (name,) in shop.rows("select customer_id from raw_cdc.shop__orders order by id")
    ]
    assert found[2] == "c-17" and len(set(found)) == 4
    assert all(found[n].startswith("tok_") for n in (0, 1, 3))
    assert traces_of(shop, "secret", "5550001") == []


def test_a_column_that_names_people_now_is_told_and_keyed(shop: Shop) -> None:
    shop.contract(LOGINS.format("integer", "buyer"))
    shop.load(shop.change("c", {"id": 1, "org": 7, "buyer": "ann@secret.example"}, "orders"))
    assert len(traces_of(shop, "secret")) == 3
    text = LOGINS.format("integer", "buyer")
    shop.contract(
        text.replace(
            "    columns: {id: integer, org: integer, buyer",
            "    user: buyer\n    columns: {id: integer, org: integer, buyer",
        )
    )
    report = shop.loading.load()
    assert traces_of(shop, "secret") == []
    assert "tallyhouse reload cdc/shop --table orders" in str(report.notes)


def traces_of(shop: Shop, *values: str) -> list[str]:
    """The tables in which one of the values can be read."""
    tables = shop.rows(
        "select cast(oid::regclass as text) from pg_class where relkind in ('r', 'v')"
        " and relnamespace in ('raw_cdc'::regnamespace, 'ops'::regnamespace)"
    )
    found = "|".join(values)
    return [
        name
        for (name,) in tables
        if shop.rows(f"select 1 from {name} as t where t::text ~ '{found}'")
    ]
