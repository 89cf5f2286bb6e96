"""The ledger of erasures: who asked, whom the door knows, what was certified.

Belongs here: every statement on ops.erasure_… and ops.erased_ids. Does not belong here: finding or removing anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from ingestion.erasing.people import People
from ingestion.privacy.sealing import Sealer

_PLACE = "erasure"


@dataclass
class Subject:
    """A person of a product and tenant. `ids` are (kind, source id), all of the same person; `uuids` are those under
    which models know the person."""

    product: str
    tenant_id: str
    kind: str
    source_id: str
    ids: set[tuple[str, str]] = field(default_factory=set)
    uuids: set[str] = field(default_factory=set)
    request_id: UUID | None = None


def people(conn: psycopg.Connection[Any], master_key: bytes) -> People:
    """Everybody who was erased or is being erased."""
    rows = conn.execute(
        "select ids.id_digest, requests.tenant_id::text from ops.erased_ids as ids"
        " inner join ops.erasure_requests as requests on ids.request_id = requests.request_id"
    ).fetchall()
    return People(master_key, dict(rows))


def has_any(conn: psycopg.Connection[Any]) -> bool:
    """Whether anybody was erased."""
    return conn.execute("select exists (select from ops.erased_ids)").fetchone() == (True,)


def enter(
    conn: psycopg.Connection[Any], master_key: bytes, subjects: Sequence[Subject]
) -> list[Subject]:
    """Enter people before anything of them is touched; those who were certified with the same ids are left out."""
    known, sealer = People(master_key), Sealer(master_key)
    entered = []
    with conn.transaction():
        for subject in subjects:
            digest = known.digest(
                subject.product, subject.tenant_id, subject.kind, subject.source_id
            )
            digests = {
                known.digest(subject.product, tenant, kind, source_id)
                for kind, source_id in subject.ids
                for tenant in (subject.tenant_id, None)
                if tenant is not None or _is_everywhere(kind, source_id)
            }
            subject.request_id = uuid4()
            sealed = sealer.seal(subject.tenant_id, _PLACE, {
                "source_id": subject.source_id, "ids": sorted(subject.ids), "uuids": sorted(subject.uuids),
            })  # fmt: skip
            conn.execute(
                "insert into ops.erasure_requests (request_id, subject_digest, product, tenant_id, subject_kind,"
                " sealed_ids) values (%s, %s, %s, %s, %s, %s)",
                (
                    subject.request_id,
                    digest,
                    subject.product,
                    subject.tenant_id,
                    subject.kind,
                    sealed,
                ),
            )
            conn.cursor().executemany(
                "insert into ops.erased_ids (id_digest, request_id) values (%s, %s) on conflict do nothing",
                [(found, subject.request_id) for found in digests],
            )
            entered.append(subject)
    return entered


def _is_everywhere(kind: str, source_id: str) -> bool:
    """Whether an id is somebody's without its tenant: not a number that each tenant counts for itself."""
    return kind != "session" and (not source_id.isdigit() or kind in ("user", "employee"))


def unfinished(conn: psycopg.Connection[Any], master_key: bytes) -> list[Subject]:
    """Requests without a certificate, with the ids that they were entered with."""
    sealer, found = Sealer(master_key), []
    for request_id, product, tenant, kind, sealed in conn.execute(
        "select request_id, product, tenant_id::text, subject_kind, sealed_ids from ops.erasure_requests"
        " where certified_at is null order by request_id"
    ).fetchall():
        held = sealer.open(tenant, _PLACE, sealed)
        ids = {(str(kind), str(source_id)) for kind, source_id in held["ids"]}
        found.append(
            Subject(product, tenant, kind, held["source_id"], ids, set(held["uuids"]), request_id)
        )
    return found


def note_found(conn: psycopg.Connection[Any], request_id: UUID | None, found: Mapping[str, int],
               files: Iterable[str], models: Iterable[str]) -> None:  # fmt: skip
    """Write down what was found before anything went; a repetition after an interruption adds to it."""
    conn.execute(
        "update ops.erasure_requests set found = coalesce(found, %s), landed_files = coalesce(landed_files, %s),"
        " models_to_retrain = coalesce(models_to_retrain, %s) where request_id = %s",
        (Jsonb(dict(found)), Jsonb(sorted(files)), Jsonb(sorted(models)), request_id),
    )


def note_removed(
    conn: psycopg.Connection[Any], request_ids: Sequence[UUID | None], removed: Mapping[str, int]
) -> None:
    """Write down what left the raw tables in the transaction in which it does, for all people of this erasure."""
    conn.execute(
        "update ops.erasure_requests set removed = %s, raw_erased_at = now()"
        " where request_id = any(%s) and removed is null",
        (Jsonb(dict(removed)), list(request_ids)),
    )


def certify(
    conn: psycopg.Connection[Any],
    subjects: Sequence[Subject],
    *,
    relations: int,
    rows: int,
    files: int,
) -> None:
    """Give each request its certificate and forget the ids that were kept to go on."""
    with conn.transaction():
        for subject in subjects:
            conn.execute(
                "insert into ops.erasure_certificates (certificate_id, request_id, found, removed, landed_files,"
                " models_to_retrain, searched_relations, searched_rows, searched_lake_files, ids_searched, left_over)"
                " select %s, request_id, coalesce(found, '{}'), coalesce(removed, '{}'), coalesce(landed_files, '[]'),"
                " coalesce(models_to_retrain, '[]'), %s, %s, %s, %s, 0"
                " from ops.erasure_requests where request_id = %s and certified_at is null",
                (
                    uuid4(),
                    relations,
                    rows,
                    files,
                    len(subject.ids) + len(subject.uuids),
                    subject.request_id,
                ),
            )
            conn.execute(
                "update ops.erasure_requests set certified_at = now(), sealed_ids = null, found = null,"
                " removed = null, landed_files = null, models_to_retrain = null where request_id = %s",
                (subject.request_id,),
            )


def withheld(
    conn: psycopg.Connection[Any], load_id: int, kind: str, name: str, counts: Mapping[str, int]
) -> None:
    """Count records of a load that were not stored, by reason."""
    conn.cursor().executemany(
        "insert into ops.withheld_records (load_id, source_kind, source_name, reason_code, record_count)"
        " values (%s, %s, %s, %s, %s)",
        [(load_id, kind, name, reason, count) for reason, count in counts.items() if count],
    )
