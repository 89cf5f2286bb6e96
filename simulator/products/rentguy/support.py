"""What customers ask the support, and whether they would recommend the company."""

from __future__ import annotations

from typing import Any

from simulator.products.rentguy.catalogue import NAME, PRIORITIES
from simulator.products.rentguy.depot import Depot
from simulator.timeline import HOUR, iso_micros
from simulator.truth.customers.happened import Answer, Ticket


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
        word = chance.pick(list(PRIORITIES))
        row: dict[str, Any] = {
            "customer_id": self._customer(at),
            "priority": word,
            "status": "open",
            "opened_at": iso_micros(at),
            "first_response_at": None,
            "resolved_at": None,
            "reopened_at": None,
            "subject": "A lamp is missing",
            "body": "We counted twice.",
        }
        if not depot.insert(at, "tickets", number, dict(row)):
            return
        ticket = Ticket(depot.tenant, number, PRIORITIES[word], at)
        depot.happened.tickets.append(ticket)
        is_answered = chance.hit(0.93)  # else it is resolved without a word
        if is_answered:
            at = self._step(number, row, at, "answered", "first_response_at")
            if at >= depot.world.limit:
                return
            ticket.answered = at
        at = self._step(number, row, at, "resolved", "resolved_at")
        if at >= depot.world.limit:
            return
        ticket.resolved.append(at)
        ticket.answered = ticket.answered or at
        for _ in range(chance.hit(0.15) + chance.hit(0.05)):
            at = self._step(number, row, at, "open", "reopened_at")
            if at >= depot.world.limit:
                return
            ticket.reopened.append(at)
            if chance.hit(0.3):
                return
            if chance.hit(0.5):  # the application keeps the newest answer alone
                at = self._step(number, row, at, "answered", "first_response_at")
            at = self._step(number, row, at, "resolved", "resolved_at")
            if at >= depot.world.limit:
                return
            ticket.resolved.append(at)

    def _step(self, number: int, row: dict[str, Any], at: int, status: str, field: str) -> int:
        """The next change of the ticket's row; when it is committed, if the sample lasts until then."""
        at += int(self.chance.between(0.2, 30) * HOUR)
        row |= {field: iso_micros(at), "status": status}
        self.depot.update(at, "tickets", number, row)
        return at

    def _answer(self, at: int) -> None:
        chance, number = self.chance, self.depot.new_id("nps_response")
        customer, score = self._customer(at), chance.pick((10, 10, 9, 9, 8, 8, 7, 6, 4, 0))
        row = {
            "customer_id": customer,
            "score": score,
            "responded_at": iso_micros(at),
            "comment": "Punctual." if chance.hit(0.4) else None,
        }
        if self.depot.insert(at, "nps_responses", number, row):
            self.depot.happened.answers.append(
                Answer(self.depot.tenant, str(customer), "NPS", score, at)
            )
