"""What becomes of one record that names an erased person: nothing, or the record without the person.

The same at the door and for what is stored, so that a record that comes again ends as the one that was there. Pure:
a row goes in as a dictionary of its columns and comes out as it was (the same object), altered (another one), or None.
Belongs here: the judgement by kind of record. Does not belong here: reading and writing rows (`door`, `stored`).
"""

import csv
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import orjson

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.names import TENANT_ID, USER_ID
from ingestion.erasing.people import People
from ingestion.privacy.sealing import PREFIX as SEALED
from ingestion.values.identity import record_key, uuid_text
from ingestion.values.json_lines import encode
from tallyhouse.settings import PROJECT_ROOT

TOKEN = "tok_"
NAMED_ID = re.compile(r"tok_[0-9a-f]{32}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
REMOVE, UNNAME = "remove", "unname"
# Whose events stay without the person: SAMIA-TAROT's document, "Remove user_id from events", and payments among them.
KEPT_EVENTS = frozenset({"samia_tarot"})
Record = dict[str, Any]


class PersonColumn(NamedTuple):
    """A column of a product's database that names people; see the seed person_columns."""

    product: str
    table: str
    column: str
    kind: str
    treatment: str
    is_same_person: bool


@cache
def person_columns() -> Mapping[tuple[str, str], tuple[PersonColumn, ...]]:
    """By product and table."""
    found: dict[tuple[str, str], tuple[PersonColumn, ...]] = {}
    seed = PROJECT_ROOT / "seeds" / "governance" / "person_columns.csv"
    with seed.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(list(file)[1:]):
            product, table, name, kind, treatment, is_same_person = row
            column = PersonColumn(product, table, name, kind, treatment, is_same_person == "true")
            place = column.product, column.table
            found[place] = (*found.get(place, ()), column)
    return found


def event(row: Record, people: People) -> Record | None:
    """An event of the person goes; where another's names the person, a stand-in does."""
    product, tenant = row["product"], row["tenant_id"]
    user, anonymous = row["user_source_id"], row["anonymous_id"]
    properties = row["properties"]
    named = {
        text for text in NAMED_ID.findall(properties) if people.know(product, tenant, "id", text)
    }
    is_own_device = people.know(product, tenant, "anonymous", anonymous)
    is_own = people.know(product, tenant, "user", user) or (
        user is None
        and (
            is_own_device
            or (anonymous is None and people.know(product, tenant, "session", row["session_id"]))
        )
    )
    is_about = user is None and any(text.startswith(TOKEN) for text in named)
    if (is_own or is_about) and product not in KEPT_EVENTS:
        return None
    changed: Record = {}
    if is_own:
        changed = dict.fromkeys(
            ("user_id", "user_source_id", "anonymous_id", "session_id", "ip_subnet")
        )
    elif is_own_device:
        changed["anonymous_id"] = people.stand_in(product, "anonymous", anonymous)
    for text in named:
        properties = properties.replace(text, people.stand_in(product, "id", text))
    if named:
        changed["properties"] = properties
    return {**row, **changed} if changed else row


def webhook(row: Record, people: People) -> Record:
    """A provider's event stays, because money hangs on it, and names a stand-in instead of the person."""
    product = row["product"]
    payload = orjson.loads(row["payload"])
    tenant = next(_tenants(payload), None)
    tenant_id = uuid_text(product, "tenant", tenant) if tenant is not None else None
    known = {text for text in _ids(payload) if people.know(product, tenant_id, "user", text)}
    if not known:
        return row
    stand_ins = {text: people.stand_in(product, "user", text) for text in known}
    changed = {
        name: _unnamed(value, stand_ins) if isinstance(value, str) and name != "payload" else value
        for name, value in row.items()
    }
    if row.get("aliases") is not None:
        changed["aliases"] = encode(_unnamed(orjson.loads(row["aliases"]), stand_ins))
    payload = _unnamed(payload, stand_ins)
    event = payload.get("event")
    if tenant is None and isinstance(event, dict):
        # RevenueCat's customer was its user's tenant's; of a stand-in nobody would know whose
        owner = next(
            filter(None, (people.tenant_of(product, "user", text) for text in sorted(known))), None
        )
        attributes = event.get("subscriber_attributes") or {}
        event["subscriber_attributes"] = {**attributes, "tenant_id": {"value": owner}}
    changed["payload"] = encode(payload)
    return changed


def _tenants(value: Any) -> Iterator[str]:
    """What a payload says of its tenant, in metadata or in a subscriber's attributes."""
    if isinstance(value, dict):
        held = value.get("tenant_id")
        held = held.get("value") if isinstance(held, dict) else held
        if isinstance(held, str | int) and not isinstance(held, bool) and held != "":
            yield str(held)
        for item in value.values():
            yield from _tenants(item)
    elif isinstance(value, list):
        for item in value:
            yield from _tenants(item)


def _ids(value: Any) -> Iterator[str]:
    """Texts of a payload that may be somebody's id."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and (name == "user_id" or not item.isdigit()):
                yield item
            elif name == "user_id" and isinstance(item, int):
                yield str(item)
            else:
                yield from _ids(item)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str) and not item.isdigit():
                yield item
            else:
                yield from _ids(item)


def _unnamed(value: Any, stand_ins: Mapping[str, str]) -> Any:
    """A value with stand-ins for ids; tokens and what is sealed said something of the person."""
    if isinstance(value, dict):
        return {
            name: stand_ins[str(item)]
            if name == "user_id" and isinstance(item, str | int) and str(item) in stand_ins
            else _unnamed(item, stand_ins)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_unnamed(item, stand_ins) for item in value]
    if isinstance(value, str):
        if value.startswith((TOKEN, SEALED)):
            return None
        if value.isdigit():
            return value
        for text, stand_in in stand_ins.items():
            if text in value and not text.isdigit():
                value = value.replace(text, stand_in)
    return value


def change(row: Record, people: People, contract: CdcContract) -> Record | None:
    """A row of the person's goes; what is kept of others (invoices, payments, hours) names a stand-in."""
    product, name = row["product"], row["table_name"]
    columns = person_columns().get((product, name))
    table = contract.tables.get(name)
    if columns is None or table is None:
        return row
    after = orjson.loads(row["after"])
    key = orjson.loads(row["key"]) if row["key"] else {}
    tenant = after.get(table.tenant) or key.get(table.tenant) if table.tenant else None
    told = uuid_text(product, "tenant", str(tenant)) if tenant is not None else None
    tenant_id = after.get(TENANT_ID) or told
    changed: Record = {}
    is_own = False
    for column in columns:
        value = after.get(column.column, key.get(column.column))
        if not people.know(product, tenant_id, column.kind, value):
            continue
        if column.treatment == REMOVE:
            return None
        changed[column.column] = people.stand_in_like(product, column.kind, value)
        is_own = is_own or column.column in table.primary_key
    tokens = {v for v in after.values() if isinstance(v, str) and v.startswith(TOKEN)}
    if not changed and any(people.know(product, tenant_id, "id", token) for token in tokens):
        return None
    if not changed:
        return row
    after = {
        k: None
        if isinstance(v, str) and v.startswith((TOKEN, SEALED)) and (is_own or v in tokens)
        else v
        for k, v in after.items()
    }
    after |= {k: v for k, v in changed.items() if k in after}
    user = table.user if table.user in changed else None
    if user is not None and USER_ID in after:
        after[USER_ID] = uuid_text(product, "user", str(changed[user]))
    altered = {**row, "after": encode(after), "extra": None}
    if any(k in key for k in changed):
        key |= {k: v for k, v in changed.items() if k in key}
        text = encode(key)
        altered |= {"key": text, "key_hash": record_key(product, name, text)}
    return altered
