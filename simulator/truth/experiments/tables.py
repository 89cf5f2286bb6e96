"""What a right warehouse says about experiments: who saw what, and what each day had shown.

Belongs here: counting by day, each day anew from all that had happened by its end. Does not belong here:
statistics, which tests compare with a library's; noting (`happened`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from simulator.sources.events import Event
from simulator.timeline import LocalDays, iso
from simulator.truth.experiments.happened import Exposure, Trial
from simulator.truth.table import Table, entity_uuid

User = tuple[str, str]  # tenant and user, by the source's ids


@dataclass(frozen=True)
class Metric:
    """What counts as a conversion: an event and, where the name says too little, one of its properties."""

    name: str
    event: str
    detail: tuple[str, str] | None = None

    def counts(self, event: Event) -> bool:
        if event.name != self.event:
            return False
        return self.detail is None or event.properties.get(self.detail[0]) == self.detail[1]


@dataclass(frozen=True)
class Standing:
    """Where one user stands in one test at some moment."""

    variant: str | None
    first: int
    is_excluded: bool


class Experiments:
    """The tests of one product and all of its events; `primary` decides a test."""

    def __init__(
        self,
        product: str,
        trials: list[Trial],
        metrics: tuple[Metric, ...],
        primary: str,
        calendars: Mapping[str, LocalDays],
        as_of: int,
    ) -> None:
        self.product, self.trials, self.metrics = product, trials, metrics
        self.primary = next(metric for metric in metrics if metric.name == primary)
        self.calendars, self.as_of = calendars, as_of

    def tables(self, events: Iterable[Event]) -> list[Table]:
        done: dict[User, list[Event]] = defaultdict(list)
        for event in events:
            if event.user_id is not None and any(metric.counts(event) for metric in self.metrics):
                done[event.tenant_id, event.user].append(event)
        return [
            Table(
                name="experiments_daily",
                grain="day × A/B test × metric",
                meaning="users who saw one variant alone by the end of the day, those of them who "
                "converted after it, those who saw both",
                header=(
                    *("metric_date", "tenant_id", "test_id", "metric_name", "exposures_a", "exposures_b"),
                    *("conversions_a", "conversions_b", "excluded_users", "unknown_variant_users"),
                    "is_complete",
                ),
                rows=[row for trial in self.trials for row in self._days(trial, done)],
            ),
            Table(
                name="experiments_users",
                grain="A/B test × user who saw a variant",
                meaning="the variant (none where excluded), the first exposure and the first conversion after it",
                header=("test_id", "tenant_id", "user_id", "variant", "first_exposed_at", "converted_at"),
                rows=[row for trial in self.trials for row in self._users(trial, done)],
            ),
        ]  # fmt: skip

    def _users(self, trial: Trial, done: Mapping[User, list[Event]]) -> Iterator[tuple[Any, ...]]:
        for user, exposures in sorted(self._seen(trial).items()):
            standing = self._standing(exposures)
            found = self._conversions(trial, self.primary, user, standing.first, done)
            yield (
                entity_uuid(self.product, "ab_test", str(trial.test_id)),
                entity_uuid(self.product, "tenant", user[0]),
                entity_uuid(self.product, "user", user[1]),
                "" if standing.is_excluded else standing.variant,
                iso(standing.first),
                iso(min(found)) if found else "",
            )

    def _days(self, trial: Trial, done: Mapping[User, list[Event]]) -> Iterator[tuple[Any, ...]]:
        seen = self._seen(trial)
        if not seen:
            return
        running = [self.calendars[tenant].day(self.as_of) for tenant, _ in seen]
        day = min(self._day(user, e.event) for user, es in seen.items() for e in es)
        last = min(max(running), trial.last or date.max)
        while day <= last:
            for metric in self.metrics:
                yield (
                    day.isoformat(),
                    entity_uuid(self.product, "tenant", trial.tenant or self.product),
                    entity_uuid(self.product, "ab_test", str(trial.test_id)),
                    metric.name,
                    *self._counts(trial, metric, day, seen, done),
                    str(day < min(running)).lower(),
                )
            day += timedelta(days=1)

    def _counts(
        self,
        trial: Trial,
        metric: Metric,
        day: date,
        seen: Mapping[User, list[Exposure]],
        done: Mapping[User, list[Event]],
    ) -> tuple[int, ...]:
        """A and B exposed, A and B converted, in both variants, in none that is known."""
        exposed, converted, both, unknown = {"A": 0, "B": 0}, {"A": 0, "B": 0}, 0, 0
        for user, exposures in seen.items():
            known = [e for e in exposures if self._day(user, e.event) <= day]
            if not known:
                continue
            standing = self._standing(known)
            if standing.variant is None:
                unknown += 1
            elif standing.is_excluded:
                both += 1
            else:
                exposed[standing.variant] += 1
                found = self._conversions(trial, metric, user, standing.first, done)
                calendar = self.calendars[user[0]]
                converted[standing.variant] += any(calendar.day(at) <= day for at in found)
        return (*exposed.values(), *converted.values(), both, unknown)

    def _seen(self, trial: Trial) -> dict[User, list[Exposure]]:
        """The exposures that count, by user: of the test's own tenant, while it ran."""
        seen: dict[User, list[Exposure]] = defaultdict(list)
        for exposure in trial.exposures:
            if exposure.event.is_refused:
                continue
            user = exposure.event.tenant_id, exposure.event.user
            day = self._day(user, exposure.event)
            if trial.tenant in (None, user[0]) and trial.first <= day <= (trial.last or date.max):
                seen[user].append(exposure)
        return seen

    @staticmethod
    def _standing(exposures: list[Exposure]) -> Standing:
        known = [e for e in exposures if e.variant is not None] or exposures
        first = min(known, key=lambda e: (e.event.counted_at, e.variant or ""))
        variants = {e.variant for e in known}
        return Standing(
            first.variant, first.event.counted_at, len(variants) > 1 or None in variants
        )

    def _conversions(
        self, trial: Trial, metric: Metric, user: User, after: int, done: Mapping[User, list[Event]]
    ) -> list[int]:
        """When the user did what the metric counts, after the exposure and until the test's last day."""
        return [
            event.counted_at
            for event in done.get(user, ())
            if metric.counts(event)
            and event.counted_at > after
            and (trial.last is None or self._day(user, event) <= trial.last)
        ]

    def _day(self, user: User, event: Event) -> date:
        return self.calendars[user[0]].day(event.counted_at)
