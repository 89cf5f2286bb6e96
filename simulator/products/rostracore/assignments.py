"""Who is offered a RostraCore shift, who takes it, and what it costs: the rows of `shift_assignments`."""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.products.rostracore.company import Company, Guard, Site
from simulator.sources.debezium import ChangeLog, decimal
from simulator.timeline import DAY, HOUR, MINUTE, SECOND, iso_micros


class Assignments:
    """Fills shifts with guards, as far as it was decided that they are filled."""

    def __init__(self, limit: int, log: ChangeLog) -> None:
        self.limit, self.log = limit, log
        self.last_id = 0

    def fill(
        self,
        company: Company,
        chance: Chance,
        shift_id: int,
        site: Site,
        pool: list[Guard],
        filled: int,
        required: int,
        posted: int,
        starts: int,
        hours: int,
        premium: bool,
    ) -> int:
        """Offers until the places are taken; some say no. Returns how many said yes so far."""
        refusals = chance.integer(0, 2) + (chance.integer(1, 3) if filled < required else 0)
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
                    shift_id,
                    guard,
                    site,
                    answer,
                    offered,
                    responded,
                    starts,
                    hours,
                    premium,
                    chance,
                )
        return taken

    def _assignment(
        self,
        company: Company,
        shift_id: int,
        guard: Guard,
        site: Site,
        answer: str,
        offered: int,
        responded: int,
        starts: int,
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
            "shift_id": shift_id,
            "employee_id": guard.employee_id,
            "status": "offered",
            "offered_at": iso_micros(offered),
            "responded_at": None,
            "regular_cost": None,
            "overtime_cost": None,
            "premium_cost": None,
            "travel_cost": None,
        }
        self.log.insert(offered, "shift_assignments", key, dict(row))
        if answer == "offered":
            return
        row |= {"status": answer, "responded_at": iso_micros(responded)}
        if answer == "accepted":
            row |= {
                "regular_cost": decimal(guard.wage * (hours - overtime)),
                "overtime_cost": decimal(guard.wage * overtime * 3 // 2),
                "premium_cost": decimal(guard.wage * hours // 5 if premium else 0),
                "travel_cost": decimal(
                    round(guard.wage * min(1.5, distance * 6)) if chance.hit(0.8) else None
                ),
            }
        self.log.update(responded, "shift_assignments", key, dict(row))
        done = starts + hours * HOUR + 20 * MINUTE
        if answer == "accepted" and done < self.limit:
            self.log.update(done, "shift_assignments", key, row | {"status": "completed"})
        elif answer == "rejected" and chance.hit(0.1):
            self.log.update(
                responded + DAY // 24, "shift_assignments", key, row | {"status": "cancelled"}
            )
