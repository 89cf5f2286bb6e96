"""What a login can read of some marts.

Belongs here: asking. Does not belong here: who may read what (`test_…_roles`).
"""

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from tests.hand_made import HandMade


def rows_seen(
    secured: HandMade,
    login: str,
    password: str,
    marts: Iterable[str],
    columns: str,
    before: Iterable[str] = (),
) -> dict[str, set[tuple[Any, ...]]]:
    """Mart (`schema.table`) → the rows that the login sees, after the statements `before`; marts that it may not
    read are left out."""
    found = {}
    with secured.warehouse.connect(user=login, password=password, autocommit=True) as connection:
        for statement in before:
            connection.execute(statement.encode())
        for mart in sorted(marts):
            query = sql.SQL(f"select distinct {columns} from {{}}")
            try:
                rows = connection.execute(query.format(sql.Identifier(*mart.split("."))))
                found[mart] = set(rows.fetchall())
            except psycopg.errors.InsufficientPrivilege:
                continue
    return found
