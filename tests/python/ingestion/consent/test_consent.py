"""Events of people who refused are counted and not stored, in whichever order answers and events come.

Belongs here: raw tables, the ledger and the lake. Does not belong here: the table of answers (`governance.consents`).
"""

import itertools
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from app import erasing
from app.erasing import Asked
from ingestion.cdc.contract import Table, cdc_contracts
from ingestion.consent.answers import consent_targets
from ingestion.consent.refusals import BEGINNING, END, Refusal, Refusals
from ingestion.contracts.model import load_contracts
from ingestion.events.columns import SCHEMA, EventRows
from ingestion.lake.files import from_parquet
from ingestion.load import load_all, reload
from ingestion.quality import reconcile
from tallyhouse.progress import Reporter
from tallyhouse.settings import PROJECT_ROOT
from tests.python.marts.house import House
from tests.python.marts.upcoach_lines import change, event, uid

NORTH, SOUTH = "north", "south"
NOON = "2026-03-05 12:00"
Line = dict[str, Any]
slow = pytest.mark.slow


# --- the rule, in memory ---------------------------------------------------------------------------
def events_at(*whose: tuple[str, str, str | None, int]) -> EventRows:
    """Rows of (product, tenant, user, microseconds)."""
    columns: dict[str, list[Any]] = {
        "product": [row[0] for row in whose], "tenant_id": [row[1].encode() for row in whose],
        "user_id": [row[2] and row[2].encode() for row in whose], "occurred_at": [row[3] for row in whose],
    }  # fmt: skip
    return EventRows(pa.table([
        pa.array(columns[field.name], pa.int64() if field.name == "occurred_at" else field.type).cast(field.type)
        if field.name in columns else pa.nulls(len(whose), field.type)
        for field in SCHEMA
    ], schema=SCHEMA))  # fmt: skip


def id_of(letter: str) -> str:
    return letter * 16


def test_a_refusal_begins_with_its_instant_and_ends_before_the_next_answer() -> None:
    a, b, t = id_of("a"), id_of("b"), id_of("t")
    refusals = Refusals([
        Refusal("upcoach", t.encode(), a.encode(), BEGINNING, 100),
        Refusal("upcoach", t.encode(), a.encode(), 200, END),
        Refusal("upcoach", t.encode(), b.encode(), 150, 160),
    ])  # fmt: skip
    told = [
        (("upcoach", t, a, -5), True), (("upcoach", t, a, 99), True), (("upcoach", t, a, 100), False),
        (("upcoach", t, a, 199), False), (("upcoach", t, a, 200), True), (("upcoach", t, a, 2**50), True),
        (("upcoach", t, b, 149), False), (("upcoach", t, b, 150), True), (("upcoach", t, b, 160), False),
        (("upcoach", t, None, 99), False),  # who is not known refused nothing
        (("upcoach", id_of("u"), a, 99), False),  # the same id in another tenant is another person
        (("rentguy", t, a, 99), False),
    ]  # fmt: skip
    found = refusals.mask(events_at(*(row for row, _ in told)))
    assert found is not None
    assert found.tolist() == [refused for _, refused in told]
    assert refusals.mask(events_at(("upcoach", t, a, 100))) is None
    assert Refusals().mask(events_at(("upcoach", t, a, 99))) is None


def test_the_contracts_name_every_answer_that_the_table_of_consents_is_made_of() -> None:
    contracts = cdc_contracts(load_contracts([PROJECT_ROOT / "contracts"])).values()
    with_answers = {
        (contract.product, name)
        for contract in contracts
        for name, table in contract.tables.items()
        if table.consent is not None
    }
    variables = (PROJECT_ROOT / "dbt_project.yml").read_text("utf-8")
    histories = variables.split("user_histories: [")[1].split("]")[0].split(", ")
    users = {
        name.removeprefix("stg_").removesuffix("_user_versions").strip("_") for name in histories
    }
    assert with_answers == {(product, "users") for product in users} | {("projectflo", "clients")}
    flags = {
        (p.product, n)
        for p in contracts
        for n, t in p.tables.items()
        if "is_consented" in t.columns
    }
    assert with_answers == flags
    assert {target.product for target in consent_targets(contracts)} == users


@pytest.mark.parametrize(
    ("consent", "fault"), [("agreed", "not among the columns"), ("role", "no answer of yes or no")]
)
def test_a_contract_names_a_flag_or_is_at_fault(consent: str, fault: str) -> None:
    columns = {"columns": {"id": "uuid", "role": "text", "is_consented": "boolean"}}
    with pytest.raises(ValueError, match=fault):
        Table.model_validate({**columns, "consent": consent})
    told = Table.model_validate({**columns, "consent": "is_consented"})
    # nothing is folded anew
    assert told.fingerprint() == Table.model_validate(columns).fingerprint()


