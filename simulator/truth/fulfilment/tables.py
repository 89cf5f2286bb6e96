"""The tables of fulfilment: what happened, counted by the tenant's days.

What belongs here: counting. What does not: what happened (`happened`). Durations are seconds between
the instants at which events count; a percentile lies between its neighbours, in proportion.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from simulator.sources.events import Event
from simulator.timeline import DAY, SECOND, LocalDays, epoch_day
from simulator.truth.fulfilment.happened import Attempt, Decision, Happened
from simulator.truth.table import Table, entity_uuid

SIGNS = 12
Key = tuple[Any, ...]


@dataclass
class Tally:
    """Counts and durations of one row."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    members: dict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))


Tallies = dict[Key, Tally]


@dataclass(frozen=True)
class Fulfilment:
    """Counts what happened on one product's marketplaces, whose calendars are `days`, up to `as_of`."""

    product: str
    happened: Happened
    days: Mapping[str, LocalDays]
    as_of: int

    def tables(self) -> list[Table]:
        return [
            self._orders(),
            self._readers(),
            self._payments(),
            self._calls(),
            self._content(),
            self._moderation(),
        ]

    def _day(self, tenant: str, event: Event) -> date:
        return self.days[tenant].day(event.counted_at)

    def _orders(self) -> Table:
        tallies: Tallies = defaultdict(Tally)
        for order in self.happened.orders:

            def row(
                event: Event, tenant: str = order.tenant, rest: Key = (order.service, order.country)
            ) -> Tally:
                return tallies[(self._day(tenant, event), tenant, *rest)]

            row(order.created).counts["orders_created"] += 1
            if order.assigned:
                first = order.assigned[0][0]
                row(first).counts["orders_assigned"] += 1
                row(first).seconds["ttf_response"].append(_between(order.created, first))
            if order.completed is not None:
                row(order.completed).counts["orders_completed"] += 1
                if order.cancelled is None:
                    row(order.completed).seconds["ttf_delivery"].append(
                        _between(order.created, order.completed)
                    )
            if order.cancelled is not None:
                row(order.cancelled).counts["orders_cancelled"] += 1
            decisions = [decision for decision, _ in order.decisions]
            _judge(decisions, row, ("approvals", "rejections"), "ttf_approval")
            rejections = sum(not decision.is_approval for decision in decisions)
            for tally in {id(t): t for t in (row(d.event) for d in decisions)}.values():
                tally.counts["orders_decided"] += 1
                tally.counts["rejection_loop_orders"] += rejections >= 2
        counts = (
            "orders_created", "orders_assigned", "orders_completed", "orders_cancelled",
            "approvals", "rejections", "orders_decided", "rejection_loop_orders",
        )  # fmt: skip
        return self._table(
            "fulfilment_daily",
            ("service_code", "country_code"),
            "orders by what was done with them that day; durations of what ended that day",
            counts,
            ("ttf_response", "ttf_delivery", "ttf_approval"),
            tallies,
        )

    def _readers(self) -> Table:
        tallies: Tallies = defaultdict(Tally)
        for order in self.happened.orders:

            def row(event: Event, reader: str, tenant: str = order.tenant) -> Tally:
                return tallies[
                    self._day(tenant, event), tenant, entity_uuid(self.product, "user", reader)
                ]

            known: set[str] = set()
            for event, reader in order.assigned:
                if reader not in known:
                    row(event, reader).counts["orders_assigned"] += 1
                known.add(reader)
            for decision, reader in order.decisions:
                name = "approvals" if decision.is_approval else "rejections"
                row(decision.event, reader).counts[name] += 1
            if order.completed is not None:
                tally = row(order.completed, order.assigned[-1][1])
                tally.counts["orders_completed"] += 1
                if order.cancelled is None:
                    tally.seconds["ttf_delivery"].append(_between(order.created, order.completed))
        return self._table(
            "fulfilment_readers_daily",
            ("reader_id",),
            "orders by their reader (whom they were assigned to last before it happened)",
            ("orders_assigned", "orders_completed", "approvals", "rejections"),
            ("ttf_delivery",),
            tallies,
        )

    def _payments(self) -> Table:
        tallies: Tallies = defaultdict(Tally)
        for attempt in self.happened.attempts:
            key = (attempt.provider, attempt.country, attempt.currency)
            counts = tallies[
                (self._day(attempt.tenant, attempt.event), attempt.tenant, *key)
            ].counts
            counts["attempts"] += 1
            counts["fallback_attempts"] += attempt.is_fallback
            if _is_in_time(attempt):
                counts["successes" if attempt.has_succeeded else "failures"] += 1
                counts["amount_cents"] += attempt.amount if attempt.has_succeeded else 0
            elif attempt.answer is not None:
                day = self._day(attempt.tenant, attempt.answer)
                tallies[(day, attempt.tenant, *key)].counts["stray_answers"] += 1
        for refund in self.happened.refunds:
            key = (refund.provider, refund.country, refund.currency)
            counts = tallies[(self._day(refund.tenant, refund.event), refund.tenant, *key)].counts
            counts["refunds"] += 1
            counts["refunded_cents"] += refund.amount
        return self._table(
            "payments_daily",
            ("provider", "country_code", "currency"),
            "attempts of the day and what became of them within 24 hours; answers that came later "
            "(`stray_answers`) and refunds by their own day",
            (
                "attempts", "successes", "failures", "fallback_attempts", "stray_answers",
                "refunds", "amount_cents", "refunded_cents",
            ),
            (),
            tallies,
        )  # fmt: skip

    def _calls(self) -> Table:
        tallies: Tallies = defaultdict(Tally)
        for call in self.happened.calls:
            day = self._day(call.tenant, call.started)
            tally = tallies[day, call.tenant, call.service, call.country]
            tally.counts["calls_attempted"] += 1
            if not call.is_answered:
                continue
            tally.counts["calls_answered"] += 1
            tally.counts["calls_dropped"] += call.is_dropped
            tally.counts["calls_completed"] += call.has_ended and not call.is_dropped
            tally.counts["calls_recorded"] += call.is_recorded
            if call.seconds is not None:
                tally.seconds["duration"].append(call.seconds)
        names = ("attempted", "answered", "completed", "dropped", "recorded")
        return self._table(
            "calls_daily",
            ("service_code", "country_code"),
            "calls by the day they started; their length as told at their end",
            tuple(f"calls_{name}" for name in names),
            ("duration",),
            tallies,
        )

    def _content(self) -> Table:
        tallies: Tallies = defaultdict(Tally)
        for text in self.happened.horoscopes:

            def row(event: Event, tenant: str = text.tenant) -> Tally:
                return tallies[self._day(tenant, event), tenant]

            for upload in text.uploads:
                row(upload).counts["uploaded"] += 1
            _judge(text.decisions, row, ("approved", "rejected"), "approval_latency")
            if text.published:
                days = self.days[text.tenant]
                for_day = next(d for d in days.dates if epoch_day(d) == text.for_day)
                if for_day <= days.day(self.as_of):
                    tallies[for_day, text.tenant].members["signs_published"].add(text.sign)
        for tally in tallies.values():
            tally.counts["signs_published"] = len(tally.members["signs_published"])
        return self._table(
            "content_daily",
            (),
            f"signs of {SIGNS} that were published for the day; what was uploaded and decided on it",
            ("signs_published", "uploaded", "approved", "rejected"),
            ("approval_latency",),
            tallies,
        )

    def _moderation(self) -> Table:
        tallies: Tallies = defaultdict(Tally)
        for content in self.happened.flagged:
            for flag in content.flags:
                tallies[self._day(content.tenant, flag), content.tenant].counts[
                    "content_flagged"
                ] += 1
            if content.decision is not None:
                tally = tallies[self._day(content.tenant, content.decision), content.tenant]
                tally.counts["decisions"] += 1
                tally.seconds["decision_latency"].append(
                    _between(content.flags[0], content.decision)
                )
            if content.appeal is not None:
                tallies[self._day(content.tenant, content.appeal), content.tenant].counts[
                    "appeals"
                ] += 1
        return self._table(
            "moderation_daily",
            (),
            "flags, decisions and appeals by their day; a decision waits since the first flag",
            ("content_flagged", "decisions", "appeals"),
            ("decision_latency",),
            tallies,
        )

    def _table(
        self,
        name: str,
        keys: tuple[str, ...],
        meaning: str,
        counts: tuple[str, ...],
        durations: tuple[str, ...],
        tallies: Tallies,
    ) -> Table:
        def rows() -> Iterator[tuple[Any, ...]]:
            for key in sorted(tallies):
                day, tenant, *rest = key
                tally = tallies[key]
                numbers = [tally.counts[count] for count in counts]
                lengths = [text for name in durations for text in _lengths(tally.seconds[name])]
                yield (day, entity_uuid(self.product, "tenant", tenant), *rest, *numbers, *lengths)

        columns = [f"{d}_seconds_{part}" for d in durations for part in ("avg", "p50", "p95")]
        grain = " × ".join(
            ["day", "tenant", *(key.removesuffix("_code").removesuffix("_id") for key in keys)]
        )
        return Table(
            name=name,
            grain=f"{grain} on which anything of it happened",
            meaning=meaning,
            header=("metric_date", "tenant_id", *keys, *counts, *columns),
            rows=rows(),
        )


def _judge(
    decisions: Iterable[Decision],
    row: Callable[[Event], Tally],
    names: tuple[str, str],
    duration: str,
) -> None:
    """Decisions by their day, and how long each that waited had to wait."""
    for decision in decisions:
        tally = row(decision.event)
        tally.counts[names[0] if decision.is_approval else names[1]] += 1
        tally.seconds[duration] += [_between(event, decision.event) for event in decision.waiting]


def _between(first: Event, second: Event) -> float:
    return (second.counted_at - first.counted_at) / SECOND


def _is_in_time(attempt: Attempt) -> bool:
    answer = attempt.answer
    return answer is not None and answer.counted_at - attempt.event.counted_at <= DAY


def _lengths(seconds: list[float]) -> tuple[str, str, str]:
    """Mean, median and 95th percentile; empty where there is nothing to measure."""
    if not seconds:
        return "", "", ""
    ordered = sorted(seconds)

    def percentile(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    numbers = (sum(ordered) / len(ordered), percentile(0.5), percentile(0.95))
    return f"{numbers[0]:.6f}", f"{numbers[1]:.6f}", f"{numbers[2]:.6f}"
