"""The tables of guards' work: what happened, counted by offer, roster, day, site and week.

What belongs here: counting. What does not: what happened (`happened`). Hours are cut at local midnights and at
`as_of`; money is in the companies' smallest units, rounded once.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from statistics import median
from typing import Any, NamedTuple

from simulator.sources.events import Event
from simulator.timeline import HOUR, MINUTE, LocalDays
from simulator.truth.table import Table, entity_uuid
from simulator.truth.workforce.happened import Costs, Happened, Offer, Roster, Shift

SHIFT_HOURS, WEEK_HOURS = 8, 45
TOLERANCE_MINUTES = 5
MANUAL_HOURS = 6
MANUAL_PAY = {"usd": 30, "eur": 28, "gbp": 24, "zar": 180, "jpy": 2500}
QUALITY = {
    "fill": 0.25,
    "compliance": 0.25,
    "cost": 0.15,
    "fairness": 0.15,
    "override": 0.10,
    "acceptance": 0.10,
}
ONE_DAY = timedelta(days=1)
WEEK = 7 * ONE_DAY


class Part(NamedTuple):
    """What one guard worked of a shift on one local day, in hours."""

    day: date
    hours: float
    overtime: float
    share: float


@dataclass(frozen=True)
class Workforce:
    """Counts what happened in one product, whose companies' calendars are `days`, up to `as_of`."""

    product: str
    happened: Happened
    days: Mapping[str, LocalDays]
    currencies: Mapping[str, str]
    as_of: int

    def tables(self, events: Iterable[Event]) -> list[Table]:
        overrides = Counter(
            str(event.properties["roster_id"])
            for event in events
            if event.name == "roster_manual_override"
        )
        return [
            self._offers(),
            self._rosters(overrides),
            self._daily(),
            self._costs(),
            self._hours(),
            self._fairness(),
            self._groups(),
        ]

    # --- what everything is counted from ----------------------------------------------------------
    def _today(self, tenant: str) -> date:
        return self.days[tenant].day(self.as_of)

    def _id(self, kind: str, number: object) -> str:
        return entity_uuid(self.product, kind, str(number))

    def _units(self, tenant: str, hundredths: float) -> int:
        """Hundredths in the currency's smallest units, halves away from zero."""
        per_unit = 100 if self.currencies[tenant] == "jpy" else 1
        return int(hundredths / per_unit + 0.5)

    @cached_property
    def _held(self) -> list[Shift]:
        return [shift for shift in self.happened.shifts if not shift.is_cancelled]

    @cached_property
    def _first(self) -> dict[str, date]:
        """The day of each company's first shift or roster."""
        found: dict[str, date] = {}
        moments = [(s.tenant, s.starts) for s in self.happened.shifts]
        for tenant, at in [*moments, *((r.tenant, r.created) for r in self.happened.rosters)]:
            day = self.days[tenant].day(at)
            found[tenant] = min(day, found.get(tenant, day))
        return found

    def _dates(self, tenant: str) -> Iterator[date]:
        day = self._first[tenant]
        while day <= self._today(tenant):
            yield day
            day += ONE_DAY

    def _parts(self, shift: Shift, offer: Offer) -> Iterator[Part]:
        """The local days of a guard's time; `share` is the part of all of it, past or to come."""
        calendar = self.days[shift.tenant]
        starts = offer.started or shift.starts
        ends = offer.ended or shift.ends
        for index in range(calendar.index(starts), calendar.index(ends - 1) + 1):
            low = max(starts, int(calendar.midnights[index]))
            next_day = calendar.midnights[index + 1 : index + 2].tolist()
            high = min([ends, *next_day])
            done = max(0, min(high, self.as_of) - low)
            over = max(0, min(high, self.as_of) - max(low, starts + SHIFT_HOURS * HOUR))
            yield Part(
                calendar.dates[index], done / HOUR, over / HOUR, (high - low) / (ends - starts)
            )

    def _worked(self) -> Iterator[tuple[Shift, Offer, Part]]:
        for shift in self._held:
            for offer in shift.offers:
                if offer.answer == "accepted":
                    for part in self._parts(shift, offer):
                        if part.hours:
                            yield shift, offer, part

    def _employed(self, tenant: str, first: date, last: date) -> set[int]:
        return {
            e.employee
            for e in self.happened.employments
            if e.tenant == tenant and e.hired <= last and (e.last is None or e.last >= first)
        }

    def _table(self, name: str, grain: str, meaning: str, header: str, rows: Any) -> Table:
        return Table(f"workforce_{name}", grain, meaning, tuple(header.split()), list(rows))

    # --- offers -----------------------------------------------------------------------------------
    def _offers(self) -> Table:
        def rows() -> Iterator[tuple[Any, ...]]:
            for shift in self.happened.shifts:
                for offer in shift.offers:
                    ends = offer.ended or shift.ends
                    over = offer.answer == "accepted" and ends <= self.as_of
                    hours = (ends - (offer.started or shift.starts)) / HOUR
                    yield (
                        self._id("shift", shift.number),
                        self._id("employee", offer.employee),
                        self._id("tenant", shift.tenant),
                        offer.answer or "",
                        f"{hours:.8f}" if over else "",
                        f"{max(0, hours - SHIFT_HOURS):.8f}" if over else "",
                        self._cost(shift.tenant, offer.costs),
                        "" if offer.started is None else int(_is_punctual(shift, offer)),
                    )

        return self._table(
            "offers",
            "shift × guard who was offered it",
            "the answer; hours worked and those beyond eight, once they are over; what they cost; "
            "whether the guard signed on within five minutes of the start",
            "shift_id employee_id tenant_id answer hours overtime_hours cost_cents is_punctual",
            rows(),
        )

    def _cost(self, tenant: str, costs: Costs | None) -> int | str:
        if costs is None:
            return ""
        return sum(self._units(tenant, cost) for cost in costs if cost is not None)

    # --- rosters ----------------------------------------------------------------------------------
    def _rosters(self, overrides: Mapping[str, int]) -> Table:
        shifts = defaultdict(list)
        for shift in self._held:
            shifts[shift.roster].append(shift)

        def rows() -> Iterator[tuple[Any, ...]]:
            for roster in self.happened.rosters:
                measures = self._roster(
                    roster, shifts[roster.number], overrides.get(str(roster.number), 0)
                )
                yield (
                    self._id("roster", roster.number),
                    self._id("tenant", roster.tenant),
                    *("" if m is None else f"{m:.8f}" for m in measures),
                )

        return self._table(
            "rosters",
            "roster",
            "places filled so far; answers that were yes; shifts changed by hand; how unevenly its hours "
            "are shared among the guards of its days; cost and budget; a score of all that",
            "roster_id tenant_id fill_rate acceptance_rate override_rate fairness_gini cost_cents "
            "budget_cents roster_quality_score",
            rows(),
        )

    def _roster(self, roster: Roster, shifts: Sequence[Shift], overridden: int) -> Any:
        override = min(1.0, overridden / roster.shift_count)
        points = {"override": 1 - override, "compliance": 1 / (1 + roster.violations)}
        fill = acceptance = gini = cost = budget = None
        if shifts:
            taken = [
                (shift, offer)
                for shift in shifts
                for offer in shift.offers
                if offer.answer == "accepted"
            ]
            answers = [o.answer for shift in shifts for o in shift.offers if o.answer]
            fill = points["fill"] = len(taken) / sum(shift.required for shift in shifts)
            if answers:
                acceptance = points["acceptance"] = answers.count("accepted") / len(answers)
            gini = _gini(self._planned(roster.tenant, shifts, taken))
            points["fairness"] = 1 - gini
            budget = sum(self._units(roster.tenant, shift.budget) for shift in shifts)
            if taken:
                cost = sum(
                    sum(self._shift_costs(shift).values()) for shift in shifts if _is_taken(shift)
                )
                points["cost"] = min(1.0, budget / cost)
        weight = sum(QUALITY[name] for name in points)
        score = 100 * sum(QUALITY[name] * value for name, value in points.items()) / weight
        return fill, acceptance, override, gini, cost, budget, score

    def _planned(
        self, tenant: str, shifts: Sequence[Shift], taken: Sequence[tuple[Shift, Offer]]
    ) -> list[float]:
        days = [self.days[tenant].day(shift.starts) for shift in shifts]
        hours = dict.fromkeys(self._employed(tenant, min(days), max(days)), 0.0)
        for shift, offer in taken:
            planned = (shift.ends - shift.starts) / HOUR
            hours[offer.employee] = hours.get(offer.employee, 0.0) + planned
        return list(hours.values())

    def _shift_costs(self, shift: Shift) -> dict[str, int]:
        """What a shift's places cost by kind, each sum rounded once."""
        sums: Counter[str] = Counter()
        for offer in shift.offers:
            if offer.costs is not None:
                sums.update({k: v for k, v in offer.costs._asdict().items() if v is not None})
        return {kind: self._units(shift.tenant, value) for kind, value in sums.items()}

    # --- days -------------------------------------------------------------------------------------
    def _daily(self) -> Table:
        count: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
        hours: dict[tuple[str, date], Counter[int]] = defaultdict(Counter)
        saved: Counter[tuple[str, date]] = Counter()
        for shift in self.happened.shifts:
            started = self.days[shift.tenant].day(shift.starts)
            for offer in shift.offers:
                if offer.answered is not None:
                    day = self.days[shift.tenant].day(offer.answered)
                    count[shift.tenant, day].update(answered=1, **{str(offer.answer): 1})
                if offer.started is not None:
                    punctual = int(_is_punctual(shift, offer))
                    count[shift.tenant, started].update(seen=1, punctual=punctual)
            if not shift.is_cancelled:
                taken = sum(offer.answer == "accepted" for offer in shift.offers)
                count[shift.tenant, started].update(required=shift.required, filled=taken)
        for roster in self.happened.rosters:
            day = self.days[roster.tenant].day(roster.created)
            count[roster.tenant, day].update(rosters=1, compliant=int(not roster.violations))
            if roster.confirmed is not None:
                day = self.days[roster.tenant].day(roster.confirmed)
                saved[roster.tenant, day] += MANUAL_HOURS * HOUR - roster.duration * 10
        for shift, offer, part in self._worked():
            hours[shift.tenant, part.day][offer.employee] += part.hours  # type: ignore[assignment]

        def row(tenant: str, day: date) -> tuple[Any, ...]:
            found, worked = count[tenant, day], hours[tenant, day]
            employed = self._employed(tenant, day, day)
            week = dict.fromkeys(self._employed(tenant, day - WEEK + ONE_DAY, day), 0.0)
            for back in range(7):
                for employee, time in hours[tenant, day - back * ONE_DAY].items():
                    week[employee] = week.get(employee, 0.0) + time
            rates = [
                _share(found["filled"], found["required"]),
                _share(found["compliant"], found["rosters"]),
                _share(sum(worked.values()), len(employed) * WEEK_HOURS / 7),
                _gini(list(week.values())) if week else None,
                _share(found["punctual"], found["seen"]),
                _share(found["accepted"], found["answered"]),
            ]
            is_over = day < self._today(tenant)
            value = saved[tenant, day] / HOUR
            pay = MANUAL_PAY[self.currencies[tenant]] * 100
            return (
                day,
                self._id("tenant", tenant),
                *("" if r is None or not is_over else f"{r:.8f}" for r in rates),
                f"{value:.8f}",
                self._units(tenant, value * pay),
                len(worked),
                f"{sum(worked.values()):.8f}",
            )

        return self._table(
            "daily",
            "day × company, from its first roster or shift on",
            "shares of places filled, rosters without violation, paid time used, starts in time and offers "
            "accepted; how unevenly seven days' hours are shared; time and money that rosters saved; guards at work",
            "metric_date tenant_id fill_rate compliance_rate utilisation_rate fairness_gini punctuality_rate "
            "shift_acceptance_rate time_saved_hours cost_savings_cents active_guards worked_hours",
            (row(tenant, day) for tenant in sorted(self._first) for day in self._dates(tenant)),
        )

    def _costs(self) -> Table:
        """Shares of a shift's costs by the guards' time on each day, of its budget by its own."""
        sums: dict[tuple[date, str, int], Counter[str]] = defaultdict(Counter)
        for shift in self._held:
            length = shift.ends - shift.starts
            plan = {p.day: p.share * length for p in self._parts(shift, Offer(0))}
            time: dict[date, float] = defaultdict(float)
            for offer in shift.offers:
                if offer.answer == "accepted":
                    length = (offer.ended or shift.ends) - (offer.started or shift.starts)
                    for part in self._parts(shift, offer):
                        time[part.day] += part.share * length
            costs = self._shift_costs(shift)
            for kind, total, days in (
                *((kind, total, time or plan) for kind, total in costs.items()),
                ("budget", self._units(shift.tenant, shift.budget), plan),
            ):
                for day, cents in _shared(total, days):
                    sums[day, shift.tenant, shift.site][kind] += cents
            for day in plan.keys() | time.keys():
                sums[day, shift.tenant, shift.site]["shifts"] += 0
            started = self.days[shift.tenant].day(shift.starts)
            sums[started, shift.tenant, shift.site]["shifts"] += 1

        def rows() -> Iterator[tuple[Any, ...]]:
            for (day, tenant, site), found in sorted(sums.items()):
                if day <= self._today(tenant):
                    yield (
                        day,
                        self._id("tenant", tenant),
                        self._id("site", site),
                        *(found.get(kind, "") for kind in (*Costs._fields, "budget")),
                        found["shifts"],
                    )

        return self._table(
            "costs_daily",
            "day × company × site with shifts",
            "costs of the day's hours by kind and their budget; shifts that began",
            "metric_date tenant_id site_id regular_cost_cents overtime_cost_cents premium_cost_cents "
            "travel_cost_cents budget_cents shift_count",
            rows(),
        )

    # --- weeks ------------------------------------------------------------------------------------
    @cached_property
    def _weeks(self) -> dict[tuple[date, str], dict[int, tuple[float, float]]]:
        """Hours and overtime by week, company and guard, those without any among them."""
        hours: dict[Any, float] = defaultdict(float)
        over: dict[Any, float] = defaultdict(float)
        for shift, offer, part in self._worked():
            key = (_monday(part.day), shift.tenant, offer.employee)
            hours[key] += part.hours
            over[key] += part.overtime
        weeks: dict[tuple[date, str], dict[int, tuple[float, float]]] = {}
        for tenant in sorted(self._first):
            for monday in sorted({_monday(day) for day in self._dates(tenant)}):
                guards = self._employed(tenant, monday, monday + 6 * ONE_DAY)
                guards |= {e for w, t, e in hours if (w, t) == (monday, tenant)}
                weeks[monday, tenant] = {
                    e: (
                        hours[monday, tenant, e],
                        max(over[monday, tenant, e], hours[monday, tenant, e] - WEEK_HOURS, 0.0),
                    )
                    for e in sorted(guards)
                }
        return weeks

    def _is_over(self, monday: date, tenant: str) -> bool:
        return monday + WEEK <= self._today(tenant)

    def _hours(self) -> Table:
        def rows() -> Iterator[tuple[Any, ...]]:
            for (monday, tenant), guards in self._weeks.items():
                total = sum(hours for hours, _ in guards.values())
                for employee, (hours, overtime) in guards.items():
                    share = _share(hours, total) if self._is_over(monday, tenant) else None
                    yield (
                        monday,
                        self._id("tenant", tenant),
                        self._id("employee", employee),
                        f"{hours:.8f}",
                        f"{overtime:.8f}",
                        "" if share is None else f"{share:.8f}",
                    )

        return self._table(
            "hours_weekly",
            "week × guard who was employed or worked in it",
            "hours; overtime, beyond eight of a shift or 45 of the week, whichever is more; share of the company's",
            "week_start tenant_id employee_id hours overtime_hours share_of_tenant_hours",
            rows(),
        )

    def _fairness(self) -> Table:
        def rows() -> Iterator[tuple[Any, ...]]:
            for (monday, tenant), guards in self._weeks.items():
                gini = _gini([hours for hours, _ in guards.values()])
                over = self._is_over(monday, tenant)
                tenant_id = self._id("tenant", tenant)
                yield monday, tenant_id, len(guards), f"{gini:.8f}" if over else ""

        return self._table(
            "fairness_weekly",
            "week × company",
            "guards; how unevenly the week's hours are shared among them (Gini), in weeks that are over",
            "week_start tenant_id employees_available fairness_gini",
            rows(),
        )

    def _groups(self) -> Table:
        employments = {(e.tenant, e.employee): e for e in self.happened.employments}
        answers: dict[Any, Counter[str]] = defaultdict(Counter)
        for shift in self.happened.shifts:
            for offer in shift.offers:
                if offer.answered is not None:
                    week = _monday(self.days[shift.tenant].day(offer.answered))
                    answers[week, shift.tenant, offer.employee][str(offer.answer)] += 1

        def rows() -> Iterator[tuple[Any, ...]]:
            for (monday, tenant), guards in self._weeks.items():
                known = {e: employments[tenant, e] for e in guards}
                middle = median(self._units(tenant, k.pay) for k in known.values()) if known else 0
                groups: dict[tuple[str, str], list[int]] = defaultdict(list)
                for employee, employment in known.items():
                    days = (monday - employment.hired).days
                    tenure = "new" if days < 90 else "settled" if days < 365 else "long"
                    is_less = self._units(tenant, employment.pay) < middle
                    groups["tenure", tenure].append(employee)
                    groups["pay", "below_median" if is_less else "median_or_more"].append(employee)
                whole = sum(hours for hours, _ in guards.values())
                for (kind, name), members in groups.items():
                    hours = sum(guards[e][0] for e in members)
                    said: Counter[str] = sum(
                        (answers[monday, tenant, e] for e in members), Counter()
                    )
                    parity = _share(hours * len(guards), whole * len(members))
                    refused = _share(said["rejected"], said.total())
                    over = self._is_over(monday, tenant)
                    yield (
                        monday,
                        self._id("tenant", tenant),
                        kind,
                        name,
                        len(members),
                        f"{hours:.8f}",
                        said["rejected"],
                        "" if parity is None or not over else f"{parity:.8f}",
                        "" if refused is None or not over else f"{refused:.8f}",
                    )

        return self._table(
            "groups_weekly",
            "week × company × group of guards, by tenure and by pay",
            "guards, hours and refusals; hours of each guard beside the company's mean; refusals of all answers",
            "week_start tenant_id group_type group_name employees_available hours rejected_offers "
            "hours_parity rejection_rate",
            rows(),
        )


def _is_taken(shift: Shift) -> bool:
    return any(offer.answer == "accepted" for offer in shift.offers)


def _is_punctual(shift: Shift, offer: Offer) -> bool:
    return offer.started is not None and offer.started <= shift.starts + TOLERANCE_MINUTES * MINUTE


def _monday(day: date) -> date:
    return day - day.weekday() * ONE_DAY


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _gini(values: Sequence[float]) -> float:
    """Mean difference of all pairs over twice the mean; 0 where all are equal."""
    total = sum(values)
    if len(values) <= 1 or not total:
        return 0.0
    differences = sum(abs(a - b) for a in values for b in values)
    return differences / (2 * len(values) * total)


def _shared(total: int, weights: Mapping[date, float]) -> Iterator[tuple[date, int]]:
    """Whole cents by milliseconds that add up to the total, the days in order."""
    whole = sum(round(weight) for weight in weights.values())
    before = passed = 0
    for day in sorted(weights):
        passed += round(weights[day])
        until = (2 * total * passed + whole) // (2 * whole)
        yield day, until - before
        before = until
