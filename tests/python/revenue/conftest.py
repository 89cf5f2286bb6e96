"""Warehouses of revenue alone, for the tests beside this file.

Belongs here: fixtures. Does not belong here: how a provider writes (`webhooks`), expectations.
"""

from collections.abc import Callable

import pytest

from tallyhouse.database import Warehouse
from tests.python.marts.house import House

REVENUE = ("+path:models/marts/revenue", "+dim_subscription", "+int_revenue__user_cash_daily")


@pytest.fixture(scope="module")
def new_house(fresh_database: Callable[..., Warehouse]) -> Callable[[str], House]:
    """A factory of empty warehouses: `new_house("rules")`."""
    return lambda label: House(fresh_database(label, seeded=True))
