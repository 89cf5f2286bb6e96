"""What a declared column becomes in staging: its expression, its name there, its group and tests.

Staging renames and types and does nothing else, so all of it follows from the contract; `staged_as`
in the contract overrules every name that is made here. Belongs here: the house's naming, applied to
one table. Does not belong here: the text of files (`staging_sql`, `staging_yaml`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ingestion.cdc.contract import CdcContract, Column, Table
from ingestion.cdc.names import stored_column
from ingestion.drafting.wording import singular

Group = Literal["keys", "attributes", "measures", "flags", "times"]
GROUPS: tuple[Group, ...] = ("keys", "attributes", "measures", "flags", "times")

_NUMBER = re.compile(r"(smallint|integer|bigint|numeric|real|double precision|interval)[^\[]*\Z")
_TIME = re.compile(r"(date|timestamp|timestamptz|time|timetz)(\(\d\))?\Z")
_WHOLE = ("smallint", "integer", "bigint")
_MONEY = re.compile(r"(.*_)?(cost|price|fee|salary|wage|revenue|tax|discount|subtotal|payout)")
_CURRENCY = re.compile(r"(.*_)?currency(_code)?")
_IS_FLAG = ("is_", "has_", "was_", "can_", "may_", "did_")
_OWN = ("product", "tenant_id", "committed_at", "received_at", "load_id")  # of every staging model
_SIMPLE = re.compile(r"[a-z_][a-z0-9_]*\Z")
_RESERVED_WORDS = """
all analyse analyze and any array as asc asymmetric authorization between binary both case cast
check collate collation column concurrently constraint create cross current_catalog
current_date current_role current_schema current_time current_timestamp current_user default
deferrable desc distinct do else end except false fetch for foreign freeze from full grant
group having ilike in initially inner intersect interval into is isnull join lateral leading
left like limit localtime localtimestamp natural not notnull null offset on only or order outer
overlaps placing primary references returning right select session_user similar some symmetric
system_user table tablesample then to trailing true union unique user using variadic verbose
when where window with
"""
RESERVED = frozenset(_RESERVED_WORDS.split())  # of Postgres, which no column can be called bare


@dataclass(frozen=True)
class StagedColumn:
    """One column of a staging model."""

    name: str
    expression: str  # SQL, equal to `name` where nothing is renamed
    group: Group
    description: str
    is_personal: bool = False
    is_key: bool = False  # part of the table's own key


@dataclass(frozen=True)
class StagedTable:
    """A staging model: its columns in their groups, and what makes a row unique."""

    product: str
    table: str
    entity: str
    columns: tuple[StagedColumn, ...]
    is_tenant_table: bool
    has_tenant: bool  # its rows say whose they are
    key: tuple[str, ...]  # names in staging; empty where the source has no key
    description: str

    @property
    def model(self) -> str:
        return f"stg_{self.product}__{self.table}"


def staged_table(contract: CdcContract, name: str) -> StagedTable:
    """The staging model of one declared table."""
    table = contract.tables[name]
    entity = entity_of(name)
    columns = list(_columns(contract, name, table, entity))
    columns = _without_collisions(columns, entity)
    is_tenant = table.is_tenant_table and table.primary_key == (table.tenant,)
    declared = [column for column in table.primary_key if column != table.tenant]
    key = tuple(column.name for column in columns if column.is_key)
    if len(key) < len(declared):  # a key column that staging does not show
        key = ()
    return StagedTable(
        contract.product, name, entity, tuple(columns), is_tenant, table.tenant is not None,
        key, _description(table, entity, is_tenant, declared),
    )  # fmt: skip


def entity_of(table: str) -> str:
    """`sales__order_lines` → `order_line`."""
    return singular(table.rsplit("__", maxsplit=1)[-1])


def _columns(contract: CdcContract, name: str, table: Table, entity: str) -> Iterator[StagedColumn]:
    own_first = [c for c in table.primary_key if c in table.columns]
    for column_name in dict.fromkeys([*own_first, *table.columns]):
        column = table.columns[column_name]
        if column_name == table.tenant or column.personal == "drop":
            continue  # the tenant stands as tenant_id; what is dropped is always null
        staged = _staged(contract, name, column_name, column, entity)
        yield replace(staged, is_key=column_name in table.primary_key)


def _staged(
    contract: CdcContract, table_name: str, name: str, column: Column, entity: str
) -> StagedColumn:
    table = contract.tables[table_name]
    source = quoted(stored_column(name))
    is_token = column.personal == "token"
    if _is_id(table, name, column) and not is_token:
        alias = column.staged_as or _id_name(table, name, entity)
        expression = _id_expression(contract, table_name, name, column, source)
        group: Group = "keys"
    else:
        group = _group(column)
        alias = column.staged_as or _name(name, column, group, entity)
        expression = source
        if is_token and not column.staged_as:
            alias = f"{alias}_token"
        if group == "attributes" and _CURRENCY.fullmatch(name.lower()):
            expression = f"lower({source})"
    said = column.description or _describe(contract, table, name, alias, group, is_token, entity)
    return StagedColumn(alias, expression, group, said, column.personal is not None)


def _is_id(table: Table, name: str, column: Column) -> bool:
    if column.type not in (*_WHOLE, "uuid", "text"):
        return False
    if name == table.user or name in table.primary_key:
        return True
    return name.lower().endswith("_id") and column.type != "text"


def _id_name(table: Table, name: str, entity: str) -> str:
    lower = name.lower()
    if name in table.primary_key and lower == "id":
        return f"{entity}_id"
    if name == table.user and not lower.endswith("_id"):
        return f"{lower}_id"
    return lower if lower not in RESERVED else f"{entity}_{lower}"


def _id_expression(
    contract: CdcContract, table_name: str, name: str, column: Column, source: str
) -> str:
    """A UUID stays, a number becomes one; a user's id may be an address or a telephone, which the loader hid."""
    table = contract.tables[table_name]
    if column.type == "uuid":
        return source
    if name == table.user:
        return "_user_id"
    kind = _kind(contract, table_name, name)
    return "{{ " + f"entity_uuid('{contract.product}', '{kind}', '{_inner(source)}')" + " }}"


def _inner(source: str) -> str:
    """A column's name within a macro's argument."""
    return (
        source
        if _SIMPLE.match(source)
        else source.replace("{{ adapter.quote('", '"').replace("') }}", '"')
    )


def _kind(contract: CdcContract, table_name: str, name: str) -> str:
    """The entity that an id stands for."""
    table, own = contract.tables[table_name], entity_of(table_name)
    stem = name.lower().removesuffix("_id")
    if name == table.user:
        return "user"
    if name in table.primary_key and stem in ("id", own):
        return own
    if stem in {entity_of(other) for other in contract.tables}:
        return stem
    if table.primary_key == (name,) and own.endswith(f"_{stem}"):
        return own  # also where another table's key has the same name
    for other, declared in contract.tables.items():
        if declared.primary_key == (name,) and name.lower() != "id":
            return entity_of(other)
    return own if table.primary_key == (name,) else stem


def _group(column: Column) -> Group:
    if column.type == "boolean":
        return "flags"
    if _TIME.match(column.type):
        return "times"
    return "measures" if _NUMBER.match(column.type) else "attributes"


def _name(name: str, column: Column, group: Group, entity: str) -> str:
    """The house's name: no bare words, units last, flags as is_…."""
    lower = name.lower().strip("_")
    last = entity.rsplit("_", 1)[-1]
    if lower == "name":
        return f"{entity}_name"
    if lower == "count" and group == "measures":
        return f"{last}_count"
    if group == "times" and lower in ("day", "date", "at", "ts", "time", "timestamp"):
        return f"{last}_date" if column.type == "date" else f"{last}_at"
    if group == "flags" and not lower.startswith(_IS_FLAG):
        return f"is_{lower}"
    if column.type.startswith("numeric") and _MONEY.fullmatch(lower):
        return f"{lower}_amount"
    return f"{entity}_{lower}" if lower in RESERVED else lower


def _without_collisions(columns: list[StagedColumn], entity: str) -> list[StagedColumn]:
    taken = set(_OWN)
    found = []
    for column in columns:
        name = column.name
        if name in taken:
            name = f"{entity}_{name}"
        while name in taken:
            name = f"source_{name}"
        taken.add(name)
        found.append(replace(column, name=name))
    return found


def quoted(name: str) -> str:
    """A column of the source, quoted where its name needs it."""
    if _SIMPLE.match(name) and name not in RESERVED:
        return name
    written = name.replace('"', '""').replace("\\", "\\\\").replace("'", "\\'")
    return "{{ adapter.quote('" + written + "') }}"


_SAID = {
    "country_code": "ISO 3166 alpha-2 code.",
    "timezone": "IANA time zone.",
    "currency": "ISO 4217 code, lower case.",
    "created_at": "When it was created at the source.",
    "updated_at": "When it was last changed at the source.",
    "deleted_at": "When it was deleted at the source; null while it exists.",
    "started_at": "When it started.",
    "ended_at": "When it ended; null until then.",
    "starts_at": "When it starts.",
    "ends_at": "When it ends.",
    "completed_at": "When it was completed; null until then.",
    "latitude": "Latitude, degrees.",
    "longitude": "Longitude, degrees.",
}


def _describe(  # noqa: PLR0911
    contract: CdcContract, table: Table, name: str, alias: str, group: Group, is_token: bool,
    entity: str,
) -> str:  # fmt: skip
    """A first description, to be bettered by somebody who knows."""
    if alias in _SAID:
        return _SAID[alias]
    human = _human(alias.removesuffix("_token") if is_token else alias)
    if is_token:
        return f"Keyed token of the {human}."
    if group == "keys":
        if name == table.user:
            return "User the row is about."
        return f"{_human(alias.removesuffix('_id')).capitalize()}."
    if group == "flags":
        return f"Whether it {alias.replace('_', ' ')}."
    if group == "times":
        verb = alias.removesuffix("_at").removesuffix("_on").removesuffix("_date")
        what = "Calendar day" if alias.endswith(("_on", "_date")) else "Time"
        return f"{what} of: {_human(verb)}."
    if alias.endswith("_amount"):
        return f"{human.capitalize()}, in major units of its currency."
    ending = " as the source names it." if group == "attributes" else "."
    return f"{human.capitalize()}{ending}"


def _description(table: Table, entity: str, is_tenant: bool, key: list[str]) -> str:
    if is_tenant:
        rows = "One row per tenant"
    elif not key:
        rows = "One row per row that was inserted at the source"
    elif len(key) == 1:
        rows = f"One row per {_human(entity)}"
    else:
        rows = "One row per " + " and ".join(_human(c.lower().removesuffix("_id")) for c in key)
    said = f"{rows}, as the source's database stands now."
    return f"{said} {table.description}" if table.description else said


def _human(name: str) -> str:
    return name.replace("__", " ").replace("_", " ").strip()
