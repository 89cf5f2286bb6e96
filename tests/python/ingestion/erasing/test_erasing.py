"""People who are erased are gone from what was loaded, stay out when they are sent again, and money stays as it was.

Rules 45 and 75. Belongs here: raw tables and lake. Does not belong here: models (`end_to_end.test_erasure`).
"""

import bz2
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import erasing
from app.erasing import Asked
from governance import standing
from ingestion.erasing import search
from ingestion.load import reload, rotate_key
from ingestion.quality import reconcile
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tests.python.marts.house import House
from tests.python.marts.rentguy_lines import row as rented
from tests.python.marts.upcoach_lines import change, event, owned, uid

pytestmark = pytest.mark.slow
NORTH, SOUTH = "north", "south"  # tenants of UpCoach
EAST, WEST = (
    "c1000000-0000-4000-8000-000000000001",
    "c1000000-0000-4000-8000-000000000002",
)  # of RentGuy
RAW = (
    "raw_events.events", "raw_stripe.events", "raw_revenuecat.events", "raw_cdc.changes", "raw_cdc.upcoach__users",
    "raw_cdc.upcoach__goals_history", "raw_cdc.upcoach__chat_sessions", "raw_cdc.rentguy__customers",
    "raw_cdc.rentguy__invoices", "raw_cdc.rentguy__payments", "raw_cdc.rentguy__invoices_history",
)  # fmt: skip
STRIPE_TIME = 1_772_359_200
ASKED = [Asked(uid("ann"), "upcoach", uid(NORTH)), Asked("5", "rentguy", EAST)]


def user(tenant: str, name: str, op: str = "c", **columns: Any) -> dict[str, Any]:
    row = {"organization_id": uid(tenant), "email": f"{name}@{tenant}.example", "full_name": name, "coach_id": None,
           "is_consented": True, "signup_at": "2026-03-01T08:00:00Z"}  # fmt: skip
    return change("users", op, "2026-03-01 08:00", {**row, **columns}, {"id": uid(name)})


def paid(number: int, tenant: str, name: str) -> dict[str, Any]:
    metadata = {"tenant_id": uid(tenant), "user_id": uid(name)}
    held = {"id": f"in_{number}", "object": "invoice", "customer": f"cus_{tenant}{name}", "amount_paid": 1234,
            "currency": "usd", "metadata": metadata, "customer_email": f"{name}@{tenant}.example"}  # fmt: skip
    return {"id": f"evt_{number}", "object": "event", "type": "invoice.paid", "created": STRIPE_TIME, "livemode": True,
            "data": {"object": held}}  # fmt: skip


def bought(number: int, name: str) -> dict[str, Any]:
    ids = [f"$RCAnonymousID:{uid(name + ' phone').replace('-', '')}", uid(name)]
    held = {"id": f"rc-{number}", "type": "RENEWAL", "app_user_id": uid(name), "original_app_user_id": ids[0],
            "aliases": ids, "event_timestamp_ms": STRIPE_TIME * 1000, "price": 9.99, "currency": "USD",
            "store": "APP_STORE", "environment": "PRODUCTION"}  # fmt: skip
    return {"api_version": "1.0", "event": held}


def bill(tenant: str, number: int, customer: int) -> list[dict[str, Any]]:
    money = {"net_amount": "100.00", "tax_amount": "21.00", "currency": "eur", "status": "paid"}
    return [
        rented(tenant, "customers", "c", customer, "2026-03-01 08:00", name="somebody", email="a@b.example"),
        rented(tenant, "invoices", "c", number, "2026-03-02 08:00", customer_id=customer, **money),
        rented(tenant, "payments", "c", number, "2026-03-03 08:00", customer_id=customer, invoice_id=number,
               amount="121.00", currency="eur", status="succeeded"),
        rented(tenant, "tickets", "c", number, "2026-03-03 08:00", customer_id=customer, status="open"),
    ]  # fmt: skip