# --- what is stored ---------------------------------------------------------------------------------
def user(tenant: str, name: str, committed: str, consented: bool | None, op: str = "u") -> Line:
    row = {"organization_id": uid(tenant), "email": f"{name}@example.org", "full_name": name,
           "is_consented": consented, "signup_at": "2026-03-01T08:00:00Z"}  # fmt: skip
    return change("users", op, committed, row, {"id": uid(name)})


def answers() -> list[Line]:
    """Ann refused from the first; Ben withdrew at noon; Cleo agreed at noon; Dan's row says nothing; Eve agreed, and
    her row was deleted; Finn refused, then his row said nothing, then it was deleted; Ann of the south agreed."""
    return [
        user(NORTH, "ann", "2026-03-03 08:00", False, "c"),
        user(NORTH, "ben", "2026-03-01 08:00", True, "c"), user(NORTH, "ben", NOON, False),
        user(NORTH, "cleo", "2026-03-01 08:00", False, "c"), user(NORTH, "cleo", NOON, True),
        user(NORTH, "dan", "2026-03-01 08:00", None, "c"),
        user(NORTH, "eve", "2026-03-01 08:00", True, "c"), user(NORTH, "eve", NOON, True, "d"),
        user(NORTH, "finn", "2026-03-01 08:00", False, "c"), user(NORTH, "finn", "2026-03-02 08:00", None),
        user(NORTH, "finn", NOON, None, "d"),
        user(SOUTH, "gus", "2026-03-01 08:00", False, "c"),
    ]  # fmt: skip


PEOPLE = ("ann", "ben", "cleo", "dan", "eve", "finn", "nobody")
TIMES = ("2026-03-01 07:00", "2026-03-05 11:59:59.999999", NOON, "2026-03-06 09:00")
# whose event of which time is only counted, by the rule: refused at that very instant
REFUSED = (
    {("ann", time) for time in TIMES} | {("finn", time) for time in TIMES}
    | {("ben", time) for time in TIMES[2:]} | {("cleo", time) for time in TIMES[:2]}
)  # fmt: skip


def events() -> list[Line]:
    return [
        event(f"{tenant}{name}{time}", tenant, name, time)
        for tenant in (NORTH, SOUTH)
        for name in PEOPLE
        for time in TIMES
    ] + [event("device", NORTH, None, NOON, anonymous="phone-of-ann")]


EXPECTED = {uid("device")} | {
    uid(f"{tenant}{name}{time}")
    for tenant in (NORTH, SOUTH)
    for name in PEOPLE
    for time in TIMES
    if tenant == SOUTH or (name, time) not in REFUSED
}


@pytest.fixture
def house(fresh_database: Callable[..., Any]) -> House:
    return House(fresh_database("consent", prepared=True))


def stored(house: House) -> list[str]:
    return sorted(row for (row,) in house.query("select source_event_id from raw_events.events"))


def in_lake(house: House) -> list[str]:
    files = Path(house.warehouse.settings.lake).rglob("*.parquet")
    return sorted(
        row
        for file in files
        for row in from_parquet(file.read_bytes())["source_event_id"].to_pylist()
    )


def withheld(house: House) -> int:
    """What the ledger counts of the files as they were read last."""
    ((count,),) = house.query(
        "select coalesce(sum(withheld.record_count), 0) from ops.withheld_records as withheld"
        " inner join ops.load_manifest using (load_id)"
        " where reason_code = 'no_consent' and superseded_by is null"
    )
    return int(count)


def assert_kept(house: House, expected: Iterable[str]) -> None:
    """Table, keys, lake and ledger say the same."""
    assert stored(house) == in_lake(house) == sorted(expected)
    assert reconcile(house.warehouse.connect, everything=True).differences == ()
    assert house.query(
        "select sum(record_count - stored_count - duplicate_count - rejected_count - ignored_count)"
        " from ops.load_manifest"
    ) == [(0,)]
    rows, keys, kept = house.query(
        "select (select count(*) from raw_events.events), (select count(*) from raw_events.event_keys),"
        " (select count(*) from raw_events.withheld_keys)"
    )[0]
    assert keys == rows + kept


