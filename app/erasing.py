"""The order of an erasure: ledger, raw tables, lake, predictions, snapshots, models, logs, search, certificate.

Each step can be repeated, and the ledger says what is left: an erasure that was interrupted anywhere is completed
by the next one. No certificate is written before a search has found nothing. Belongs here: what runs in which
order. Does not belong here: what becomes of a record, the search (`ingestion.erasing`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from app import building, run_log
from ingestion.cdc.contract import cdc_contracts
from ingestion.contracts.model import load_contracts
from ingestion.erasing import kept, ledger, outside, search
from ingestion.erasing.ledger import Subject
from ingestion.erasing.stored import Erasing
from ingestion.erasing.subjects import Persons, unique
from ingestion.lake.mirror import mirror
from ingestion.lake.new_days import NewDays
from ingestion.landing.listing import list_files, open_landing
from ingestion.parsing.batches import SourceMaker
from ingestion.storing.ledger import LOADER_LOCK
from ingestion.storing.master_key import confirmed_key
from tallyhouse.database import Warehouse
from tallyhouse.database.standstill import take_lock
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings
from tallyhouse.storage import open_storage

# What is kept beside the models and is no source of theirs: rows that name the person go, bindings of logins too.
BESIDE = ("ml.predictions", "governance.reader_logins")
# Notes of what changed; models have taken them over once they are built.
NOTES = ("ops.load_touched", "ops.replaced_keys", "ops.record_conflicts")


class Asked(NamedTuple):
    """Whom somebody wants erased: an id or token, and where it needs that whose."""

    named: str
    product: str | None = None
    tenant_id: str | None = None


class NotGone(TallyhouseError):
    """A search still finds somebody, so that nothing is certified."""


@dataclass
class Erased:
    """What an erasure came to."""

    people: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    landed_files: list[str] = field(default_factory=list)
    models_to_retrain: list[str] = field(default_factory=list)
    searched: search.Found = field(default_factory=search.Found)

    def sentences(self) -> list[str]:
        """For the person who asked."""
        if not self.people:
            return ["No erasure is unfinished."]
        looked = self.searched
        return [
            f"{self.people} people are erased and certified (governance.erasure_certificates); a search of"
            f" {looked.rows_read:,} rows in {looked.relations} relations and of {looked.lake_files} files of the lake"
            " finds none of their ids.",
            *(f"  {relation}: {count:,}" for relation, count in sorted(self.removed.items())),
            *(
                ["These landed files hold them; whoever owns the files must delete them. What is loaded from"
                 " them again stays out all the same:"]
                if self.landed_files
                else []
            ),
            *(f"  {name}" for name in self.landed_files),
            *(
                f"The model {name} learned from them: train it again with `tallyhouse train`."
                for name in self.models_to_retrain
            ),
        ]  # fmt: skip


def erase(
    settings: Settings, warehouse: Warehouse, reporter: Reporter, asked: Sequence[Asked] = ()
) -> Erased:
    """Erase people from everything, and complete whatever was interrupted."""
    with run_log.logged(warehouse, "erase") as entry:
        subjects, wanted = take_out(settings, warehouse, reporter, asked)
        entry.details["people"] = len(subjects)
        if not subjects:
            return Erased()
        with reporter.step("Building and testing") as step:
            parsed = building.parse(settings, warehouse)
            for predictions in (False, True):
                building.build_due(
                    settings, warehouse, step, predictions=predictions, parsed=parsed
                )
        with reporter.step("Searching"):
            result = prove(settings, warehouse, subjects, wanted)
        with reporter.step("Publishing the certificates") as step:
            building.build(
                settings, warehouse, step, select="erasure_requests erasure_certificates"
            )
        entry.details["removed"] = result.removed
    return result


def take_out(
    settings: Settings, warehouse: Warehouse, reporter: Reporter, asked: Sequence[Asked] = ()
) -> tuple[list[Subject], search.Wanted]:
    """Enter people into the ledger and take them out of all that models are built from."""
    with _at_work(settings, warehouse, reporter) as (conn, key):
        subjects = ledger.unfinished(conn, key)
        if asked:
            with reporter.step("Finding who is meant"):
                meant = _find(conn, settings, asked)
            subjects += ledger.enter(conn, key, _not_among(meant, subjects))
        outside.keep(conn, settings.home)
        wanted = search.Wanted(subjects, search.tenants_of(conn))
        if not subjects:
            return subjects, wanted
        with reporter.step("Looking where they are"):
            _note_found(conn, settings, subjects, wanted)
        with reporter.step("Taking them out of what was loaded"):
            _erase_raw(conn, settings, key, subjects, wanted)
            with closing(NewDays(settings.lake)) as new_days:
                mirror(conn, settings.lake, lambda _: None, new_days)
            for relation in [*BESIDE, *_snapshots(conn)]:
                _delete_rows(conn, relation, wanted)
    return subjects, wanted


def prove(
    settings: Settings, warehouse: Warehouse, subjects: Sequence[Subject], wanted: search.Wanted
) -> Erased:
    """Once models are built: clear the notes of what changed, search everything, certify. Raises NotGone."""
    with warehouse.connect(autocommit=True) as conn:
        for relation in NOTES:
            _delete_rows(conn, relation, wanted)
        _clean_texts(conn, wanted)
        found = _search(conn, settings, wanted)
        _must_be_gone(found)
        result = _result(conn, subjects, found)
        ledger.certify(
            conn,
            subjects,
            relations=found.relations,
            rows=found.rows_read,
            files=found.lake_files,
        )
    return result


@contextmanager
def _at_work(
    settings: Settings, warehouse: Warehouse, reporter: Reporter
) -> Iterator[tuple[psycopg.Connection[Any], bytes]]:
    """A connection as the one loader at work: nothing is loaded past the ledger meanwhile."""
    with warehouse.connect(autocommit=True) as conn:
        conn.execute("set client_min_messages = warning")
        conn.execute("set timezone = 'UTC'")
        take_lock(conn, LOADER_LOCK, reporter.say, "waiting for a load to finish")
        yield conn, confirmed_key(conn, settings)


def _contracts(settings: Settings) -> Any:
    return load_contracts([settings.root / "contracts", *settings.contracts])


def _find(
    conn: psycopg.Connection[Any], settings: Settings, asked: Sequence[Asked]
) -> list[Subject]:
    products = {who.product for who in asked if who.product is not None}
    is_any = any(who.product is None for who in asked)
    persons = Persons(
        conn, cdc_contracts(_contracts(settings)), _products(conn) if is_any else sorted(products)
    )
    return unique(
        found for who in asked for found in persons.find(who.named, who.product, who.tenant_id)
    )


def _products(conn: psycopg.Connection[Any]) -> list[str]:
    found = conn.execute(
        "select distinct source_name from ops.load_manifest where source_kind in ('events', 'cdc')"
    )
    return [name for (name,) in found.fetchall()]


def _not_among(asked: Sequence[Subject], others: Sequence[Subject]) -> list[Subject]:
    known = {(s.product, s.tenant_id, s.kind, s.source_id) for s in others}
    return [s for s in asked if (s.product, s.tenant_id, s.kind, s.source_id) not in known]


def _note_found(
    conn: psycopg.Connection[Any],
    settings: Settings,
    subjects: Sequence[Subject],
    wanted: search.Wanted,
) -> None:
    """What there is of each of them, in which landed files, and which models learned from them."""
    ids = [subject.request_id for subject in subjects]
    unknown = conn.execute(
        "select count(*) from ops.erasure_requests where request_id = any(%s) and found is null",
        (ids,),
    ).fetchone()
    if unknown == (0,):
        return
    found = _search(conn, settings, wanted)
    files = _landed(settings, wanted)
    models = [
        name
        for (name,) in conn.execute(
            "select model_type from ml.predictive_models where is_active order by model_type"
        ).fetchall()
    ]
    for number, subject in enumerate(subjects):
        held = found.of(number)
        learned = [
            m for m in models if any(place.startswith(f"features.feat_{m}") for place in held)
        ]
        ledger.note_found(conn, subject.request_id, held, files.get(number, ()), learned)


def _landed(settings: Settings, wanted: search.Wanted) -> Mapping[int, set[str]]:
    """Landed files that hold somebody; none where the folder is gone, and what it held with it."""
    if "://" not in settings.landing and not Path(settings.landing).is_dir():
        return {}
    landing = open_landing(settings.landing, settings.landing_keys)
    names = [file.path for file in list_files(landing, settings.landing)]
    return search.landed(landing.storage, names, wanted)


def _search(
    conn: psycopg.Connection[Any], settings: Settings, wanted: search.Wanted
) -> search.Found:
    found = search.warehouse(conn, wanted)
    if "://" in settings.lake or Path(settings.lake).is_dir():  # else nothing was ever written
        search.lake(open_storage(settings.lake), wanted, found)
    return found


def _erase_raw(
    conn: psycopg.Connection[Any],
    settings: Settings,
    key: bytes,
    subjects: Sequence[Subject],
    wanted: search.Wanted,
) -> None:
    contracts = _contracts(settings)
    with conn.transaction():
        people = ledger.people(conn, key)
        erasing = Erasing(
            conn,
            people,
            subjects,
            SourceMaker(contracts, key),
            cdc_contracts(contracts),
        )
        load_id = erasing.run()
        counts = erasing.counts + kept.take_out(conn, people, subjects, wanted, load_id)
        ledger.note_removed(conn, [subject.request_id for subject in subjects], counts)


def _snapshots(conn: psycopg.Connection[Any]) -> list[str]:
    found = conn.execute(
        "select 'snapshots.' || tablename from pg_tables where schemaname = 'snapshots'"
    )
    return [name for (name,) in found.fetchall()]


def _delete_rows(conn: psycopg.Connection[Any], relation: str, wanted: search.Wanted) -> None:
    with conn.transaction():
        places = search.rows_of(conn, relation, wanted)
        conn.execute(
            sql.SQL("delete from {} where ctid = any(%s::tid[])").format(
                sql.Identifier(*relation.split(".", 1))
            ),
            (places,),
        )


def _clean_texts(conn: psycopg.Connection[Any], wanted: search.Wanted) -> None:
    """What programs wrote down of their runs keeps its rows: the ids in them give way."""
    columns = conn.execute(
        "select c.table_schema || '.' || c.table_name, array_agg(c.column_name::text)"
        " from information_schema.columns as c"
        " inner join pg_tables as t on t.schemaname = c.table_schema and t.tablename = c.table_name"
        " where (c.table_schema = 'dagster'"
        " or (c.table_schema = 'ops' and c.table_name in ('run_log', 'rejected_records')))"
        " and c.data_type in ('text', 'character varying', 'jsonb') group by 1"
    ).fetchall()
    for relation, names in columns:
        with conn.transaction():
            places = search.rows_of(conn, relation, wanted)
            for name in names if places else ():
                for word in (found.decode() for found in wanted.words):
                    conn.execute(
                        sql.SQL(
                            "update {table} set {name} = cast(replace(cast({name} as text), %s, 'erased') as {type})"
                            " where ctid = any(%s::tid[]) and strpos(cast({name} as text), %s) > 0"
                        ).format(
                            table=sql.Identifier(*relation.split(".", 1)), name=sql.Identifier(name),
                            type=sql.SQL("jsonb" if name == "details" else "text"),
                        ),
                        (word, places, word),
                    )  # fmt: skip


def _must_be_gone(found: search.Found) -> None:
    if found.rows:
        places: dict[str, int] = {}
        for (place, _), count in found.rows.items():
            places[place] = places.get(place, 0) + count
        told = ", ".join(f"{place} ({count:,} rows)" for place, count in sorted(places.items()))
        raise NotGone(
            f"People who are to be erased are still found: {told}. Nothing is certified. What was loaded is without"
            " them; `tallyhouse erase --resume` goes on once the cause is mended."
        )


def _result(
    conn: psycopg.Connection[Any], subjects: Sequence[Subject], found: search.Found
) -> Erased:
    ids = [subject.request_id for subject in subjects]
    result = Erased(len(subjects), searched=found)
    files: set[str] = set()
    models: set[str] = set()
    for removed, landed, learned in conn.execute(
        "select coalesce(removed, '{}'), coalesce(landed_files, '[]'), coalesce(models_to_retrain, '[]')"
        " from ops.erasure_requests where request_id = any(%s)",
        (ids,),
    ).fetchall():
        result.removed |= removed
        files.update(landed)
        models.update(learned)
    result.landed_files, result.models_to_retrain = sorted(files), sorted(models)
    return result
