"""What customers ask the support, and whether they would recommend the company."""

from __future__ import annotations

from typing import Any

from simulator.products.rentguy.catalogue import NAME
from simulator.products.rentguy.depot import Depot
from simulator.timeline import HOUR, iso_micros


class Support:
    """Tickets and answers of one company's customers, day after day."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.chance = depot.world.chance(NAME, depot.tenant, "support")

    def run(self) -> None:
        depot, chance = self.depot, self.chance
        for index, _ in depot.open_days():
            if chance.hit(0.35):
                self._ask(depot.clock(index, chance.between(7, 20)))
            if chance.hit(0.3):
                self._answer(depot.clock(index, chance.between(7, 20)))

    def _customer(self, at: int) -> int:
        return int(self.chance.pick([c for c in self.depot.customers if c.since < at]).number)

    def _ask(self, at: int) -> None:
        depot, chance, number = self.depot, self.chance, self.depot.new_id("ticket")
        row: dict[str, Any] = {
            "customer_id": self._customer(at),
            "priority": chance.pick(("low", "normal", "normal", "high")),
            "status": "open",
            "opened_at": iso_micros(at),
            "first_response_at": None,
            "resolved_at": None,
            "reopened_at": None,
            "subject": "A lamp is missing",
            "body": "We counted twice.",
        }
        depot.insert(at, "tickets", number, dict(row))
        for field, status in (("first_response_at", "answered"), ("resolved_at", "resolved")):
            at += int(chance.between(0.2, 30) * HOUR)
            row |= {field: iso_micros(at), "status": status}
            depot.update(at, "tickets", number, row)
        if chance.hit(0.1):
            at += int(chance.between(1, 60) * HOUR)
            row |= {"reopened_at": iso_micros(at), "status": "open"}
            depot.update(at, "tickets", number, row)

    def _answer(self, at: int) -> None:
        chance, number = self.chance, self.depot.new_id("nps_response")
        row = {
            "customer_id": self._customer(at),
            "score": chance.pick((10, 10, 9, 9, 8, 8, 7, 6, 4, 0)),
            "responded_at": iso_micros(at),
            "comment": "Punctual." if chance.hit(0.4) else None,
        }
        self.depot.insert(at, "nps_responses", number, row)
