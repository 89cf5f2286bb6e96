"""Core marts of two tenants, built once and copied for each module that asks who sees what.

Belongs here: the marts. Does not belong here: logins.
"""

import pytest

from tallyhouse.database import Warehouse
from tests.hand_made import CORE, HandMade
from tests.templates import Templates

EVENTS = (
    {"id": "e1", "tenant": "north", "user": "ada", "at": "2026-01-01T08:00+00:00"},
    {"id": "e2", "tenant": "south", "user": "bob", "at": "2026-01-01T09:00+00:00"},
)


@pytest.fixture(scope="module")
def secured(templates: Templates) -> HandMade:
    """Core marts with an event of each tenant."""

    def fill(warehouse: Warehouse) -> None:
        hand_made = HandMade(warehouse)
        hand_made.stand_in()
        hand_made.load(*EVENTS)
        hand_made.build(*CORE)

    name = templates.made("two_tenants", templates.prepared(), fill)
    return HandMade(templates.copy(name, "secured"), load_id=1)
