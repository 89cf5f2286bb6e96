"""Studios through the ordinary loader: a hundred random histories, in files of any order.

Belongs here: what must hold of any history (sharings that close to the cent, tenants that never meet).
Does not belong here: why a number is what it is (unit tests), all of a sample (truth). Each history is
a tenant of its own, and all tenants use the same numbers, so that one build tries them all, and rule
118 with them.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from ingestion.values.identity import uuid_text
from simulator.timeline import epoch_day
from tallyhouse.database import Warehouse
from tests.python.marts.house import House
from tests.python.marts.upcoach_lines import at, change

pytestmark = pytest.mark.slow

HISTORIES = 100
MARTS = ("profitability_analysis", "service_profitability", "client_profitability")
SELECT = (*(f"+{mart}" for mart in MARTS), "+contributor_roi", "+fact_time_entries")
CENT = Decimal(1)
Line = dict[str, Any]


@dataclass
class History:
    """One studio's life. Its dollars need no rate: what counts here is sharing."""

    name: str
    lines: list[Line] = field(default_factory=list)
    exact: dict[tuple[int, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    clients: dict[int, int] = field(default_factory=dict)

    def put(self, table: str, number: int, **row: Any) -> None:
        key = {"organization_id": self.name, "id": number}
        committed = f"{at('2026-01-01') + timedelta(seconds=len(self.lines))}"
        self.lines.append(change(table, "c", committed, row, key, "projectflo"))

    def counts(self, project: int, measure: str, cents: Decimal) -> None:
        self.exact[project, measure] += cents


def history(seed: int) -> History:
    """A few projects with deliverables, quoted or not, hours at odd costs, invoices and credit notes."""
    chance, studio = random.Random(seed), History(f"studio-{seed}")
    first = date(2026, 1, 5)

    def day() -> int:
        return epoch_day(first + timedelta(days=chance.randrange(200)))

    studio.lines.append(register(studio.name))
    rates = {n: Decimal(chance.randrange(1000, 9999)) / 100 for n in range(1, 4)}
    for number, rate in rates.items():
        studio.put("contributors", number, hourly_cost=str(rate), weekly_capacity_hours="40")
    entry = task = deliverable = cost = invoice = 0
    for project in range(1, chance.randrange(2, 6)):
        studio.clients[project] = chance.randrange(1, 4)
        studio.put("projects", project, client_id=studio.clients[project], status="active")
        parts = []
        for _ in range(chance.randrange(5)):
            deliverable += 1
            parts.append(deliverable)
            quoted = chance.choice(
                [None, "0", f"{chance.randrange(1, 900)}.{chance.randrange(100):02}"]
            )
            kind = chance.choice(["film", "trailer", "poster"])
            studio.put(
                "deliverables", deliverable, project_id=project, deliverable_type=kind,
                quoted_amount=quoted, status=chance.choice(["planned", "accepted", "cancelled"]),
            )  # fmt: skip
            task += 1
            studio.put("tasks", task, project_id=project, deliverable_id=deliverable)
        for _ in range(chance.randrange(9)):
            entry += 1
            who, hours = chance.randrange(1, 4), Decimal(chance.randrange(1, 40)) / 4
            studio.put(
                "time_entries", entry, contributor_id=who, project_id=project, hours=str(hours),
                worked_on=day(), task_id=chance.choice([None, chance.randrange(1, task + 2)]),
            )  # fmt: skip
            studio.counts(project, "contributor", hours * rates[who] * 100)
        for _ in range(chance.randrange(4)):
            cost += 1
            cents = chance.randrange(1, 99999)
            one = chance.choice([None, *parts])
            studio.put(
                "resource_costs", cost, project_id=project, deliverable_id=one,
                amount=str(Decimal(cents) / 100), incurred_on=day(), currency="USD",
            )  # fmt: skip
            studio.counts(project, "resource", Decimal(cents))
        for _ in range(chance.randrange(5)):
            invoice += 1
            cents = chance.randrange(1, 999999)
            kind, status = (
                chance.choice(["invoice", "credit_note"]),
                chance.choice(["sent", "void"]),
            )
            issued = f"{first + timedelta(days=chance.randrange(200))}T12:00:00.000000Z"
            studio.put(
                "invoices", invoice, project_id=project, kind=kind, status=status, currency="USD",
                net_amount=str(Decimal(cents) / 100), tax_amount="1.00", issued_at=issued,
            )  # fmt: skip
            sign = 0 if status == "void" else 1 if kind == "invoice" else -1
            studio.counts(project, "revenue", Decimal(sign * cents))
    return studio


def register(tenant: str) -> Line:
    row = {"timezone": "UTC", "currency": "USD", "created_at": "2026-01-01T00:00:00.000000Z"}
    return change("organizations", "c", "2026-01-01 00:00", row, {"id": tenant}, "projectflo")


@pytest.fixture(scope="module")
def histories() -> list[History]:
    return [history(seed) for seed in range(HISTORIES)]


@pytest.fixture(scope="module")
def house(histories: list[History], fresh_database: Callable[..., Warehouse]) -> House:
    """Two loads, the later rows first and some of them twice, and one build: nothing here is incremental."""
    house = House(fresh_database("projects", seeded=True))
    lines = [line for studio in histories for line in studio.lines]
    for number, line in enumerate(lines):
        line["value"]["source"] |= {"lsn": 1000 + number, "sequence": f'[null,"{1000 + number}"]'}
    half = len(lines) // 2
    for number, load in enumerate((lines[half:], [*lines[:half], *lines[half::7]])):
        house.put(f"cdc/projectflo/{number}.jsonl", load)
        house.load()
    house.build(SELECT)
    return house


def test_sums_of_projects_services_and_clients_are_one_and_right(
    house: House, histories: list[History]
) -> None:
    """Every project is its exact total, rounded once; each way of summing comes to the same cents."""
    wanted = {}
    for studio in histories:
        tenant = uuid_text("projectflo", "tenant", studio.name)
        for project in studio.clients:
            totals = [
                int(studio.exact[project, measure].quantize(CENT, ROUND_HALF_UP))
                for measure in ("revenue", "contributor", "resource")
            ]
            wanted[tenant, uuid_text("projectflo", "project", str(project))] = tuple(totals)
    found = house.query(
        "select tenant_id::text, project_id::text, total_revenue_cents, contributor_costs_cents, "
        "resource_costs_cents from projects.profitability_analysis"
    )
    assert {row[:2]: row[2:] for row in found} == wanted
    sums = [
        set(
            house.query(
                f"select tenant_id, sum({revenue}), sum({costs}) from projects.{mart} group by 1 "
                f"having sum({revenue}) <> 0 or sum({costs}) <> 0"
            )
        )
        for mart, revenue, costs in (
            (MARTS[0], "total_revenue_cents", "total_costs_cents"),
            (MARTS[1], "revenue_cents", "costs_cents"),
            (MARTS[2], "revenue_cents", "costs_cents"),
        )
    ]
    assert sums[0] == sums[1] == sums[2]
    assert len(sums[0]) >= HISTORIES * 0.9


def test_what_contributors_generate_is_what_projects_with_hours_earned(house: House) -> None:
    """All revenue from the month of the first hour on is shared, to the cent, and nothing twice."""
    shared = house.query(
        "select tenant_id, month_start, sum(revenue_generated_cents) from projects.contributor_roi "
        "group by 1, 2 having sum(revenue_generated_cents) <> 0"
    )
    earned = house.query(
        """
        with began as (
            select tenant_id, project_id, min(date_key) as began_on from projects.fact_time_entries
            where hours > 0 group by 1, 2
        )
        select cells.tenant_id, cells.month_start, sum(cells.amount_cents)
        from intermediate.int_projects__profit_cells as cells
        join began using (tenant_id, project_id)
        where cells.measure = 'revenue' and cells.month_start >= date_trunc('month', began.began_on)
        group by 1, 2 having sum(cells.amount_cents) <> 0
        """
    )
    assert set(shared) == set(earned)
    assert len(shared) > HISTORIES
