"""A live Postgres as its own catalogue describes it: tables, columns, keys, comments.

`pg_catalog` is read and nothing else: `information_schema` hides keys from a login that may only
read, and loses the precision of arrays and domains. Belongs here: one read-only connection and the
types Debezium will send of each column. Does not belong here: values; no table is looked into.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import psycopg

from ingestion.cdc.contract import ALWAYS_IGNORED, TYPE
from ingestion.drafting.cdc import (
    ColumnDraft,
    DatabaseDraft,
    TableDraft,
    mark_personal,
    name_owners,
)
from ingestion.drafting.cdc_types import Guess
from ingestion.drafting.profiles import Profile
from ingestion.drafting.sample import DraftError

# Ordinary and partitioned tables that people made; a domain counts as the type below it.
_COLUMNS = """
with recursive base (oid, type_id, modifier) as (
    select oid, oid, -1 from pg_catalog.pg_type where typtype <> 'd'
    union all
    select d.oid, base.type_id, case when d.typtypmod >= 0 then d.typtypmod else base.modifier end
    from pg_catalog.pg_type as d
    inner join base on base.oid = d.typbasetype
    where d.typtype = 'd'
)
select
    n.nspname,
    c.relname,
    a.attname,
    pg_catalog.format_type(
        base.type_id, case when a.atttypmod >= 0 then a.atttypmod else base.modifier end
    ),
    a.attnotnull,
    pg_catalog.col_description(c.oid, a.attnum),
    pg_catalog.obj_description(c.oid, 'pg_class'),
    array_position(i.indkey::int2[], a.attnum)
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
inner join pg_catalog.pg_attribute as a on a.attrelid = c.oid
inner join base on base.oid = a.atttypid
left join pg_catalog.pg_index as i on i.indrelid = c.oid and i.indisprimary
where
    c.relkind in ('r', 'p')
    and not c.relispartition
    and a.attnum > 0
    and not a.attisdropped
    and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    and n.nspname not like 'pg\\_temp%%'
    and (%(schemas)s::text[] is null or n.nspname = any(%(schemas)s))
    and (%(tables)s::text[] is null or c.relname = any(%(tables)s))
order by n.nspname <> 'public', n.nspname, c.relname, a.attnum
"""
_SHORT = {
    "character varying": "text", "character": "text", "json": "jsonb", "money": "numeric(19,2)",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time without time zone": "time", "time with time zone": "timetz", "bit varying": "varbit",
    "oid": "bigint", "point": "jsonb", "geometry": "jsonb", "geography": "jsonb", "hstore": "jsonb",
    "bit(1)": "boolean",  # as Debezium sends it
}  # fmt: skip
_FRACTION = re.compile(r"(timestamp|time)\((\d)\) (with|without) time zone")


def draft_catalogue(
    url: str, product: str, schemas: list[str] | None = None, tables: list[str] | None = None
) -> DatabaseDraft:
    """The tables of the database at an address; raises DraftError."""
    rows = _ask(url, {"schemas": schemas or None, "tables": tables or None})
    draft = DatabaseDraft(product, {})
    keys: dict[str, dict[int, str]] = {}  # table → place in the key → column
    for schema, relation, name, kind, is_required, said, table_said, key in rows:
        table_name = relation if schema == "public" else f"{schema}__{relation}"
        if relation in ALWAYS_IGNORED:
            continue
        table = draft.tables.setdefault(
            table_name, TableDraft(table_name, description=_flat(table_said))
        )
        column = ColumnDraft(name, column_type(kind), None, not is_required, _flat(said))
        mark_personal(column, table, Profile(), None)
        table.columns[name] = column
        if key is not None:
            keys.setdefault(table_name, {})[key] = name
    if not draft.tables:
        raise DraftError(
            "The database was reached, but this login sees no table that could be declared"
            + (f" in {', '.join(schemas)}" if schemas else "")
            + ". Name the right database in the address, or another --schema."
        )
    for table_name, places in keys.items():
        draft.tables[table_name].primary_key = tuple(name for _, name in sorted(places.items()))
    name_owners(draft)
    return draft


def column_type(kind: str) -> Guess:
    """The contract's type for what `format_type` says, as Debezium sends it by default."""
    base, array = (kind[:-2], "[]") if kind.endswith("[]") else (kind, "")
    bare = re.sub(r"\(.*?\)", "", base)
    if match := _FRACTION.fullmatch(base):
        base = f"{match[1]}{'tz' if match[3] == 'with' else ''}({match[2]})"
    elif base.startswith("interval"):
        base = "interval"
    elif base not in _SHORT and bare in ("character varying", "character", "bit varying"):
        base = _SHORT[bare]
    base = _SHORT.get(base, _SHORT.get(bare, base) if bare in ("geometry", "geography") else base)
    if TYPE.match(base + array):
        return Guess(base + array)
    if TYPE.match(base):
        return Guess("jsonb", note=f"{kind} at the source")
    return Guess(f"text{array}", note=f"{kind} at the source")


def _ask(url: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    place = _place(url)
    try:
        with psycopg.connect(
            url, connect_timeout=10, autocommit=True, application_name="tallyhouse contract draft"
        ) as connection:
            connection.execute("set default_transaction_read_only = on")
            connection.execute("set statement_timeout = '60s'")
            return connection.execute(_COLUMNS, values).fetchall()
    except psycopg.Error as error:
        words = " ".join(str(error).split())
        if password := urlsplit(url).password:
            words = words.replace(password, "***")
        raise DraftError(
            f"The database at {place} cannot be read: {words} Check address, user and password, and"
            " that the server lets this machine in."
        ) from error


def _place(url: str) -> str:
    """Host and database of an address, without user and password."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise DraftError(
            "The address of the database cannot be read. Write it as in"
            " postgresql://user:password@host:5432/database."
        ) from error
    return f"{parts.hostname or 'the local socket'}{port}{parts.path}"


def database_name(url: str) -> str:
    """The name of the database that an address means."""
    _place(url)
    return urlsplit(url).path.strip("/")


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())
