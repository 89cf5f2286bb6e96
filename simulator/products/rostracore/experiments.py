"""RostraCore's A/B tests: their rows, who is assigned to what, and who sees it when.

Belongs here: `ab_tests`, `ab_test_assignments`, exposures and the conversions that a variant brings about.
Does not belong here: what people do anyway (`usage`); counting (`simulator/truth/experiments`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from simulator.chance import Chance
from simulator.files import encode
from simulator.products.rostracore.catalogue import NAME, PRIMARY_METRIC
from simulator.products.rostracore.company import Company, Scheduler
from simulator.sources.debezium import ChangeLog, decimal
from simulator.sources.events import Event
from simulator.timeline import DAY, HOUR, SECOND, Window, epoch_day, iso_micros
from simulator.truth.experiments.happened import Exposure, Trial


@dataclass(frozen=True)
class Plan:
    """A test: when it runs (as parts of the window), on whom, and what it really does.

    `planned` is a number of users in each variant, or, below 1, a share of all users. `share_b` is the share that
    really sees B, whatever is planned; `effect` the share of those who see B and convert because of it;
    `crossing` the share who are shown the other variant later.
    """

    name: str
    begins: float
    ends: float | None
    planned: float
    tenant: str | None = None
    share_b: float = 0.5
    effect: float = 0.0
    crossing: float = 0.0
    status: str = "completed"


PLANS = (
    Plan("roster_wizard", 0.15, 0.32, 0.3, effect=0.8),
    Plan("dense_calendar", 0.35, 0.5, 0.2, crossing=0.15),
    Plan("reminder_mails", 0.52, 0.68, 0.05, share_b=0.12, effect=0.6),
    Plan("night_colours", 0.4, 0.6, 3, tenant="1"),
    Plan("pricing_page", 0.8, None, 400, effect=0.5, status="running"),
    Plan("voice_search", 0.9, None, 100, status="draft"),
)


class Experiments:
    """Lets every test happen among the visits that the schedulers made anyway."""

    def __init__(
        self, window: Window, limit: int, log: ChangeLog, events: list[Event], seed: int
    ) -> None:
        self.window, self.limit, self.log, self.events, self.seed = window, limit, log, events, seed
        self.trials: list[Trial] = []
        self.assignments = 0

    def run(self, companies: list[Company]) -> None:
        visits: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            if event.name == "dashboard_viewed" and event.user_id is not None:
                visits[event.user].append(event)
        for views in visits.values():
            views.sort(key=lambda event: (event.at, event.event_id))
        for number, plan in enumerate(PLANS, start=1):
            self._test(number, plan, companies, visits)

    def _test(
        self, number: int, plan: Plan, companies: list[Company], visits: dict[str, list[Event]]
    ) -> None:
        first, last = self._day(plan.begins), None if plan.ends is None else self._day(plan.ends)
        trial = Trial(number, plan.tenant, first, last)
        self.trials.append(trial)
        users = sum(len(company.schedulers) for company in companies)
        self._rows(trial, plan, round(plan.planned * users if plan.planned < 1 else plan.planned))
        if plan.status == "draft":
            return
        chance = Chance(self.seed, NAME, "experiments", plan.name)
        for company in companies:
            if plan.tenant not in (None, company.tenant.source_id):
                continue
            for scheduler in company.schedulers:
                views = visits.get(str(scheduler.user_id), [])
                self._user(trial, plan, chance, company, scheduler, views)

    def _day(self, part: float) -> date:
        return self.window.first_date + timedelta(days=round(part * self.window.days))

    def _rows(self, trial: Trial, plan: Plan, planned: int) -> None:
        """A test is drafted two days before it starts, and completed once its last day is over."""
        start = epoch_day(trial.first) * DAY
        row: dict[str, Any] = {
            "org_id": None if plan.tenant is None else int(plan.tenant),
            "test_name": plan.name,
            "description": f"Variant B of {plan.name.replace('_', ' ')}",
            "start_date": None if plan.status == "draft" else epoch_day(trial.first),
            "end_date": None if trial.last is None else epoch_day(trial.last),
            "variant_a_config": encode({"variant": "current"}).decode(),
            "variant_b_config": encode({"variant": plan.name}).decode(),
            "status": "draft",
            "primary_metric": None if plan.tenant else PRIMARY_METRIC,
            "planned_users_per_variant": planned,
            "traffic_share_b": None if plan.tenant else decimal(5000),
            "variant_a_conversions": 0,
            "variant_a_exposures": 0,
            "variant_b_conversions": 0,
            "variant_b_exposures": 0,
            "winner": None,
        }
        key = {"test_id": trial.test_id}
        self.log.insert(max(self.window.start, start - 2 * DAY), "ab_tests", key, dict(row))
        if plan.status != "draft":
            self.log.update(start, "ab_tests", key, row | {"status": "running"})
        if trial.last is not None:
            over = epoch_day(trial.last) * DAY + 2 * DAY
            self.log.update(over, "ab_tests", key, row | {"status": "completed"})

    def _user(
        self,
        trial: Trial,
        plan: Plan,
        chance: Chance,
        company: Company,
        scheduler: Scheduler,
        views: list[Event],
    ) -> None:
        """Assigns somebody; shows the variant at some visits, also a few days too early and too late."""
        variant = "B" if chance.hit(plan.share_b) else "A"
        is_assigned = chance.hit(0.94)
        if is_assigned:
            self._assign(trial, plan, scheduler, variant)
        near = timedelta(days=3)
        shown = [
            view
            for view in views
            if trial.first - near <= company.days.day(view.at) <= (trial.last or date.max) - near
            or (trial.last is not None and abs(company.days.day(view.at) - trial.last) <= near)
        ]
        crosses = chance.hit(plan.crossing) and is_assigned
        is_told = chance.hit(0.9 if is_assigned else 0.4)
        is_first = True
        for view in shown:
            if not chance.hit(0.4):
                continue
            other = crosses and not is_first and chance.hit(0.5)
            seen = {"A": "B", "B": "A"}[variant] if other else variant
            told = seen if other or is_told else None
            properties = {"test_name": plan.name} | ({} if told is None else {"variant": told})
            event = self._event(chance, view, "experiment_exposed", 2, properties)
            if event is None:
                continue
            trial.exposures.append(Exposure(event, seen if told or is_assigned else None))
            if is_first and trial.first <= company.days.day(event.at):
                is_first = False
                self._convert(plan, chance, view, seen, views)

    def _assign(self, trial: Trial, plan: Plan, scheduler: Scheduler, variant: str) -> None:
        self.assignments += 1
        at = epoch_day(trial.first) * DAY + HOUR
        row = {
            "org_id": None if plan.tenant is None else int(plan.tenant),
            "test_id": trial.test_id,
            "user_id": scheduler.user_id,
            "variant": variant,
            "assigned_at": iso_micros(at),
            "converted": False,
        }
        self.log.insert(at, "ab_test_assignments", {"assignment_id": self.assignments}, row)

    def _convert(
        self, plan: Plan, chance: Chance, view: Event, variant: str, views: list[Event]
    ) -> None:
        """What the variant brings about; and, for some, what came before the exposure or with it."""
        for share, seconds in ((0.15, 1), (0.05, 2)):
            if chance.hit(share):
                self._event(chance, view, PRIMARY_METRIC, seconds, {"channel": "link"})
        if variant == "B" and chance.hit(plan.effect):
            later = [other for other in views if view.at < other.at < view.at + 7 * DAY]
            moment = chance.pick(later) if later else view
            self._event(chance, moment, PRIMARY_METRIC, 3, {"channel": "link"})

    def _event(
        self, chance: Chance, view: Event, name: str, seconds: int, properties: dict[str, Any]
    ) -> Event | None:
        """An event some seconds after a look at the dashboard, in the same session."""
        if view.at + seconds * SECOND >= self.limit:
            return None
        event = replace(
            view,
            event_id=chance.uuid(),
            name=name,
            at=view.at + seconds * SECOND,
            received=min(view.received + seconds * SECOND, self.limit),
            properties=properties,
            load_ms=None,
        )
        self.events.append(event)
        return event
