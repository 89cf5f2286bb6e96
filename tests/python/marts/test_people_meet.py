"""Who is named by an e-mail address or a telephone number is one person in events and change data, and nobody's name.

Rules 41, 45 and 74. Belongs here: ids of users from loader to `core.dim_user`. Does not belong here: which texts are a
person's (`ingestion.privacy`), ids that name nobody (`models.test_registers`).
"""

from collections.abc import Callable

import pytest

from tests.hand_made import CORE
from tests.python.marts.house import House
from tests.python.marts.rentguy_lines import Line, row

pytestmark = pytest.mark.slow

NORTH, SOUTH = "c1000000-0000-4000-8000-000000000001", "c1000000-0000-4000-8000-000000000002"
# one person each, as the database and as the application writes the id
PEOPLE = (
    ("ann@secret.example", "Ann@Secret.example"),
    ("+27 82 555 0001", "+27825550001"),
    ("0825550002", "082 555 0002"),
    ("auth0|bob@secret.example", "auth0|bob@secret.example"),
    ("whatsapp:+27825550003", "whatsapp:+27825550003"),
    ("8001015009087", "8001015009087"),
    ("17", "17"),
)
GONE = "eve@secret.example"
TRACES = "secret[.]example|555 ?000|8001015009087"


def user(tenant: str, login: str, op: str = "c") -> Line:
    columns = {"email": None, "full_name": None, "role": "planner", "is_consented": True}
    committed = f"2026-03-0{1 + (op == 'd')} 08:00"
    line = row(tenant, "users", op, 0, committed, created_at="2026-03-01 08:00", **columns)
    line["key"] = {"id": login}
    if op == "d":
        line["value"]["before"] = line["key"]
    else:
        line["value"]["after"] |= {"id": login}
    return line


def event(number: int, tenant: str, login: str) -> Line:
    context = {"module": "planning", "tenantId": tenant, "userId": login}
    return {"event": "rentguy.planning.opened", "eventId": f"e{number}", "timestamp": "2026-03-02T10:00:00Z",
            "receivedAt": "2026-03-02T10:00:01Z", "context": context, "properties": {}}  # fmt: skip


def test_a_person_is_one_in_events_and_change_data(new_house: Callable[[str], House]) -> None:
    house = new_house("people_meet")
    tenants = NORTH, SOUTH
    # a user's key is the login alone: in the south live others
    own = {NORTH: PEOPLE[::2], SOUTH: PEOPLE[1::2]}
    users = [user(tenant, login) for tenant in tenants for login, _ in own[tenant]]
    users += [user(NORTH, GONE), user(NORTH, GONE, op="d")]
    house.put("cdc/rentguy/users.jsonl", users)
    seen = [(tenant, login) for tenant in tenants for _, login in (*own[tenant], ("", GONE))]
    house.put("events/rentguy/app.jsonl", [event(n, *who) for n, who in enumerate(seen)])
    house.load()
    with house.warehouse.connect() as connection:  # of another domain, which core reads
        connection.execute("create schema if not exists intermediate")
        connection.execute(
            "create table intermediate.int_revenue__tenants "
            "(product text, tenant_id uuid, first_seen_at timestamptz)"
        )
    house.build(CORE[1:], as_of="2026-03-03T00:00:00Z")
    rows = house.query(
        "select cast(tenant_id as text), registered_at is not null, first_event_at is not null, is_erased"
        " from (select tenant_id, signup_at as registered_at, user_id, is_erased from core.dim_user) as u"
        " left join (select user_id, tenant_id, min(occurred_at) as first_event_at from core.fact_events group by 1, 2)"
        " as e using (tenant_id, user_id) order by 1, 4"
    )
    assert rows == [
        *[(NORTH, True, True, False)] * 4,
        (NORTH, True, True, True),
        *[(SOUTH, True, True, False)] * 4,
    ]
    roles = house.query("select count(*) from core.dim_user where role = 'planner'")
    assert roles == [(7,)]
    ids = house.query("select count(*), count(distinct user_id) from core.dim_user")
    assert ids == [(9, 9)]  # the same address in two tenants is two
    for table in (
        "raw_cdc.changes",
        "raw_cdc.rentguy__users",
        "raw_events.events",
        "core.dim_user",
    ):
        assert house.query(f"select 1 from {table} as t where cast(t as text) ~* '{TRACES}'") == []
