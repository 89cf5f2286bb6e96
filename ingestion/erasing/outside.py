"""The ledger of erasures outside of the database, so that a restored backup brings nobody back.

`erasures.sealed` in the home holds a line for each request: what its row held before its certificate, with the
person's ids sealed under the master key. Belongs here: keeping it, and entering what a restored database lacks.
Does not belong here: the table (`ledger`), restoring (`app.backup`).
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg

from tallyhouse.closed_files import make_closed_folder, replace_closed

NAME = "erasures.sealed"
COLUMNS = (
    "request_id",
    "subject_digest",
    "product",
    "tenant_id",
    "subject_kind",
    "requested_at",
    "sealed_ids",
)

Connection = psycopg.Connection[Any]
Lines = dict[str, dict[str, Any]]


def keep(conn: Connection, home: Path) -> None:
    """Add every request without a certificate that the file does not know. Before anything is removed."""
    known = read(home / NAME)
    rows = conn.execute(
        "select request_id::text, subject_digest, product, tenant_id::text, subject_kind, requested_at::text,"
        " sealed_ids, array(select id_digest from ops.erased_ids as i where i.request_id = r.request_id order by 1)"
        " from ops.erasure_requests as r where certified_at is null order by requested_at, request_id"
    ).fetchall()
    new = {row[0]: dict(zip((*COLUMNS, "digests"), row, strict=True)) for row in rows}
    if new.keys() - known.keys():
        write(home / NAME, {**new, **known}.values())


def read(path: Path) -> Lines:
    """Its lines by request; none where there is no file."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {line["request_id"]: line for line in lines}


def write(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    """The file anew, in the order of the requests."""
    make_closed_folder(path.parent)
    ordered = sorted(lines, key=lambda line: (line["requested_at"], line["request_id"]))
    replace_closed(path, "".join(json.dumps(line) + "\n" for line in ordered))


def enter_missing(conn: Connection, lines: Lines) -> int:
    """Enter the requests that the database does not know, to be done anew; returns how many."""
    known = {row[0] for row in conn.execute("select request_id::text from ops.erasure_requests")}
    missing = [line for request_id, line in lines.items() if request_id not in known]
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(
            f"insert into ops.erasure_requests ({', '.join(COLUMNS)})"
            f" values ({', '.join(f'%({name})s' for name in COLUMNS)})",
            missing,
        )
        cursor.executemany(
            "insert into ops.erased_ids (id_digest, request_id) values (%s, %s) on conflict do nothing",
            [(digest, line["request_id"]) for line in missing for digest in line["digests"]],
        )
    return len(missing)
