"""The tables about productions: what happened, counted by project, service, client, contributor and time.

What belongs here: counting. What does not: what happened (`happened`). Money is exact in the reporting
currency at the rate of the day it is for, and rounded once where a table says whole cents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from simulator.fx import Rates
from simulator.timeline import LocalDays
from simulator.truth.projects.happened import Deliverable, Happened, Project, Quote
from simulator.truth.table import Table, entity_uuid, exact

NOTICE_DAYS = 7
WORTH = {"draft": Decimal("0.1"), "sent": Decimal("0.3"), "negotiation": Decimal("0.6")}
Money = dict[Any, Decimal]


@dataclass(frozen=True)
class Projects:
    """Counts what happened in one product's studios, whose calendars are `days`, up to `as_of`."""

    product: str
    happened: Happened
    days: Mapping[str, LocalDays]
    currencies: Mapping[str, str]
    rates: Rates
    as_of: int

    def tables(self) -> list[Table]:
        return [
            self._projects(),
            self._services(),
            self._clients(),
            self._contributors(),
            self._delivery(),
            self._weeks(),
            self._sales(),
            self._payments(),
        ]

    def _today(self, tenant: str) -> date:
        return self.days[tenant].day(self.as_of)

    def _id(self, kind: str, number: object) -> str:
        return entity_uuid(self.product, kind, str(number))

    def _cents(self, tenant: str, day: date, hundredths: Decimal | int) -> Decimal:
        return Decimal(hundredths) * self.rates.factor(self.currencies[tenant], day)

    # --- money ----------------------------------------------------------------------------------
    def _revenue(self, project: Project) -> list[tuple[date, Decimal]]:
        return [(day, self._cents(project.tenant, day, net)) for day, net in project.invoices]

    def _wages(self, project: Project) -> list[tuple[date, Decimal, int | None]]:
        return [
            (
                entry.day,
                self._cents(project.tenant, entry.day, Decimal(entry.hours * entry.rate) / 100),
                entry.deliverable,
            )
            for entry in project.entries
        ]

    def _resources(self, project: Project) -> list[tuple[date, Decimal, int | None]]:
        return [
            (day, self._cents(project.tenant, day, amount), deliverable)
            for day, amount, deliverable in project.costs
        ]

    def _totals(self, project: Project) -> tuple[int, int, int]:
        """Revenue, contributors, resources in whole cents."""
        return (
            _whole(sum((a for _, a in self._revenue(project)), Decimal(0))),
            _whole(sum((a for _, a, _ in self._wages(project)), Decimal(0))),
            _whole(sum((a for _, a, _ in self._resources(project)), Decimal(0))),
        )

    def _projects(self) -> Table:
        def rows() -> Iterator[tuple[Any, ...]]:
            for project in self.happened.projects:
                due = judged_due(project.due)
                late = project.delivered is None and due < self._today(project.tenant)
                on_time = "" if project.delivered is None else str(project.delivered <= due)
                yield (
                    self._id("project", project.number),
                    self._id("tenant", project.tenant),
                    *self._totals(project),
                    Decimal(project.estimated) / 100,
                    Decimal(sum(entry.hours for entry in project.entries)) / 100,
                    sum(part.rounds for part in project.deliverables),
                    project.scope_changes,
                    project.delivered or "",
                    "false" if late else on_time.lower(),
                )

        return Table(
            "projects",
            "project",
            "revenue and costs in whole cents of the reporting currency; hours, revisions and scope "
            "changes so far; on time by the due date that stood a week before it",
            (
                "project_id", "tenant_id", "revenue_cents", "contributor_costs_cents",
                "resource_costs_cents", "estimated_hours", "actual_hours", "revision_count",
                "scope_change_count", "delivered_on", "is_on_time",
            ),
            rows(),
        )  # fmt: skip

    def _services(self) -> Table:
        revenue: Money = defaultdict(Decimal)
        costs: Money = defaultdict(Decimal)
        cells: dict[Any, set[Any]] = defaultdict(set)
        for project in self.happened.projects:
            kinds = {part.number: part.kind for part in project.deliverables}

            def share(
                into: Money, day: date, amount: Decimal, one: int | None, project: Project = project,
                kinds: Mapping[int, str] = kinds,
            ) -> None:  # fmt: skip
                parts = shares(project.deliverables) if one is None else {one: Decimal(1)}
                for number, part in parts.items():
                    key = (day.replace(day=1), project.tenant, kinds[number])
                    into[key] += amount * part
                    cells[key].add((project.number, number))

            for day, amount in self._revenue(project):
                share(revenue, day, amount, None)
            for day, amount, one in (*self._wages(project), *self._resources(project)):
                share(costs, day, amount, one)
        return Table(
            "services_monthly",
            "month × tenant × deliverable type with revenue or costs",
            "exact amounts, shared by quoted value; `cells` are the deliverables they come from, each "
            "of which is rounded in three measures",
            ("month_start", "tenant_id", "deliverable_type", "revenue_cents", "costs_cents", "cells"),
            (
                (
                    key[0], self._id("tenant", key[1]), key[2], exact(revenue[key]),
                    exact(costs[key]), len(cells[key]),
                )
                for key in sorted(revenue.keys() | costs.keys())
            ),
        )  # fmt: skip

    def _clients(self) -> Table:
        totals: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for project in self.happened.projects:
            earned, wages, resources = self._totals(project)
            total = totals[project.tenant, project.client]
            for place, number in enumerate((1, earned, wages + resources)):
                total[place] += number
        return Table(
            "clients_profit",
            "client with a project",
            "projects, revenue and costs in whole cents",
            ("client_id", "tenant_id", "projects", "revenue_cents", "costs_cents"),
            (
                (self._id("client", client), self._id("tenant", tenant), *total)
                for (tenant, client), total in sorted(totals.items())
            ),
        )

    def _contributors(self) -> Table:
        earned: Money = defaultdict(Decimal)
        costs: Money = defaultdict(Decimal)
        for project in self.happened.projects:
            for entry, (day, amount, _) in zip(project.entries, self._wages(project), strict=True):
                costs[day.replace(day=1), project.tenant, entry.contributor] += amount
            for day, amount in self._revenue(project):
                month = day.replace(day=1)
                then = _next_month(month)
                known = [e for e in project.entries if e.day < then]
                of_month = [e for e in known if e.day >= month] or known
                hours = sum(entry.hours for entry in of_month)
                for entry in of_month:
                    key = (month, project.tenant, entry.contributor)
                    earned[key] += amount * entry.hours / hours
        return Table(
            "contributors_monthly",
            "month × contributor with revenue or work on projects",
            "exact amounts: revenue by the hours on the project in the month (in all months so far, "
            "where the month has none), and what the hours on projects cost",
            ("month_start", "tenant_id", "contributor_id", "revenue_cents", "project_cost_cents"),
            (
                (
                    key[0], self._id("tenant", key[1]), self._id("contributor", key[2]),
                    exact(earned[key]), exact(costs[key]),
                )
                for key in sorted(earned.keys() | costs.keys())
            ),
        )  # fmt: skip

    # --- work -----------------------------------------------------------------------------------
    def _delivery(self) -> Table:
        due: dict[Any, list[bool]] = defaultdict(list)
        rounds: dict[Any, list[int]] = defaultdict(list)
        for project in self.happened.projects:
            for part in project.deliverables:
                judged = judged_due(part.due)
                today = self._today(project.tenant)
                if judged <= today and (judged < today or part.delivered is not None):
                    key = (_week(judged), project.tenant)
                    due[key].append(part.delivered is not None and part.delivered <= judged)
                if part.accepted is not None:
                    rounds[_week(part.accepted), project.tenant].append(part.rounds)
        return Table(
            "delivery_weekly",
            "ISO week × tenant with a deliverable due by now or accepted",
            "deliverables due and delivered by then; sum and count of the revision rounds of accepted ones",
            ("week_start", "tenant_id", "due", "on_time", "rounds", "accepted"),
            (
                (
                    key[0], self._id("tenant", key[1]), len(due[key]), sum(due[key]),
                    sum(rounds[key]), len(rounds[key]),
                )
                for key in sorted(due.keys() | rounds.keys())
            ),
        )  # fmt: skip

    def _weeks(self) -> Table:
        first: dict[str, date] = {}
        for worker in self.happened.workers:
            for day, _ in worker.worked:
                first[worker.tenant] = min(first.get(worker.tenant, day), day)

        def rows() -> Iterator[tuple[Any, ...]]:
            for worker in self.happened.workers:
                week = _week(first.get(worker.tenant, self._today(worker.tenant)))
                while week <= self._today(worker.tenant):
                    days = [week + timedelta(days=n) for n in range(7)]
                    there = sum(day not in worker.away for day in days[:5])
                    worked = sum(hours for day, hours in worker.worked if _week(day) == week)
                    yield (
                        week,
                        self._id("tenant", worker.tenant),
                        self._id("contributor", worker.number),
                        Decimal(worker.capacity * there) / 500,
                        Decimal(worked) / 100,
                    )
                    week += timedelta(days=7)

        return Table(
            "contributors_weekly",
            "ISO week × contributor, from the studio's first week of work",
            "capacity less leave, and hours entered",
            ("week_start", "tenant_id", "contributor_id", "available_hours", "worked_hours"),
            rows(),
        )

    # --- sales ----------------------------------------------------------------------------------
    def _sales(self) -> Table:
        counts: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for lead in self.happened.leads:
            count = counts[lead.day.replace(day=1), lead.tenant]
            count[0] += 1
            count[1] += lead.has_become_client
        for quote in self.happened.quotes:
            if quote.sent is not None:
                count = counts[quote.sent.replace(day=1), quote.tenant]
                count[2] += 1
                count[3] += quote.is_accepted
        months = {(month, tenant) for tenant in self.days for month in self._months(tenant)}

        def rows() -> Iterator[tuple[Any, ...]]:
            for month, tenant in sorted(months | counts.keys()):
                end = min(_next_month(month) - timedelta(days=1), self._today(tenant))
                value = sum(
                    (
                        self._cents(tenant, end, quote.amount) * WORTH.get(_stage(quote, end), 0)
                        for quote in self.happened.quotes
                        if quote.tenant == tenant
                    ),
                    Decimal(0),
                )
                told = counts[month, tenant]
                yield (month, self._id("tenant", tenant), *told, exact(value))

        return Table(
            "sales_monthly",
            "month × tenant, from the first lead or quote on",
            "leads and those of them that became clients; quotes sent and those of them that were "
            "accepted; open quotes weighed by their stage at the month's end, exact",
            (
                "month_start",
                "tenant_id",
                "leads",
                "converted",
                "sent",
                "accepted",
                "pipeline_cents",
            ),
            rows(),
        )

    def _months(self, tenant: str) -> Iterator[date]:
        began = [lead.day for lead in self.happened.leads if lead.tenant == tenant]
        began += [q.stages[0][0] for q in self.happened.quotes if q.tenant == tenant]
        month = min(began).replace(day=1) if began else None
        while month is not None and month <= self._today(tenant):
            yield month
            month = _next_month(month)

    def _payments(self) -> Table:
        lengths: dict[Any, list[int]] = defaultdict(list)
        for bill in self.happened.bills:
            if bill.paid is not None:
                key = (bill.paid.replace(day=1), bill.tenant)
                lengths[key].append((bill.paid - bill.issued).days)
        return Table(
            "client_payments_monthly",
            "month × tenant in which an invoice was paid in full",
            "such invoices, and the days from their issue until then: median and 90th percentile",
            ("month_start", "tenant_id", "invoices_paid", "days_p50", "days_p90"),
            (
                (
                    key[0], self._id("tenant", key[1]), len(lengths[key]),
                    _between(lengths[key], Decimal("0.5")), _between(lengths[key], Decimal("0.9")),
                )
                for key in sorted(lengths)
            ),
        )  # fmt: skip


def judged_due(due: list[tuple[date, date]]) -> date:
    """The due date by which it is judged: one that is moved less than a week before it stays."""
    standing = due[0][0]
    for moved, since in due[1:]:
        if since <= standing - timedelta(days=NOTICE_DAYS):
            standing = moved
    return standing


def shares(deliverables: Iterable[Deliverable]) -> dict[int, Decimal]:
    """Each deliverable's part of what is of all of them: by quoted value, equal where none is quoted."""
    quoted = {part.number: Decimal(part.quoted or 0) for part in deliverables}
    total = sum(quoted.values())
    if not total:
        return {number: Decimal(1) / len(quoted) for number in quoted}
    return {number: amount / total for number, amount in quoted.items()}


def _stage(quote: Quote, day: date) -> str:
    """Where the quote stood at the end of a day; nowhere before it was written."""
    return next((stage for since, stage in reversed(quote.stages) if since <= day), "")


def _whole(cents: Decimal) -> int:
    return int(cents.quantize(Decimal(1), ROUND_HALF_UP))


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _between(values: list[int], share: Decimal) -> Decimal:
    """The percentile, in proportion between its neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
