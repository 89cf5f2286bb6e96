"""What a column is computed from, by hand-written queries.

Belongs here: following columns. Does not belong here: that builds report it (`test_told`).
"""

import pytest

from orchestration.column_lineage import Origin, origins

COLUMNS = {
    "core": {
        "users": {"tenant_id": "uuid", "user_id": "uuid", "plan": "text", "tags": "jsonb"},
        "events": {
            "tenant_id": "uuid",
            "user_id": "uuid",
            "amount": "numeric",
            "happened_at": "timestamptz",
        },
    }
}


def users(column: str) -> Origin:
    return Origin("core", "users", column)


def events(column: str) -> Origin:
    return Origin("core", "events", column)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            """with u as (select * from "house"."core"."users"), named as (select plan as label, user_id from u)
            select label, user_id as id, 1 as one from named""",
            {"label": {users("plan")}, "id": {users("user_id")}, "one": set()},
        ),
        (
            # what a row is joined, filtered or grouped by is no part of its value
            """select u.plan, sum(e.amount) as total from core.users as u
            join core.events as e on u.user_id = e.user_id where e.happened_at > now() group by u.plan""",
            {"plan": {users("plan")}, "total": {events("amount")}},
        ),
        (
            # by place, not by name
            """with both_kinds as (select user_id as who, amount as what from core.events
            union all select tenant_id, null from core.users union all select user_id, 1 from core.users)
            select who, what from both_kinds""",
            {
                "who": {events("user_id"), users("tenant_id"), users("user_id")},
                "what": {events("amount")},
            },
        ),
        (
            """select u.user_id, coalesce((select max(e.amount) from core.events as e
            where e.user_id = u.user_id), 0) as largest from core.users as u""",
            {"user_id": {users("user_id")}, "largest": {events("amount")}},
        ),
        (
            """select u.user_id, tag.value as tag from core.users as u
            cross join lateral jsonb_array_elements(u.tags) as tag (value)""",
            {"user_id": {users("user_id")}, "tag": {users("tags")}},
        ),
        (
            """select row_number() over (partition by plan order by user_id) as place,
            case when plan = 'free' then 0 end as price from core.users""",
            {"place": {users("plan"), users("user_id")}, "price": {users("plan")}},
        ),
        (
            """with recursive chain as (select user_id, 1 as step from core.users
            union all select chain.user_id, chain.step + 1 from chain where chain.step < 3)
            select user_id, step from chain""",
            {"user_id": {users("user_id")}, "step": set()},
        ),
    ],
)
def test_columns_are_followed_to_the_tables_they_come_from(
    query: str, expected: dict[str, set[Origin]]
) -> None:
    assert origins(query, COLUMNS) == expected


def test_what_cannot_be_read_has_no_lineage() -> None:
    assert origins("select from where", COLUMNS) == {}
