"""Which files were read, and under which form of their contract.

Belongs here: reading the ledger for what may have to be read again, the forms of contracts.
Does not belong here: writing the ledger (`ledger`), taking back what a file brought (`withdrawal`),
what is due because of it all (`ingestion.due`).
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import psycopg
from psycopg import sql

from ingestion.contracts.form import Form
from ingestion.parsing.source import Target


class Reading(NamedTuple):
    """A file's content as it was read last. `contract` is the form's fingerprint, None where that
    was not noted yet."""

    load_id: int
    kind: str
    name: str
    path: str
    content_hash: str
    contract: str | None
    is_complete: bool
    has_rejections: bool
    has_shared_records: bool  # some of its records came from other files too

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.kind, self.name, self.content_hash


def readings(conn: psycopg.Connection) -> list[Reading]:
    """Every content that counts, in the order of loading."""
    return [
        Reading(*row)
        for row in conn.execute(
            "select load_id, source_kind, source_name, file_path, content_hash, contract,"
            " is_complete, rejected_count > 0, duplicate_count + conflict_count + replaced_count"
            " + withdrawn_count > 0 from ops.load_manifest where superseded_by is null"
            " order by load_id"
        )
    ]


def all_loads_of(conn: psycopg.Connection, loads: Collection[int]) -> list[int]:
    """These loads and those that they superseded, which may hold rows of the same contents."""
    found = conn.execute(
        "with recursive found (load_id) as ("
        " select unnest(%s::bigint[])"
        " union select earlier.load_id from ops.load_manifest as earlier"
        " inner join found on earlier.superseded_by = found.load_id"
        ") select load_id from found order by load_id",
        (list(loads),),
    )
    return [load_id for (load_id,) in found]


def loads_with_parts(
    conn: psycopg.Connection, target: Target, parts: Collection[str], loads: Collection[int]
) -> set[int]:
    """Those of the loads that hold records of these parts (tables, events, accounts)."""
    found = conn.execute(
        sql.SQL("select distinct load_id from {} where {} = any(%s) and load_id = any(%s)").format(
            sql.SQL(target.table), sql.Identifier(target.part)
        ),
        (list(parts), list(loads)),
    )
    return {load_id for (load_id,) in found}


def keep_form(conn: psycopg.Connection, form: Form) -> None:
    """Remember a form that files are read by."""
    conn.execute(
        "insert into ops.contract_forms (fingerprint, form) values (%s, %s) on conflict do nothing",
        (form.fingerprint, form.text),
    )


def kept_forms(conn: psycopg.Connection) -> Mapping[str, Form]:
    """Every form that files were read by, by fingerprint."""
    return {
        fingerprint: Form(form["name"], form["whole"], form["parts"])
        for fingerprint, form in conn.execute("select fingerprint, form from ops.contract_forms")
    }