Loads = list[dict[str, list[Line]]]
ORDERS: dict[str, Callable[[list[Line], list[Line]], Loads]] = {
    "answers, then events": lambda said, did: [{"cdc/upcoach/a": said}, {"events/upcoach/a": did}],
    "events, then answers": lambda said, did: [{"events/upcoach/a": did}, {"cdc/upcoach/a": said}],
    "at once": lambda said, did: [{"cdc/upcoach/a": said, "events/upcoach/a": did}],
    "twice": lambda said, did: [
        {"events/upcoach/a": did}, {"cdc/upcoach/a": said, "events/upcoach/b": did[::-1]},
        {"cdc/upcoach/b": said[::-1], "events/upcoach/c": did + did[:5]},
    ],
    "a file each, the last answer first": lambda said, did: [
        {"events/upcoach/a": did[::2]},
        *({f"cdc/upcoach/{10 + n}": [line]} for n, line in reversed(list(enumerate(said)))),
        {"events/upcoach/b": did[1::2]},
    ],
}  # fmt: skip


@slow
@pytest.mark.parametrize("order", ORDERS)
def test_in_any_order_the_same_events_are_stored(house: House, order: str) -> None:
    for load in ORDERS[order](answers(), events()):
        for path, lines in load.items():
            house.put(f"{path}.jsonl", lines)
        house.load()
    assert_kept(house, EXPECTED)
    assert withheld(house) == len(REFUSED)


@slow
def test_the_days_that_events_left_are_named_once_and_nothing_else_is(house: House) -> None:
    house.put("events/upcoach/a.jsonl", events())
    house.load()
    ((before,),) = house.query("select max(load_id) from ops.load_touched")
    house.put("cdc/upcoach/a.jsonl", answers())
    report = load_all(house.warehouse.connect, house.warehouse.settings, processes=1)
    assert any(f"{len(REFUSED)} stored events were taken out" in note for note in report.notes)
    touched = "select touched_on::text, tenant_id::text from ops.load_touched where entity_type = 'tenant_day'"
    assert set(house.query(f"{touched} and load_id > {before}")) == {
        (time[:10], uid(NORTH)) for _, time in REFUSED
    }
    ((newest,),) = house.query("select max(load_id) from ops.load_touched")
    house.load()  # nobody says anything new
    assert house.query("select max(load_id) from ops.load_touched") == [(newest,)]


@slow
def test_an_answer_that_turns_out_to_have_been_given_brings_events_back(house: House) -> None:
    """Ann's first answer was yes, and that she withdrew it on the 3rd is all that was known at first."""
    early = user(NORTH, "ann", "2026-03-01 06:00", True, "c")
    house.put("events/upcoach/a.jsonl", events()[: len(events()) // 2])
    house.put("events/upcoach/b.jsonl", events()[len(events()) // 2 :])
    house.put("cdc/upcoach/b.jsonl", answers())
    house.load()
    assert_kept(house, EXPECTED)
    house.put("cdc/upcoach/a.jsonl", [early])
    house.load()
    assert_kept(house, EXPECTED | {uid(f"{NORTH}ann{TIMES[0]}")})
    assert withheld(house) == len(REFUSED) - 1
    assert house.query("select count(*) from ops.consent_rereads") == [(0,)]
    reload(house.warehouse.connect, house.warehouse.settings, ["upcoach"], processes=1)
    assert_kept(house, EXPECTED | {uid(f"{NORTH}ann{TIMES[0]}")})
    assert withheld(house) == len(REFUSED) - 1


@slow
def test_what_is_gone_from_the_landing_folder_is_said_and_stays_counted(house: House) -> None:
    house.put("events/upcoach/a.jsonl", events())
    house.put("cdc/upcoach/b.jsonl", answers())
    house.load()
    (house.landing / "events/upcoach/a.jsonl").unlink()
    house.put("cdc/upcoach/a.jsonl", [user(NORTH, "ann", "2026-03-01 06:00", True, "c")])
    report = load_all(house.warehouse.connect, house.warehouse.settings, processes=1)
    assert any(
        "events/upcoach/a.jsonl is gone from the landing folder" in note for note in report.notes
    )
    assert_kept(house, EXPECTED)


@slow
@pytest.mark.parametrize("refused_first", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("answers_first", [True, False])
def test_rule_40_decides_which_body_stays_and_consent_whether_it_is_stored(
    house: House, refused_first: bool, at_once: bool, answers_first: bool
) -> None:
    """One event with two bodies, of times with and without consent: the earliest received is judged."""
    bodies = {
        True: event("same", NORTH, "ben", "2026-03-06 10:00", received="2026-03-06 10:00:01"),
        False: event("same", NORTH, "ben", "2026-03-05 10:00", received="2026-03-06 10:00:02"),
    }
    other = {
        True: event("other", NORTH, "ben", "2026-03-06 10:00", received="2026-03-06 10:00:02"),
        False: event("other", NORTH, "ben", "2026-03-05 10:00", received="2026-03-06 10:00:01"),
    }
    if answers_first:
        house.put("cdc/upcoach/a.jsonl", answers())
    for number, refused in enumerate([refused_first, not refused_first]):
        lines = [bodies[refused], other[refused]]
        if at_once:
            lines += [bodies[not refused], other[not refused]]
        house.put(f"events/upcoach/{number}.jsonl", lines)
        house.load()
        if at_once:
            break
    house.put("cdc/upcoach/a.jsonl", answers())
    house.load()
    assert_kept(house, [uid("other")])
    assert house.query("select occurred_at::date::text from raw_events.events") == [("2026-03-05",)]


@slow
def test_counted_events_come_back_from_no_erasure_and_erased_ones_from_no_answer(
    house: House,
) -> None:
    house.put("events/upcoach/a.jsonl", events())
    house.put("cdc/upcoach/b.jsonl", answers())
    house.load()
    settings = house.warehouse.settings
    erasing.take_out(
        settings, house.warehouse, Reporter(), [Asked(uid("cleo"), "upcoach", uid(NORTH))]
    )
    assert house.query(
        f"select count(*) from ops.consent_refusals where user_id = '{uid('cleo')}'"
    ) == [(0,)]
    house.load()
    reload(house.warehouse.connect, settings, ["upcoach"], processes=1)
    assert stored(house) == sorted(EXPECTED - {uid(f"{NORTH}cleo{time}") for time in TIMES})


@slow
def test_a_contract_that_cannot_be_used_opens_no_door(house: House, tmp_path: Path) -> None:
    house.put("cdc/upcoach/a.jsonl", answers())
    house.load()
    broken = tmp_path / "cdc/upcoach.yml"
    broken.parent.mkdir()
    broken.write_text(
        "kind: cdc\nproduct: upcoach\ntables: {users: {primary_key: [no], columns: {id: uuid}}}\n"
    )
    house.put("events/upcoach/a.jsonl", events())
    house.load([tmp_path])
    assert_kept(house, EXPECTED)
    house.load()
    assert_kept(house, EXPECTED)


@slow
def test_a_flag_that_is_declared_later_is_heeded_by_the_next_load(
    house: House, tmp_path: Path
) -> None:
    without = (PROJECT_ROOT / "contracts/cdc/upcoach.yml").read_text("utf-8")
    (tmp_path / "cdc").mkdir()
    (tmp_path / "cdc/upcoach.yml").write_text(without.replace("    consent: is_consented\n", ""))
    house.put("cdc/upcoach/a.jsonl", answers())
    house.put("events/upcoach/a.jsonl", events())
    house.load([tmp_path])
    assert len(stored(house)) == len(events())
    house.load()
    assert_kept(house, EXPECTED)
    house.load([tmp_path])  # whoever takes it back lets everybody in again
    assert len(stored(house)) == len(events())


@slow
def test_the_load_says_how_many_it_counted(house: House) -> None:
    house.put("cdc/upcoach/a.jsonl", answers())
    house.put("events/upcoach/a.jsonl", events())
    broken = {**event("broken", NORTH, "ann", NOON), "event_name": 42}
    house.put("events/upcoach/b.jsonl", [broken])
    report = load_all(house.warehouse.connect, house.warehouse.settings, processes=1)
    assert report.withheld == {"no_consent": len(REFUSED)}
    assert any(f"{len(REFUSED)} no_consent" in line for line in report.sentences())
    assert house.query(
        "select ignored_count, stored_count from ops.load_manifest where file_path like '%events%a.jsonl'"
    ) == [(len(REFUSED), len(EXPECTED))]
    # what is shown of a refused record names nobody
    ((shown,),) = house.query("select record from ops.rejected_records")
    assert uid("ann") not in shown and uid(NORTH) not in shown


@slow
@pytest.mark.parametrize("seed", range(4))
def test_any_split_of_answers_and_events_ends_alike(house: House, seed: int) -> None:
    """Rule 48: pieces of both in any order and number of loads, some of them twice."""
    chance = random.Random(seed)
    pieces: list[tuple[str, list[Line]]] = []
    for kind, lines in (("cdc", answers()), ("events", events())):
        cuts = sorted(chance.sample(range(1, len(lines)), 3))
        parts = [lines[a:b] for a, b in itertools.pairwise([0, *cuts, len(lines)])]
        pieces += [(f"{kind}/upcoach/{number}.jsonl", part) for number, part in enumerate(parts)]
    pieces += [
        (path.replace(".jsonl", "-again.jsonl"), part[::-1])
        for path, part in chance.sample(pieces, 2)
    ]
    chance.shuffle(pieces)
    for path, lines in pieces:
        house.put(path, lines)
        if chance.random() < 0.6:
            house.load()
    house.load()
    assert_kept(house, EXPECTED)