@pytest.fixture
def house(fresh_database: Callable[..., Any]) -> House:
    """Ann is a user of two tenants and coached by Cara; each rental company has a customer 5."""
    house = House(fresh_database("erasing", prepared=True))
    both = [(tenant, name) for tenant in (NORTH, SOUTH) for name in ("ann", "ben")]
    house.put("events/upcoach/a.jsonl", [
        *(event(f"{t}{n}{i}", t, n, f"2026-03-0{i} 10:00", session=f"s-{n}") for t, n in both for i in (1, 2)),
        event("device", NORTH, None, "2026-02-27 10:00", anonymous="phone-of-ann"),
        event("identified", NORTH, "ann", "2026-02-28 10:00", anonymous="phone-of-ann"),
        event("about", NORTH, "ben", "2026-03-02 11:00", friend_id=uid("ann")),
    ])  # fmt: skip
    house.put("cdc/upcoach/a.jsonl", [
        user(NORTH, "ann"), user(NORTH, "ben", coach_id=uid("ann")), user(SOUTH, "eve"),
        owned("goals", "c", "2026-03-02 10:00", 1, NORTH, "ann", status="open"),
        owned("goals", "u", "2026-03-03 10:00", 1, NORTH, "ann", status="done"),
        owned("goals", "c", "2026-03-02 10:00", 2, NORTH, "ben", status="open"),
        owned("chat_sessions", "c", "2026-03-02 10:00", 1, NORTH, "ben", coach_id=uid("ann"), rating=5),
    ])  # fmt: skip
    house.put(
        "stripe/acct_upcoach/a.jsonl",
        [paid(1, NORTH, "ann"), paid(2, NORTH, "ben"), paid(3, SOUTH, "ann")],
    )
    house.put("revenuecat/upcoach/a.jsonl", [bought(1, "ann"), bought(2, "ben")])
    house.put("cdc/rentguy/a.jsonl", [*bill(EAST, 1, 5), *bill(EAST, 2, 6), *bill(WEST, 1, 5)])
    house.load()
    return house


def held(house: House) -> dict[str, Any]:
    """Everything that is loaded, but for which load brought it."""
    return {
        table: sorted(
            str(row) for (row,) in house.query(
                f"select to_jsonb(t) - 'load_id' - '_load_id' - 'content_hash' from {table} as t"
            )
        )
        for table in RAW
    }  # fmt: skip


def take_out(house: House, asked: list[Asked]) -> tuple[Any, search.Wanted]:
    return erasing.take_out(house.warehouse.settings, house.warehouse, Reporter(), asked)


def raw_places(house: House, wanted: search.Wanted) -> dict[str, int]:
    with house.warehouse.connect() as conn:
        found = search.warehouse(conn, wanted)
    search.lake(erasing.open_storage(house.warehouse.settings.lake), wanted, found)
    assert found.lake_files
    return {
        place: count for (place, _), count in found.rows.items() if not place.startswith("ops.")
    }


def money(house: House) -> list[Any]:
    return house.query(
        "select (select sum(net_amount + tax_amount) from raw_cdc.rentguy__invoices),"
        " (select sum(amount) from raw_cdc.rentguy__payments),"
        " (select count(*) from raw_cdc.rentguy__invoices_history),"
        " (select sum(cast(payload #>> '{data,object,amount_paid}' as numeric)) from raw_stripe.events),"
        " (select sum(cast(payload #>> '{event,price}' as numeric)) from raw_revenuecat.events)"
    )


def test_rule_75_gone_from_everything_that_was_loaded_with_money_unchanged(house: House) -> None:
    before, others = (
        money(house),
        [row for row in held(house)["raw_events.events"] if uid(SOUTH) in row],
    )
    subjects, wanted = take_out(house, ASKED)
    assert sorted((s.product, s.kind) for s in subjects) == [
        ("rentguy", "customer"),
        ("upcoach", "user"),
    ]
    assert raw_places(house, wanted) == {}
    assert money(house) == before
    # the same id of another tenant is another person's
    assert [row for row in held(house)["raw_events.events"] if uid(SOUTH) in row] == others
    assert house.query("select count(*) from raw_cdc.rentguy__customers where id = 5") == [(1,)]
    assert house.query(
        "select count(*) from raw_cdc.rentguy__tickets where organization_id = '" + EAST + "'"
    ) == [(1,)]
    # who is left is left: a coach has a client less, a client a coach who is nobody
    assert house.query("select count(*), count(coach_id) from raw_cdc.upcoach__chat_sessions") == [
        (1, 1)
    ]
    assert house.query("select count(*) from raw_cdc.upcoach__goals_history") == [(1,)]
    assert reconcile(house.warehouse.connect, everything=True).differences == ()


def test_rule_45_sent_again_and_read_again_nobody_comes_back(house: House) -> None:
    _, wanted = take_out(house, ASKED)
    after = held(house)
    house.put("events/upcoach/b.jsonl", [
        event("new", NORTH, "ann", "2026-03-05 10:00"),
        event("newer", NORTH, None, "2026-03-05 11:00", anonymous="phone-of-ann"),
    ])  # fmt: skip
    house.put(
        "cdc/upcoach/b.jsonl",
        [user(NORTH, "ann", "u"), owned("goals", "c", "2026-03-05 10:00", 9, NORTH, "ann")],
    )
    house.put("cdc/rentguy/b.jsonl", bill(EAST, 1, 5)[:1])
    house.load()
    assert held(house) == after
    counted = "select source_kind, sum(record_count) from ops.withheld_records where reason_code = 'erased' group by 1"
    assert dict(house.query(counted)) == {"events": 2, "cdc": 3}
    reload(
        house.warehouse.connect,
        house.warehouse.settings,
        ["events", "cdc", "stripe", "revenuecat"],
        processes=1,
    )
    again = held(house)
    assert {table: len(rows) for table, rows in again.items()} == {
        table: len(rows) for table, rows in after.items()
    }
    assert again == after
    assert raw_places(house, wanted) == {}
    assert reconcile(house.warehouse.connect, everything=True).differences == ()


