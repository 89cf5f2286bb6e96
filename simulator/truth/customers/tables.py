"""The tables about customers: tickets and known use by day, answers by month, in the tenant's own calendar.

What belongs here: counting. What does not: what happened (`happened`), windows of use (`use`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from typing import Any

from simulator.sources.events import Event
from simulator.timeline import MINUTE, LocalDays
from simulator.truth.customers.happened import Answer, Ticket
from simulator.truth.customers.use import known_use
from simulator.truth.table import Table, entity_uuid

# minutes until the first response and until the resolution that each priority allows; nobody closes at night
LIMITS = {"urgent": (60, 480), "high": (240, 1440), "normal": (480, 2880), "low": (1440, 7200)}
NPS_GROUPS = ((9, 10), (7, 8), (0, 6))
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Support:
    """Counts one product's tickets up to `as_of`."""

    product: str
    tickets: list[Ticket]
    days: Mapping[str, LocalDays]
    as_of: int

    def tables(self) -> list[Table]:
        return [self._tickets(), self._daily()]

    def _tickets(self) -> Table:
        def row(ticket: Ticket) -> tuple[Any, ...]:
            resolved = None if ticket.is_open else ticket.resolved[-1]
            return (
                entity_uuid(self.product, "ticket", str(ticket.number)),
                entity_uuid(self.product, "tenant", ticket.tenant),
                ticket.priority,
                len(ticket.reopened),
                _minutes(ticket.opened, ticket.answered),
                _minutes(ticket.opened, resolved),
                {True: 1, False: 0, None: ""}[self._breached(ticket, resolved)],
            )

        return Table(
            "tickets",
            "ticket",
            "minutes until the first answer and the last resolution; whether the limits of its priority "
            "were broken (1), kept (0) or neither yet",
            (
                "ticket_id", "tenant_id", "priority", "reopen_count", "first_response_minutes",
                "resolution_minutes", "is_sla_breached",
            ),
            [row(ticket) for ticket in self.tickets],
        )  # fmt: skip

    def _breached(self, ticket: Ticket, resolved: int | None) -> bool | None:
        found = []
        for until, limit in zip((ticket.answered, resolved), LIMITS[ticket.priority], strict=True):
            late = (until or self.as_of) - ticket.opened > limit * MINUTE
            found.append(late if until is not None or late else None)
        return True if True in found else None if None in found else False

    def _daily(self) -> Table:
        counts: dict[tuple[str, date], dict[str, list[float]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for ticket in self.tickets:
            days = self.days[ticket.tenant]

            def note(name: str, at: int, value: float = 1.0, ticket: Ticket = ticket) -> None:
                counts[ticket.tenant, days.day(at)][name].append(value)  # noqa: B023

            note("opened", ticket.opened)
            if ticket.answered is not None:
                note("answered", ticket.answered, (ticket.answered - ticket.opened) / MINUTE)
            for at in ticket.reopened:
                note("reopened", at)
            for at in ticket.resolved:
                note("resolved", at, (at - ticket.opened) / MINUTE)
                note("breached", at, float(bool(self._breached(ticket, at))))
        return Table(
            "tickets_daily",
            "day × tenant from its first ticket on",
            "what happened to tickets that day, each resolution on its own; those open at its end; "
            "medians of its answers and resolutions in minutes; resolutions that came or were answered too late",
            (
                "metric_date", "tenant_id", "opened", "reopened", "answered", "resolved", "backlog",
                "first_response_minutes_median", "resolution_minutes_median", "sla_breached",
            ),
            list(self._days(counts)),
        )  # fmt: skip

    def _days(self, counts: dict[tuple[str, date], dict[str, list[float]]]) -> Iterator[Any]:
        for tenant in sorted({tenant for tenant, _ in counts}):
            day, backlog = min(d for t, d in counts if t == tenant), 0
            while day <= self.days[tenant].day(self.as_of):
                row = counts.get((tenant, day), defaultdict(list))
                numbers = {n: len(row[n]) for n in ("opened", "reopened", "answered", "resolved")}
                backlog += numbers["opened"] + numbers["reopened"] - numbers["resolved"]
                yield (
                    day,
                    entity_uuid(self.product, "tenant", tenant),
                    *numbers.values(),
                    backlog,
                    *(f"{median(row[n]):.6f}" if row[n] else "" for n in ("answered", "resolved")),
                    int(sum(row["breached"])),
                )
                day += timedelta(days=1)


def _minutes(begin: int, end: int | None) -> str:
    return "" if end is None else f"{(end - begin) / MINUTE:.6f}"


@dataclass
class Customers:
    """What the customers of all products answered and how they were seen to use it, product after product."""

    counted: dict[str, Rows] = field(default_factory=lambda: defaultdict(list))
    used: Rows = field(default_factory=list)

    def add(self, product: str, answers: Iterable[Answer], days: Mapping[str, LocalDays]) -> None:
        """Of each respondent the last answer of a kind in a month counts."""
        last: dict[tuple[str, date, str, str], Answer] = {}
        for answer in sorted(answers, key=lambda answer: answer.at):
            if isinstance(answer.told, Event) and answer.told.is_refused:
                continue
            month = days[answer.tenant].day(answer.at).replace(day=1)
            last[answer.kind, month, answer.tenant, answer.respondent] = answer
        scores: dict[tuple[str, date, str], list[int]] = defaultdict(list)
        for (kind, month, tenant, _), answer in last.items():
            scores[kind, month, tenant].append(answer.score)
        for (kind, month, tenant), given in sorted(scores.items()):
            key = (month, product, entity_uuid(product, "tenant", tenant), len(given))
            groups = [sum(s >= 4 for s in given), sum(given)]
            if kind == "NPS":
                groups = [sum(low <= s <= high for s in given) for low, high in NPS_GROUPS]
            self.counted[kind].append((*key, *groups))

    def hear(
        self, product: str, events: list[Event], days: Mapping[str, LocalDays], as_of: int
    ) -> None:
        """Takes in one product's events, as they were told in the end."""
        last = {tenant: days[tenant].day(as_of) - timedelta(days=1) for tenant in days}
        self.used += [
            (day, product, entity_uuid(product, "tenant", tenant), *rest)
            for day, tenant, *rest in known_use(events, days, last)
        ]

    def tables(self) -> Iterator[Table]:
        yield Table(
            "known_use_daily",
            "day × product × tenant since its first day of use that is over",
            "what had arrived by the end of the day about the 28 days that end with it: people named by their events, "
            "days with any of them, their days (and those of the 28 days before), visits, friction, rosters, overrides",
            (
                "metric_date", "product", "tenant_id", "active_users_28", "active_days_28", "user_days_28",
                "former_user_days_28", "visit_count_28", "friction_count_28", "roster_count_28",
                "override_count_28",
            ),
            self.used,
        )  # fmt: skip
        yield Table(
            "nps_monthly",
            "month × product × tenant with answers",
            "respondents by their last answer of the month: 9 and 10, 7 and 8, 0 to 6",
            (
                "month_start", "product", "tenant_id", "responses", "promoters", "passives",
                "detractors",
            ),
            self.counted["NPS"],
        )  # fmt: skip
        yield Table(
            "csat_monthly",
            "month × product × tenant with answers",
            "respondents by their last answer of the month: how many said 4 or 5, the sum of what they said",
            ("month_start", "product", "tenant_id", "responses", "satisfied", "score_sum"),
            self.counted["CSAT"],
        )
