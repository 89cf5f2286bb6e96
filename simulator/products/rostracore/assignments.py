"""Who is offered a RostraCore shift, who takes it, and what it costs: the rows of `shift_assignments`."""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.products.rostracore.company import Company, Guard, Site
from simulator.sources.debezium import ChangeLog, decimal
from simulator.timeline import DAY, MINUTE, SECOND, iso_micros
from simulator.truth.workforce.happened import Costs, Offer, Shift


class Assignments:
    """Fills shifts with guards, as far as it was decided that they are filled."""

    def __init__(self, limit: int, log: ChangeLog, seed: int) -> None:
        self.limit, self.log = limit, log
        self.last_id = 0
        self.signing = Chance(seed, "rostracore", "signing on and off")

    def fill(
        self,
        company: Company,
        chance: Chance,
        shift: Shift,
        site: Site,
        pool: list[Guard],
        filled: int,
        posted: int,
        hours: int,
        premium: bool,
    ) -> int:
        """Offers until the places are taken; some say no. Returns how many said yes so far."""
        starts = shift.starts
        refusals = chance.integer(0, 2) + (chance.integer(1, 3) if filled < shift.required else 0)
        wanted = min(len(pool), filled + refusals)
        if not wanted:
            return 0
        taken = 0
        offset = chance.integer(0, len(pool) - 1)
        asked = [pool[(offset + i) % len(pool)] for i in range(wanted)]
        asked = [
            g for _, _, g in sorted((chance.uniform() - g.willing, g.employee_id, g) for g in asked)
        ]
        for number, guard in enumerate(asked):
            answer = "accepted" if number < filled else "rejected" if chance.hit(0.7) else "offered"
            offered = posted + int(chance.between(0.01, 0.5) * (starts - posted))
            responded = offered + int(chance.uniform() ** 2 * 0.45 * (starts - offered)) + SECOND
            taken += answer == "accepted" and responded < self.limit
            if offered < self.limit:
                self._assignment(
                    company,
                    shift,
                    guard,
                    site,
                    answer,
                    offered,
                    responded,
                    hours,
                    premium,
                    chance,
                )
        return taken

    def _assignment(
        self,
        company: Company,
        shift: Shift,
        guard: Guard,
        site: Site,
        answer: str,
        offered: int,
        responded: int,
        hours: int,
        premium: bool,
        chance: Chance,
    ) -> None:
        self.last_id += 1
        key = {"assignment_id": self.last_id}
        overtime = hours - 8 if hours > 8 else 0
        distance = sum(abs(guard.home[i] - site.place[i]) for i in (0, 1))
        row: dict[str, Any] = {
            "org_id": int(company.tenant.source_id),
            "shift_id": shift.number,
            "employee_id": guard.employee_id,
            "status": "offered",
            "offered_at": iso_micros(offered),
            "responded_at": None,
            "started_at": None,
            "ended_at": None,
            "regular_cost": None,
            "overtime_cost": None,
            "premium_cost": None,
            "travel_cost": None,
        }
        self.log.insert(offered, "shift_assignments", key, dict(row))
        offer = Offer(guard.employee_id)
        shift.offers.append(offer)
        if answer == "offered":
            return
        row |= {"status": answer, "responded_at": iso_micros(responded)}
        if answer == "accepted":
            costs = Costs(
                guard.wage * (hours - overtime),
                guard.wage * overtime * 3 // 2,
                guard.wage * hours // 5 if premium else 0,
                round(guard.wage * min(1.5, distance * 6)) if chance.hit(0.8) else None,
            )
            row |= {f"{name}_cost": decimal(cost) for name, cost in costs._asdict().items()}
        self.log.update(responded, "shift_assignments", key, dict(row))
        if responded < self.limit:
            offer.answered, offer.answer = responded, answer
            offer.costs = costs if answer == "accepted" else None
        done = shift.ends + 20 * MINUTE
        if answer == "accepted" and done < self.limit:
            self._work(shift, offer)
            times = {
                "started_at": None if offer.started is None else iso_micros(offer.started),
                "ended_at": None if offer.ended is None else iso_micros(offer.ended),
            }
            self.log.update(done, "shift_assignments", key, row | {"status": "completed"} | times)
        elif answer == "rejected" and chance.hit(0.1):
            self.log.update(
                responded + DAY // 24, "shift_assignments", key, row | {"status": "cancelled"}
            )

    def _work(self, shift: Shift, offer: Offer) -> None:
        """Most guards are there in time and sign on and off; some forget to."""
        chance = self.signing
        late = chance.integer(6, 40) if chance.hit(0.08) else chance.integer(-12, 5)
        if chance.hit(0.95):
            offer.started = shift.starts + late * MINUTE
        if chance.hit(0.93):
            offer.ended = shift.ends + chance.integer(-4, 18) * MINUTE
