"""What RostraCore's schedulers do in the product: the events of its document.

Rosters come from `shifts`; everything else (dashboards, searches, exports, friction) follows the
working week of the company and how busy each scheduler is.
"""

from __future__ import annotations

from typing import Any

from simulator.chance import Chance
from simulator.products.rostracore.company import Company, Scheduler
from simulator.products.rostracore.shifts import Roster
from simulator.sources.events import Event
from simulator.timeline import DAY, HOUR, MINUTE, SECOND, Window

ONBOARDING = (
    "first_employee_added",
    "first_site_added",
    "first_shift_created",
    "first_roster_generated",
    "onboarding_completed",
)


class Usage:
    """Writes the events of every company's schedulers."""

    def __init__(self, window: Window, limit: int, events: list[Event], seed: int) -> None:
        self.window, self.limit, self.events, self.seed = window, limit, events, seed

    def run(self, company: Company, rosters: list[Roster]) -> None:
        chance = Chance(self.seed, "rostracore", "usage", company.tenant.source_id)
        stop = min(self.limit, company.left or self.limit)
        if company.joined >= self.window.start:
            self._onboarding(company, chance)
        if company.upgraded is not None:
            plans = {"from_plan": company.tenant.plan, "to_plan": "professional"}
            told = Chance(self.seed, "rostracore", "upgrade", company.tenant.source_id)
            self._event(
                company, told, company.schedulers[0], "plan_upgraded", company.upgraded, plans, None
            )
        for roster in rosters:
            if roster.created < stop:
                self._roster(company, chance, roster, stop)
        first = company.days.index(max(self.window.start, company.joined)) + 1
        for day in range(first, company.days.index(stop - 1) + 1):
            weekend = company.days.dates[day].weekday() in company.tenant.weekend
            for scheduler in company.schedulers:
                fading = (
                    0.35
                    if company.left and company.left - company.days.midnights[day] < 35 * DAY
                    else 1.0
                )
                if chance.hit(scheduler.busy * fading * (0.3 if weekend else 1.0)):
                    for _ in range(1 + chance.hit(0.5) + chance.hit(0.2)):
                        hour = min(23.7, max(0.2, 11.5 + 2.6 * chance.bell()))
                        self._visit(
                            company,
                            chance,
                            scheduler,
                            int(company.days.midnights[day]) + int(hour * HOUR),
                            stop,
                        )

    def _onboarding(self, company: Company, chance: Chance) -> None:
        owner = company.schedulers[0]
        owner.anonymous_id = f"rc-{chance.uuid()}"
        session = chance.uuid()
        at = company.joined - int(chance.between(3, 25) * MINUTE)
        self._event(company, chance, owner, "user_signup_started", at, {}, session, known=False)
        self._event(
            company,
            chance,
            owner,
            "user_signup_completed",
            company.joined,
            {},
            session,
            linked=True,
        )
        at = company.joined
        for name in ONBOARDING:
            at += int(chance.between(1, 9) * MINUTE)
            self._event(company, chance, owner, name, at, {}, session)
        for other in company.schedulers[1:]:
            at += int(chance.between(1, 20) * HOUR)
            self._event(
                company, chance, owner, "invite_sent", at, {"channel": "email"}, chance.uuid()
            )
            self._event(company, chance, other, "invite_accepted", at + HOUR, {}, chance.uuid())

    def _roster(self, company: Company, chance: Chance, roster: Roster, stop: int) -> None:
        who = chance.pick(company.schedulers)
        session = chance.uuid()
        seconds = roster.duration / 100
        if chance.hit(0.05):
            timeout = {"algorithm_used": roster.algorithm, "duration_seconds": 900.0}
            self._event(
                company,
                chance,
                who,
                "optimization_timeout",
                roster.created - 20 * MINUTE,
                timeout,
                session,
            )
        self._event(
            company,
            chance,
            who,
            "roster_generated",
            roster.created,
            {
                "roster_id": roster.roster_id,
                "algorithm_used": roster.algorithm,
                "shift_count": roster.shifts,
                "duration_seconds": seconds,
                "fill_rate": roster.fill_rate,
            },
            session,
        )
        at = roster.created + int(chance.between(20, 200) * SECOND)
        for _ in range(roster.violations):
            rule = chance.pick(("rest_period", "max_hours", "certificate"))
            self._event(
                company,
                chance,
                who,
                "constraint_violation",
                at,
                {"constraint": rule, "roster_id": roster.roster_id},
                session,
            )
            at += 7 * SECOND
        for _ in range(chance.integer(0, 3) if chance.hit(0.4) else 0):
            reason = chance.pick(("preference", "cost", "fairness"))
            self._event(
                company,
                chance,
                who,
                "roster_manual_override",
                at,
                {"roster_id": roster.roster_id, "reason": reason},
                session,
            )
            at += int(chance.between(10, 90) * SECOND)
        if roster.confirmed is not None and roster.confirmed < stop:
            self._event(
                company,
                chance,
                who,
                "roster_confirmed",
                roster.confirmed,
                {"roster_id": roster.roster_id},
                session,
            )

    def _visit(self, company: Company, chance: Chance, who: Scheduler, at: int, stop: int) -> None:
        session = chance.uuid() if chance.hit(0.93) else None
        device = 0 if chance.hit(0.8) else 1
        for name, properties in self._script(chance):
            if at >= stop:
                return
            self._event(company, chance, who, name, at, properties, session, device=device)
            at += int(chance.between(5, 160) * SECOND)

    @staticmethod
    def _script(chance: Chance) -> list[tuple[str, dict[str, Any]]]:
        steps: list[tuple[str, dict[str, Any]]] = [
            ("dashboard_viewed", {"dashboard": chance.pick(("operations", "executive", "people"))})
        ]
        for _ in range(chance.integer(0, 4)):
            draw = chance.uniform()
            if draw < 0.34:
                steps.append(
                    (
                        "feature_clicked",
                        {
                            "feature": chance.pick(
                                ("rosters", "shifts", "sites", "guards", "reports")
                            )
                        },
                    )
                )
            elif draw < 0.50:
                steps.append(
                    (
                        "employee_filtered",
                        {"filter": chance.pick(("skill", "site", "availability"))},
                    )
                )
            elif draw < 0.62:
                steps.append(("search_performed", {"result_count": chance.integer(0, 30)}))
            elif draw < 0.76:
                steps.append(("shift_created_manual", {}))
            elif draw < 0.83:
                steps.append(("shift_created_bulk", {"shift_count": chance.integer(5, 60)}))
            elif draw < 0.90:
                steps.append(("export_triggered", {"format": chance.pick(("PDF", "CSV", "Excel"))}))
            elif draw < 0.94:
                steps.append(
                    ("help_accessed", {"topic": chance.pick(("rosters", "billing", "constraints"))})
                )
            elif draw < 0.97:
                steps.append(("form_abandoned", {"form": chance.pick(("shift", "employee"))}))
            else:
                steps.append(("error_encountered", {"error_code": "E500", "status": 500}))
        return steps

    def _event(
        self,
        company: Company,
        chance: Chance,
        who: Scheduler,
        name: str,
        at: int,
        properties: dict[str, Any],
        session: str | None,
        device: int = 0,
        known: bool = True,
        linked: bool = False,
    ) -> None:
        if not self.window.start <= at < self.limit:
            return
        used = who.devices[device]
        received = min(at + 120 + int(chance.uniform() * 2500), self.limit)
        self.events.append(
            Event(
                event_id=chance.uuid(),
                tenant_id=company.tenant.source_id,
                user=str(who.user_id),
                user_id=str(who.user_id) if known else None,
                anonymous_id=who.anonymous_id if linked or not known else None,
                session_id=session,
                name=name,
                at=at,
                received=received,
                device=used,
                country=company.tenant.country,
                properties=properties,
                load_ms=150 + int(chance.uniform() * 1800) if used.source == "web" else None,
            )
        )