def test_rule_75_interrupted_between_any_two_steps_the_next_one_completes_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("_note_found", "_erase_raw", "mirror"):
        with monkeypatch.context() as broken:
            broken.setattr(erasing, step, _stop)
            with pytest.raises(KeyboardInterrupt):
                take_out(house, ASKED if step == "_note_found" else [])
        assert house.query("select count(*), count(certified_at) from ops.erasure_requests") == [
            (2, 0)
        ]
    subjects, wanted = take_out(house, [])
    assert len(subjects) == 2
    assert raw_places(house, wanted) == {}
    result = erasing.prove(house.warehouse.settings, house.warehouse, subjects, wanted)
    assert result.people == 2
    assert [name.split("/")[0] for name in result.landed_files] == [
        "cdc",
        "events",
        "revenuecat",
        "stripe",
    ]
    assert house.query(
        "select count(*) from ops.erasure_requests where sealed_ids is not null"
    ) == [(0,)]
    assert take_out(house, [])[0] == []


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain.jsonl": lambda text: text,
    "named.jsonl.gz": gzip.compress,
    "other.jsonl.bz2": bz2.compress,
    "wide.jsonl": lambda text: text.decode().encode("utf-16"),
    "list.json": lambda text: b"[" + b",".join(text.splitlines()) + b"]",
    "broken.jsonl.gz": lambda text: gzip.compress(text + bytes(range(256)) * 999)[:-20],
}


def test_rule_75_landed_files_are_named_however_they_are_packed(house: House) -> None:
    folder = Path(house.warehouse.settings.landing) / "events/upcoach"
    told = [
        event("p1", NORTH, "ann", "2026-03-01 10:00"),
        event("p2", NORTH, "bob", "2026-03-01 10:00"),
    ]
    text = b"".join(json.dumps(line).encode() + b"\n" for line in told)
    for name, pack in PACKED.items():
        (folder / name).write_bytes(pack(text))
    (folder / "bobs.jsonl.bz2").write_bytes(bz2.compress(text.splitlines(keepends=True)[1]))
    subjects, wanted = take_out(house, ASKED)
    result = erasing.prove(house.warehouse.settings, house.warehouse, subjects, wanted)
    named = {name.removeprefix("events/upcoach/") for name in result.landed_files}
    assert named >= PACKED.keys()
    assert "bobs.jsonl.bz2" not in named


def test_rule_75_what_is_still_found_is_not_certified(house: House) -> None:
    subjects, wanted = take_out(house, ASKED)
    with house.warehouse.connect() as conn:
        conn.execute("create schema left_over")
        conn.execute("create table left_over.export as select %s as told", [f"{uid('ann')},1"])
    with pytest.raises(erasing.NotGone, match=r"left_over\.export \(1 rows\)"):
        erasing.prove(house.warehouse.settings, house.warehouse, subjects, wanted)
    assert house.query("select count(*) from ops.erasure_certificates") == [(0,)]


def test_rule_75_a_login_of_the_persons_own_goes_too(house: House) -> None:
    login = f"own_{house.warehouse.parameters['dbname']}"
    with house.warehouse.connect() as conn:
        conn.execute(f"create role {login} login".encode())
        conn.execute(
            "insert into governance.reader_logins (login_name, tenant_id, reader_id) values (%s, %s, %s)",
            [login, uid(NORTH), uid("ann")],
        )
    standing.note(house.warehouse)
    subjects, wanted = take_out(house, ASKED)
    erasing.prove(house.warehouse.settings, house.warehouse, subjects, wanted)
    assert house.query("select count(*) from governance.reader_logins") == [(0,)]
    standing.note(house.warehouse)
    told = house.query(
        f"select action from governance.analytics_audit_log where resource like 'login {login} sees %'"
        " order by entry_number"
    )
    assert told == [("grant",), ("revoke",)]
    with house.warehouse.connect() as conn:
        conn.execute(f"drop role {login}".encode())


def test_the_ledger_names_nobody(house: House) -> None:
    subjects, _ = take_out(house, ASKED)
    ledger = str(
        house.query("select * from ops.erasure_requests")
        + house.query("select * from ops.erased_ids")
    )
    names = {name for subject in subjects for _, name in subject.ids if len(name) > 5}
    assert names
    assert not [name for name in names if name in ledger]


def test_rule_45_a_new_key_would_know_nobody(house: House) -> None:
    take_out(house, ASKED)
    with pytest.raises(TallyhouseError, match="forget-erased"):
        rotate_key(house.warehouse.connect, house.warehouse.settings, processes=1)


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt
