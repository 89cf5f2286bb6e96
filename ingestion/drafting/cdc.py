"""A database as it shows in its change records: tables, columns, keys, whose rows they are.

Belongs here: which tables and columns the records name, keys, tenants, users, personal data, and
proving each type by decoding the sample with it. Does not belong here: the type of one column
(`cdc_types`), the text of the contract (`cdc_text`), a database that is asked itself (`catalogue`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from ingestion.cdc.contract import ALWAYS_IGNORED, DEGREES, Column
from ingestion.cdc.decode.envelope import Change, NotAChange, read_change
from ingestion.cdc.decode.placeholder import is_placeholder
from ingestion.cdc.decode.table_names import Place, schema_without_custom
from ingestion.cdc.decode.types import decoder
from ingestion.cdc.names import is_name
from ingestion.drafting.cdc_types import Guess, from_schema, from_values
from ingestion.drafting.personal import ValueJudge, Verdict, by_name, is_data_not_a_name
from ingestion.drafting.profiles import Profile
from ingestion.drafting.wording import counted, singular
from ingestion.values.json_lines import decode_exactly, decode_object
from ingestion.values.outcomes import Rejected

_TENANTS = ("tenant", "organization", "organisation", "org", "company", "workspace", "account")
_TENANT_KEYS = tuple(f"{noun}_id" for noun in _TENANTS)
_USER_KEYS = ("user_id", "userid", "member_id", "customer_id", "client_id")
_USER_TABLES = frozenset({"users", "user", "members", "app_users", "auth_users"})
_MARKS = ("__op", "__deleted", "__table", "__lsn", "__source_ts_ms", "__source_table")
_UNDECODABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
MAX_COLUMNS = 1_600  # of a table in Postgres


@dataclass
class ColumnDraft:
    """One column: its type, its mark, what to say of both."""

    name: str
    guess: Guess
    verdict: Verdict | None = None
    is_optional: bool | None = None  # None: nobody said
    description: str = ""

    def declared(self) -> dict[str, Any]:
        """What the contract says of it."""
        said: dict[str, Any] = {"type": self.guess.type}
        if self.guess.encoding:
            said["encoding"] = self.guess.encoding
        if self.verdict:
            said["personal"] = self.verdict.mark
        if self.description:
            said["description"] = self.description
        return said


@dataclass
class TableDraft:
    """One table as it will stand in the contract."""

    name: str
    columns: dict[str, ColumnDraft] = field(default_factory=dict)
    primary_key: tuple[str, ...] = ()
    tenant: str | None = None
    user: str | None = None
    is_tenant_table: bool = False
    is_user_table: bool = False
    records: int | None = None  # None: nobody counted
    description: str = ""
    basis: str = ""  # where the types come from
    left_out: list[str] = field(default_factory=list)  # columns no contract can declare


@dataclass
class DatabaseDraft:
    """All tables, and sentences for the person who will edit the contract."""

    product: str
    tables: dict[str, TableDraft]
    sentences: list[str] = field(default_factory=list)
    origin: str = ""
    home: str | None = None  # the contract's `schema`, where no custom says which it is


@dataclass
class _Seen:
    """What the records showed of one table."""

    profiles: dict[str, Profile] = field(default_factory=dict)
    judges: dict[str, ValueJudge] = field(default_factory=dict)
    schema: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    records: int = 0
    images: list[Mapping[str, Any]] = field(default_factory=list)


def looks_like_change(record: Mapping[str, Any]) -> bool:
    """Whether a JSON object is one of Debezium's records (rows without any mark are not told)."""
    if "value" in record and ("topic" in record or "key" in record):
        return True
    if record.keys() == {"schema", "payload"}:
        return True
    if "op" in record and ("source" in record or "after" in record or "before" in record):
        return True
    return any(mark in record for mark in _MARKS)


def prefix_of(records: Iterable[Mapping[str, Any]]) -> str | None:
    """The connector's topic prefix, or its name for the database."""
    for record in records:
        topic = record.get("topic")
        if isinstance(topic, str) and topic.count(".") > 1 and not topic.startswith("_"):
            return topic.split(".", 1)[0]
        value = _payload(_value(record))
        source = value.get("source") if isinstance(value, dict) else None
        if isinstance(source, dict) and isinstance(source.get("name"), str):
            return str(source["name"])
    return None


def draft_tables(
    product: str, lines: Iterable[bytes], file_table: str = ""
) -> tuple[DatabaseDraft, int]:
    """The database behind the lines, and how many of them were changes. `file_table` is the table
    of rows that name none."""
    found: dict[Place, _Seen] = {}
    skipped: dict[str, int] = {}
    homes: dict[
        str, int
    ] = {}  # records by schema or database, where no custom says which is the home
    count = 0
    for record in _records(lines):
        try:
            change = read_change(record)
        except NotAChange:
            continue
        count += 1
        place = change.place._replace(table=change.table or file_table)
        name = place.table
        if name.lower() in ALWAYS_IGNORED:
            continue
        if not is_name(name) or is_data_not_a_name(name):
            skipped[name] = skipped.get(name, 0) + 1
            continue
        if (inner := schema_without_custom(place)) and is_name(inner):
            homes[inner] = homes.get(inner, 0) + 1
        _take(found.setdefault(place, _Seen()), change, record)
    home = max(homes, key=lambda inner: homes[inner]) if homes else None
    seen: dict[str, _Seen] = {}
    for place, of_place in found.items():
        name = _table_name(place, home)
        if is_name(name):
            seen[name] = of_place
        else:
            skipped[name] = of_place.records
    draft = DatabaseDraft(product, {name: _table(name, of) for name, of in seen.items()}, home=home)
    for name, left_out in skipped.items():
        shown = "a table without a name" if not name else "a table whose name looks like data"
        draft.sentences.append(f"{shown} was left out ({counted(left_out, 'record')}).")
    if len(homes) > 1:
        draft.sentences.append(
            f"The records come from {len(homes)} schemas or databases; most are of `schema`, the tables of the"
            " others are written with theirs."
        )
    if draft.tables:
        name_owners(draft)
    return draft, count


def _records(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        record = decode_exactly(line) if b"\\u0000" in line else decode_object(line)
        if not isinstance(record, Rejected):
            yield record


def _table_name(place: Place, home: str | None) -> str:
    """`table` in the home (by custom, public), `schema__table` in others."""
    inner = schema_without_custom(place)
    if inner is None:
        home, inner = "public", place.schema
    return place.table if inner in (None, home) else f"{inner}__{place.table}"


def _take(seen: _Seen, change: Change, record: Mapping[str, Any]) -> None:
    """Add one change to what is known of its table."""
    seen.records += 1
    row_schema, key_schema = _schemas(record)
    for entry in row_schema:
        seen.schema[str(entry["field"])] = entry
    if change.key:
        seen.key = tuple(change.key)
    elif key_schema:
        seen.key = tuple(str(entry["field"]) for entry in key_schema)
    for image in (change.after, change.before if change.op != "d" else None):
        if image is not None:
            seen.images.append(image)
            _profile(seen, image)


def _profile(seen: _Seen, image: Mapping[str, Any]) -> None:
    for name, value in image.items():
        if is_placeholder(value):
            continue
        profile = seen.profiles.get(name)
        if profile is None:
            if len(seen.profiles) >= MAX_COLUMNS:
                continue
            profile = seen.profiles[name] = Profile()
            seen.judges[name] = ValueJudge(name)
        profile.add(value)
        seen.judges[name].add(value)


def _schemas(record: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The fields of the row and of the key as the record's own schema names them."""
    value, key = _value(record), record.get("key") if "value" in record else None
    fields = _fields(_inside(value, "schema"))
    for entry in fields:
        if entry["field"] in ("after", "before") and (row := _fields(entry)):
            return row, _fields(_inside(key, "schema"))
    is_envelope = {"op", "source", "after", "before"} & {entry["field"] for entry in fields}
    row = [] if is_envelope else [e for e in fields if not str(e["field"]).startswith("__")]
    return row, _fields(_inside(key, "schema"))


def _value(record: Mapping[str, Any]) -> Any:
    if "value" in record and ("topic" in record or "key" in record):
        return record["value"]
    return record


def _payload(value: Any) -> Any:
    found = _inside(value, "payload")
    return value if found is None else found


def _inside(value: Any, part: str) -> Any:
    if isinstance(value, str) and value[:1] == "{":
        parsed = decode_object(value.encode())
        value = None if isinstance(parsed, Rejected) else parsed
    if isinstance(value, dict) and value.keys() == {"schema", "payload"}:
        return value[part]
    return None


def _fields(schema: Any) -> list[Any]:
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, list):
        return []
    return [e for e in fields if isinstance(e, dict) and isinstance(e.get("field"), str)]


def _table(name: str, seen: _Seen) -> TableDraft:
    table = TableDraft(name, records=seen.records)
    table.basis = "types by the records' own schema" if seen.schema else "types by their values"
    for column in dict.fromkeys([*seen.schema, *seen.profiles]):
        profile = seen.profiles.get(column) or Profile()
        if not is_name(column) or is_data_not_a_name(column):
            table.left_out.append(column)
            continue
        entry = seen.schema.get(column)
        guess = from_values(column, profile) if entry is None else from_schema(entry)
        draft = ColumnDraft(column, _proven(column, guess, seen.images))
        if entry is not None:
            draft.is_optional = bool(entry.get("optional"))
        judge = seen.judges.get(column)
        mark_personal(draft, table, profile, judge)
        table.columns[column] = draft
    table.primary_key = tuple(name for name in seen.key if name in table.columns)
    if len(table.primary_key) != len(seen.key):
        table.primary_key = ()
    for column in table.primary_key:  # what is dropped cannot be a key
        key = table.columns[column]
        if key.verdict and key.verdict.mark in ("drop", "round"):
            key.guess = replace(key.guess, type="text", encoding=None)
            key.verdict = replace(key.verdict, mark="token")
    return table


def _proven(name: str, guess: Guess, images: list[Mapping[str, Any]]) -> Guess:
    """The guess, if the loader's own decoder reads every value of the sample with it."""
    decode = decoder(Column.model_validate({"type": guess.type, "encoding": guess.encoding}))
    refused = 0
    for image in images:
        value = image.get(name)
        if value is None or is_placeholder(value):
            continue
        try:
            decoded = decode(value)
            refused += guess.type.startswith("numeric") and _is_another_number(value, decoded)
        except _UNDECODABLE:
            refused += 1
    if not refused:
        return guess
    fallback = "jsonb" if _is_json(name, images) else "text"
    return Guess(fallback, note=f"{refused:,} values do not fit {guess.type}")


def _is_another_number(sent: Any, decoded: Any) -> bool:
    """Whether a decimal that was sent as text came out as something else."""
    if not isinstance(sent, str) or not re.fullmatch(r"[+-]?\d+(\.\d+)?", sent, re.ASCII):
        return False
    return Decimal(sent) != Decimal(decoded)


def _is_json(name: str, images: list[Mapping[str, Any]]) -> bool:
    values = [image.get(name) for image in images]
    return all(value is None or isinstance(value, dict | list) for value in values)


def mark_personal(
    column: ColumnDraft, table: TableDraft, profile: Profile, judge: ValueJudge | None
) -> None:
    """Say whether a column looks personal; a token is text, so other types are dropped or turned;
    a coordinate that is a number is rounded."""
    verdict = by_name(column.name, table.name)
    kind = column.guess.type
    if kind == "boolean" or (
        verdict is None and kind not in ("text", "bigint", "text[]", "bigint[]")
    ):
        return
    if verdict is None and judge is not None:
        verdict = judge.verdict(profile.prose)
    if verdict is None:
        return
    if verdict.mark == "drop" and kind not in ("text", "text[]", "jsonb", "bytea"):
        return  # a free text's name on a number
    if verdict.mark == "round" and kind not in DEGREES:
        verdict = replace(verdict, mark="token")
    if verdict.mark == "token" and kind != "text":
        if kind in ("bigint", "integer", "numeric"):
            column.guess = Guess("text", note=f"{kind} at the source; a token is text")
        else:
            verdict = replace(verdict, mark="drop")
    elif verdict.mark == "token" and profile.prose * 2 > profile.count:
        verdict = replace(verdict, mark="drop")
    column.verdict = verdict


def name_owners(draft: DatabaseDraft) -> None:
    """Guess which column of each table names the tenant and which the user."""
    for table in draft.tables.values():
        noun = singular(table.name)
        keys = {column.lower(): column for column in table.columns}
        if noun in _TENANTS and noun != "account" and len(table.primary_key) == 1:
            table.is_tenant_table, table.tenant = True, table.primary_key[0]
        else:
            table.tenant = next((keys[key] for key in _TENANT_KEYS if key in keys), None)
        if table.name in _USER_TABLES and len(table.primary_key) == 1:
            table.is_user_table, table.user = True, table.primary_key[0]
        else:
            table.user = next((keys[key] for key in _USER_KEYS if key in keys), None)
        if table.user == table.tenant:
            table.user = None
    tenants = sorted({table.tenant for table in draft.tables.values() if table.tenant})
    without = [name for name, table in draft.tables.items() if table.tenant is None]
    if not tenants:
        draft.sentences.append(
            "No column was found that names the tenant: rows will have no tenant_id. Write"
            " `tenant: <column>` where there is one."
        )
    elif without:
        draft.sentences.append(
            f"The tenant is guessed to be {' or '.join(tenants)}; no such column in"
            f" {', '.join(without)}, whose rows will have no tenant_id."
        )
    else:
        draft.sentences.append(f"The tenant is guessed to be {' or '.join(tenants)}.")
