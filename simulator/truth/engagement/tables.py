"""The tables about use: people, sessions, retention, hours, features and onboarding of every product with events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from simulator.sources.events import Event
from simulator.timeline import LocalDays
from simulator.truth.engagement.actions import Actions, feature_days, hours, onboarding
from simulator.truth.engagement.use import (
    Session,
    active_days,
    daily_sessions,
    daily_users,
    friction,
    growth,
    retention,
    sessions,
)
from simulator.truth.table import Table, entity_uuid

Rows = list[tuple[Any, ...]]


@dataclass
class Use:
    """The use of all products, product after product."""

    daily: Rows = field(default_factory=list)
    retained: Rows = field(default_factory=list)
    visits: Rows = field(default_factory=list)
    met: Rows = field(default_factory=list)
    grown: Rows = field(default_factory=list)
    hours: Rows = field(default_factory=list)
    features: Rows = field(default_factory=list)
    onboarding: Rows = field(default_factory=list)

    def add(
        self,
        product: str,
        events: list[Event],
        calendars: dict[str, LocalDays],
        as_of: int,
        actions: Actions,
    ) -> list[Session]:
        """Takes in one product's events, as they were told in the end; returns its sessions."""
        table = active_days(events, calendars)
        horizons = {t: calendars[t].day(as_of) - timedelta(days=1) for t in table}
        self.daily += [
            (
                day,
                product,
                entity_uuid(product, "tenant", tenant),
                users,
                new,
                str(day <= horizons[tenant]).lower(),
            )
            for day, tenant, users, new in daily_users(table)
        ]
        self.retained += [
            (product, entity_uuid(product, "tenant", tenant), *rest)
            for tenant, *rest in retention(table, horizons)
        ]
        found = sessions(events, calendars)
        self.visits += [
            (day, product, entity_uuid(product, "tenant", tenant), *rest)
            for day, tenant, *rest in daily_sessions(found)
        ]
        self.met += [
            (day, product, entity_uuid(product, "tenant", tenant), *rest)
            for day, tenant, *rest in friction(events, calendars)
        ]
        self.grown += [
            (day, product, entity_uuid(product, "tenant", tenant), *rest)
            for day, tenant, *rest in growth(product, events, calendars, table, horizons)
        ]
        self.hours += [
            (hour, product, entity_uuid(product, "tenant", tenant), *rest)
            for hour, tenant, *rest in hours(events, found)
        ]
        self.features += [
            (day, product, entity_uuid(product, "tenant", tenant), *rest)
            for day, tenant, *rest in feature_days(events, calendars, actions)
        ]
        self.onboarding += [
            (product, entity_uuid(product, "tenant", tenant), *rest)
            for tenant, *rest in onboarding(events, actions)
        ]
        return found

    def tables(self) -> Iterator[Table]:
        yield Table(
            name="dau_daily",
            grain="day × product × tenant with use",
            meaning=(
                "distinct people with any event; `new_users`: their first event ever; "
                "`is_complete` false for the running day"
            ),
            header=("metric_date", "product", "tenant_id", "dau", "new_users", "is_complete"),
            rows=self.daily,
        )
        yield Table(
            name="sessions_daily",
            grain="day × product × tenant with use",
            meaning=(
                "sessions that began that day (named ones, and runs of unnamed events without a "
                "gap over 30 minutes); minutes from first to last event; distinct clock minutes "
                "with an event, summed over sessions"
            ),
            header=(
                "metric_date",
                "product",
                "tenant_id",
                "sessions",
                "session_users",
                "events",
                "session_minutes",
                "active_minutes",
            ),
            rows=self.visits,
        )
        yield Table(
            name="cohort_retention",
            grain="product × tenant × cohort type × cohort × period × mode",
            meaning=(
                "cohort of first-ever event; only periods wholly over on the last complete day; "
                "weeks start on Monday"
            ),
            header=(
                "product",
                "tenant_id",
                "cohort_type",
                "cohort_start",
                "period_number",
                "mode",
                "cohort_size",
                "retained_users",
            ),
            rows=self.retained,
        )
        yield Table(
            name="friction_daily",
            grain="day × product × tenant × kind of friction that was met",
            meaning="how often somebody got stuck that way, and how many people did",
            header=(
                "metric_date",
                "product",
                "tenant_id",
                "friction_kind",
                "events",
                "users_affected",
            ),
            rows=self.met,
        )
        yield Table(
            name="growth_daily",
            grain="day × product × tenant, of products that tell how their users bring others",
            meaning=(
                "invitations of the day; of the 28 days that end with it: invitations accepted, "
                "people who took a higher plan (empty where the product does not tell), who "
                "recommended it, who were active; complete days only"
            ),
            header=(
                "metric_date",
                "product",
                "tenant_id",
                "invites_sent",
                "invites_accepted",
                "invites_accepted_28",
                "upgraded_users_28",
                "referring_users_28",
                "active_users_28",
            ),
            rows=self.grown,
        )
        yield Table(
            name="engagement_hourly",
            grain="UTC hour × product × tenant with use",
            meaning=(
                "distinct people with any event; events; sessions that began; distinct clock minutes "
                "with an event, summed over people"
            ),
            header=(
                "hour_at",
                "product",
                "tenant_id",
                "active_users",
                "events",
                "sessions_started",
                "active_minutes",
            ),
            rows=self.hours,
        )
        yield Table(
            name="feature_usage_daily",
            grain="day × product × tenant × feature with use",
            meaning="events that are a use of the feature, and distinct people behind them",
            header=(
                "metric_date",
                "product",
                "tenant_id",
                "feature_name",
                "usage_count",
                "unique_users_count",
            ),
            rows=self.features,
        )
        yield Table(
            name="onboarding_funnel",
            grain="product × tenant × step",
            meaning=(
                "people who had done all steps before it (of the first: who began at all), and those "
                "of them who have done it too, in any order"
            ),
            header=(
                "product",
                "tenant_id",
                "step_number",
                "step_name",
                "users_entered",
                "users_completed",
            ),
            rows=self.onboarding,
        )
