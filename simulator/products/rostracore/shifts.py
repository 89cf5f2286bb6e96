"""RostraCore's rosters, shifts and assignments, day by day.

Whether a shift is filled depends on things a model can learn (lead time, night, weekend, the site,
how rare its skill is, how large the pool is, how much else is asked that day) and on chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from simulator.chance import Chance
from simulator.products.rostracore.assignments import Assignments
from simulator.products.rostracore.company import Company, Site
from simulator.sources.debezium import ChangeLog, decimal
from simulator.timeline import HOUR, MINUTE, Window, iso_micros
from simulator.truth.workforce import happened
from simulator.truth.workforce.shift_fill import Outcome

ALGORITHMS = ("milp", "greedy", "genetic")


@dataclass
class Roster:
    roster_id: int
    created: int
    algorithm: str
    shifts: int
    duration: int
    violations: int
    confirmed: int | None
    fill_rate: float


class Shifts:
    """Writes one company's work; returns its rosters for the schedulers' events."""

    def __init__(
        self, window: Window, limit: int, log: ChangeLog, seed: int, noted: happened.Happened
    ) -> None:
        self.window, self.limit, self.log, self.seed = window, limit, log, seed
        self.noted = noted
        self.ids = {"shift": 0, "roster": 0}
        self.assignments = Assignments(limit, log, seed)
        self.outcomes: list[Outcome] = []

    def _id(self, kind: str) -> int:
        self.ids[kind] += 1
        return self.ids[kind]

    def run(self, company: Company) -> list[Roster]:
        chance = Chance(self.seed, "rostracore", "shifts", company.tenant.source_id)
        first = max(company.days.index(self.window.start), company.days.index(company.joined) + 1)
        last = company.days.index(self.limit) + 3
        stop = company.left if company.left is not None else self.limit
        rosters: list[Roster] = []
        for monday in range(first - (company.days.dates[first].weekday()), last + 1, 7):
            week = [d for d in range(monday, monday + 7) if first <= d <= last]
            plan = [
                (day, site)
                for day in week
                for site in company.sites
                for _ in range(self._asked(company, chance, day, site))
            ]
            created = int(company.days.midnights[max(0, monday - 5)]) + int(
                chance.between(8, 16) * HOUR
            )
            created = max(created, self.window.start + HOUR, company.joined + 5 * HOUR)
            if created >= stop or not plan:
                continue
            roster = self._roster(company, chance, created, len(plan))
            rosters.append(roster)
            filled = [
                self._shift(company, chance, day, site, roster, len(plan)) for day, site in plan
            ]
            known = [f for f in filled if f is not None]
            roster.fill_rate = round(sum(known) / len(known), 3) if known else 0.0
        return rosters

    def _asked(self, company: Company, chance: Chance, day: int, site: Site) -> int:
        when = company.days.dates[day]
        weekend = when.weekday() in company.tenant.weekend
        season = 1 + 0.25 * math.cos((when.timetuple().tm_yday - 350) / 365 * 2 * math.pi)
        rate = (
            site.demand
            * season
            * (1.2 if weekend and company.tenant.industry == "Event" else 0.8 if weekend else 1.0)
        )
        return int(rate) + chance.hit(rate - int(rate))

    def _roster(self, company: Company, chance: Chance, created: int, shifts: int) -> Roster:
        algorithm = ALGORITHMS[int(chance.uniform() ** 1.5 * 3)]
        seconds = {"milp": 340, "greedy": 45, "genetic": 180}[algorithm] * chance.between(0.5, 2.2)
        violations = 0 if chance.hit(0.83) else chance.integer(1, 4)
        confirmed = created + int(chance.between(5, 600) * MINUTE) if chance.hit(0.88) else None
        roster = Roster(
            self._id("roster"),
            created,
            algorithm,
            shifts,
            round(seconds * 100),
            violations,
            confirmed,
            0.0,
        )
        row: dict[str, Any] = {
            "org_id": int(company.tenant.source_id),
            "algorithm": algorithm,
            "status": "draft",
            "shift_count": shifts,
            "duration_seconds": decimal(roster.duration),
            "violation_count": violations,
            "created_at": iso_micros(created),
            "confirmed_at": None,
        }
        self.log.insert(created, "rosters", {"roster_id": roster.roster_id}, dict(row))
        if confirmed is not None:
            row |= {"status": "confirmed", "confirmed_at": iso_micros(confirmed)}
            self.log.update(confirmed, "rosters", {"roster_id": roster.roster_id}, dict(row))
        if created < self.limit:
            self.noted.rosters.append(
                happened.Roster(
                    company.tenant.source_id,
                    roster.roster_id,
                    created,
                    confirmed if confirmed is not None and confirmed < self.limit else None,
                    roster.duration,
                    violations,
                    shifts,
                )
            )
        return roster

    def _shift(
        self, company: Company, chance: Chance, day: int, site: Site, roster: Roster, demand: int
    ) -> float | None:
        night = chance.hit(site.nights)
        hour = chance.pick((18, 19, 22)) if night else chance.pick((6, 7, 8, 14))
        starts = int(company.days.midnights[day]) + hour * HOUR
        hours = chance.pick((8, 8, 12))
        lead = chance.between(60, 200) if chance.hit(0.7) else chance.between(3, 60)
        posted = max(roster.created + 10 * MINUTE, starts - int(lead * HOUR))
        if posted >= min(starts, self.limit) or posted < self.window.start:
            return None
        required = 1 if chance.hit(0.72) else chance.integer(2, 3)
        pool = company.available(site.skill, starts)
        weekend = company.days.dates[day].weekday() in company.tenant.weekend
        probability = self._probability(
            site, (starts - posted) / HOUR, night, weekend, len(pool), demand, required
        )
        filled = required if chance.hit(probability) else chance.integer(0, required - 1)
        filled = min(filled, len(pool))
        moment = posted + (starts - posted) // 2
        cancelled = chance.hit(0.025) and moment < self.limit
        shift_id = self._id("shift")
        budget = sum(g.wage for g in pool[:5]) // max(1, len(pool[:5])) if pool else 5000
        row: dict[str, Any] = {
            "org_id": int(company.tenant.source_id),
            "site_id": site.site_id,
            "roster_id": roster.roster_id,
            "required_skill": site.skill,
            "starts_at": iso_micros(starts),
            "ends_at": iso_micros(starts + hours * HOUR),
            "required_count": required,
            "posted_at": iso_micros(posted),
            "budget_amount": decimal(int(budget * hours * required * 1.15)),
            "status": "open",
        }
        self.log.insert(posted, "shifts", {"shift_id": shift_id}, dict(row))
        shift = happened.Shift(
            company.tenant.source_id,
            shift_id,
            site.site_id,
            roster.roster_id,
            starts,
            starts + hours * HOUR,
            required,
            int(budget * hours * required * 1.15),
            is_cancelled=cancelled,
        )
        self.noted.shifts.append(shift)
        over = min(starts + hours * HOUR + 15 * MINUTE, starts + 13 * HOUR)
        if cancelled:
            self.log.update(moment, "shifts", {"shift_id": shift_id}, row | {"status": "cancelled"})
            return None
        if over < self.limit:
            self.log.update(over, "shifts", {"shift_id": shift_id}, row | {"status": "done"})
        taken = self.assignments.fill(
            company,
            chance,
            shift,
            site,
            pool,
            filled,
            posted,
            hours,
            night or weekend,
        )
        self.outcomes.append(
            Outcome(
                shift_id, company.tenant.source_id, starts, probability, required, filled, taken
            )
        )
        return filled / required

    @staticmethod
    def _probability(
        site: Site, lead: float, night: bool, weekend: bool, pool: int, demand: int, required: int
    ) -> float:
        odds = (
            0.8
            + 1.05 * math.log(max(lead, 2) / 30)
            - 1.0 * night
            - 0.8 * weekend
            + 0.95 * site.appeal
            + 1.3 * site.rarity
            + 0.75 * math.log((pool + 1) / 12)
            - 0.35 * math.log(demand / 40 + 0.2)
            - 0.75 * (required - 1)
        )
        return 1 / (1 + math.exp(-1.2 * odds))
