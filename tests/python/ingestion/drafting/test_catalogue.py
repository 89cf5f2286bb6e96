"""A live Postgres drafted from its catalogue: every type, keys in their order, comments; no value.

The login may read nothing but what every login may: the catalogue.
"""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import pytest
import yaml

from ingestion.drafting.catalogue import column_type
from ingestion.drafting.draft import Request, draft
from ingestion.drafting.sample import DraftError
from tallyhouse.database import Warehouse
from tests.python.ingestion.drafting.conftest import Drafted

TABLES = """
create type mood as enum ('good', 'bad');
create domain money_amount as numeric(10,4);
create domain small_amount as money_amount;
create table organizations (id uuid primary key, name text not null, plan varchar(20));
create table checkins (
    day date, habit_id bigint, organization_id uuid not null, note text, amount small_amount,
    state mood, price numeric(12,2), at timestamp(3), seen_at timestamptz, tags text[],
    span int4range, address inet, payload json, flag bit(1), bits bit(5), email varchar(80),
    "Mixed" integer, primary key (habit_id, day)
);
comment on table checkins is 'One habit,
    done.';
comment on column checkins.price is 'In euros.';
create table parted (id bigint, at date) partition by range (at);
create table parted_2026 partition of parted for values from ('2026-01-01') to ('2027-01-01');
create view seen as select 1 as one;
create schema archive;
create table archive.checkins (id integer primary key);
create table "Odd Name" (id integer);
insert into organizations values
    ('5c0ac4e0-0005-4a00-8000-000000000001', 'A name nobody may read', 'gold');
create role catalogue_reader login password 'nothing-granted';
"""


@pytest.fixture(scope="module")
def source_url(fresh_database: Callable[..., Warehouse]) -> str:
    warehouse = fresh_database("source")
    with warehouse.connect() as connection:
        connection.execute("drop role if exists catalogue_reader")
        connection.execute(TABLES)
    parts = urlsplit(warehouse.url)
    host = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"catalogue_reader:nothing-granted@{host}"))


@pytest.mark.slow
def test_the_catalogue_gives_a_contract(source_url: str) -> None:
    made = Drafted(draft(Request((source_url,), product="shop")))
    tables = made.body["tables"]
    assert set(tables) == {
        "Odd Name", "checkins", "organizations", "parted", "archive__checkins",
    }  # fmt: skip
    assert made.types("checkins") == {
        "day": "date", "habit_id": "bigint", "organization_id": "uuid", "note": "text",
        "amount": "numeric(10,4)", "state": "text", "price": "numeric(12,2)", "at": "timestamp(3)",
        "seen_at": "timestamptz", "tags": "text[]", "span": "text", "address": "text",
        "payload": "jsonb", "flag": "boolean", "bits": "bit(5)", "email": "text", "Mixed": "integer",
    }  # fmt: skip
    checkins = tables["checkins"]
    assert checkins["primary_key"] == ["habit_id", "day"]  # in the key's order, not the table's
    assert checkins["tenant"] == "organization_id"
    assert checkins["description"] == "One habit, done."
    columns = made.columns("checkins")
    assert columns["price"]["description"] == "In euros."
    assert [name for name, said in columns.items() if "personal" in said] == [
        "note", "address", "email",
    ]  # fmt: skip
    assert tables["organizations"]["is_tenant_table"] is True
    assert list(tables["Odd Name"]["columns"]) == ["id"]
    assert "nobody may read" not in made.text and "nothing-granted" not in made.text


@pytest.mark.slow
def test_schemas_and_tables_may_be_chosen(source_url: str) -> None:
    made = draft(Request((source_url,), product="shop", schemas=("archive",)))
    assert list(yaml.safe_load(made.text)["tables"]) == ["archive__checkins"]
    made = draft(Request((source_url,), product="shop", tables=("parted",)))
    assert list(yaml.safe_load(made.text)["tables"]) == ["parted"]
    with pytest.raises(DraftError, match="sees no table that could be declared in nowhere"):
        draft(Request((source_url,), product="shop", schemas=("nowhere",)))


@pytest.mark.parametrize(
    ("source", "ours"),
    [
        ("character varying(50)", "text"), ("character varying(50)[]", "text[]"),
        ("timestamp without time zone", "timestamp"), ("timestamp(0) with time zone", "timestamptz(0)"),
        ("time(3) without time zone", "time(3)"), ("interval day to second", "interval"),
        ("numeric(12,2)[]", "numeric(12,2)[]"), ("bit varying(9)", "varbit"), ("money", "numeric(19,2)"),
        ("double precision", "double precision"), ("json", "jsonb"), ("tsvector", "text"),
        ("geometry(Point,4326)", "jsonb"), ("oid", "bigint"), ("cidr[]", "text[]"),
    ],
)  # fmt: skip
def test_types(source: str, ours: str) -> None:
    assert column_type(source).type == ours
