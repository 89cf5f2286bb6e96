"""Six tables as somebody would write them for Postgres by hand, without dbt.

The same rows as the models', from the same inputs, with the same indexes. Belongs here: that SQL,
and the proof that the rows are equal. Does not belong here: clocks.
"""

from dataclasses import dataclass
from datetime import date

from benchmarks.stores import Store

EVENTS = """
    select
        e.event_id, e.tenant_id,
        coalesce(
            e.user_id, a.user_id,
            case when e.anonymous_id is not null
                then md5(e.product || '|anonymous|' || e.anonymous_id)::uuid end
        ) as user_id,
        e.session_id, e.product, e.event_name, e.event_domain, e.country_code, e.device_type,
        e.browser, e.properties, e.page_load_time_ms,
        coalesce(e.user_id, a.user_id) is null as is_anonymous, e.is_time_corrected,
        (e.occurred_at at time zone t.timezone)::date as date_key,
        e.event_date, e.occurred_at, e.received_at
    from raw_events.events as e
    join core.dim_tenant as t on t.tenant_id = e.tenant_id
    left join intermediate.int_core__user_aliases as a
        on (a.product, a.tenant_id, a.anonymous_id) = (e.product, e.tenant_id, e.anonymous_id)
    where {where}
"""
USER_DAYS = """
    select product, tenant_id, user_id, date_key, count(*) as event_count,
        min(occurred_at) as first_event_at, max(occurred_at) as last_event_at
    from core.fact_events
    where user_id is not null and {where} and event_name not in (
        select event_name from reference.engagement_event_roles where not is_activity
    )
    group by product, tenant_id, user_id, date_key
"""
SESSIONS = """
    with events as (
        select product, tenant_id, user_id, session_id, event_id, event_name, occurred_at
        from core.fact_events
        where (session_id is not null or user_id is not null) and {where} and event_name not in (
            select event_name from reference.engagement_event_roles where not is_activity
        )
    ),
    labelled as (
        select product, tenant_id, user_id, (sum(starts) over person)::text as label,
            true as is_derived, event_name, occurred_at
        from (
            select *, case when occurred_at <= lag(occurred_at) over person + interval '30 minutes'
                then 0 else 1 end as starts
            from events
            where session_id is null
            window person as (
                partition by product, tenant_id, user_id order by occurred_at, event_id)
        ) as spaced
        window person as (partition by product, tenant_id, user_id order by occurred_at, event_id
            rows unbounded preceding)
        union all
        select product, tenant_id,
            coalesce(user_id, first_value(user_id) over (
                partition by product, tenant_id, session_id
                order by user_id is null, occurred_at, event_id)),
            session_id, false, event_name, occurred_at
        from events
        where session_id is not null
    ),
    sessions as (
        select product, tenant_id, user_id, label, is_derived,
            min(occurred_at) as started_at, max(occurred_at) as ended_at,
            count(*) as event_count,
            count(distinct date_trunc('minute', occurred_at)) as active_minutes,
            count(distinct event_name) as feature_count
        from labelled
        group by product, tenant_id, user_id, label, is_derived
    )
    select
        case when s.is_derived then md5(
            'session|' || s.product || '|' || s.tenant_id || '|' || coalesce(s.user_id::text, '')
            || '|' || {started}
        )::uuid::text else s.label end as session_id,
        s.user_id, s.tenant_id, s.product, s.started_at, s.ended_at,
        (s.started_at at time zone t.timezone)::date as date_key,
        s.event_count, s.active_minutes, s.feature_count,
        extract(epoch from s.ended_at - s.started_at) / 60 as session_minutes, s.is_derived,
        s.ended_at >= s.started_at + interval '23 hours' as is_long
    from sessions as s
    join core.dim_tenant as t on t.tenant_id = s.tenant_id
"""

ACTION_DAYS = """
    select product, tenant_id, user_id, event_name,
        coalesce(case event_name
            when 'onboarding_step_completed' then properties ->> 'step'
            when 'rentguy.onboarding.step_completed' then properties ->> 'stepCode'
            when 'feature_clicked' then properties ->> 'feature'
            when 'screen_viewed' then properties ->> 'screen'
            when 'page_viewed' then properties ->> 'page'
        end, '') as event_detail,
        date_key, count(*) as event_count,
        min(occurred_at) as first_event_at, max(occurred_at) as last_event_at
    from core.fact_events
    where user_id is not null and {where} and event_name not in (
        select event_name from reference.engagement_event_roles where not is_activity
    )
    group by 1, 2, 3, 4, 5, 6
"""
HOURS = """
    with minutes as (
        select product, tenant_id, user_id, event_date,
            date_trunc('minute', occurred_at, 'UTC') as minute_at, count(*) as events
        from core.fact_events
        where {where} and event_name not in (
            select event_name from reference.engagement_event_roles where not is_activity
        )
        group by 1, 2, 3, 4, 5
    ),
    hours as (
        select date_trunc('hour', minute_at, 'UTC') as hour_at, product, tenant_id, event_date,
            count(distinct user_id) as active_users, sum(events)::bigint as events,
            count(user_id) as active_minutes
        from minutes
        group by 1, 2, 3, 4
    ),
    sessions as (
        select date_trunc('hour', started_at, 'UTC') as hour_at, product, tenant_id,
            count(*) as sessions_started
        from core.fact_sessions
        group by 1, 2, 3
    )
    select h.hour_at, h.product, h.tenant_id, h.active_users, h.events,
        coalesce(s.sessions_started, 0) as sessions_started, h.active_minutes,
        h.hour_at < (
            select date_trunc('hour', max(coalesce(max_received_at, max_claimed_at)), 'UTC') from ops.source_watermarks
        ) as is_complete,
        h.event_date
    from hours as h left join sessions as s using (hour_at, product, tenant_id)
"""
USERS = """
    select product, tenant_id, user_id, min(date_key) as first_date, max(date_key) as last_date
    from intermediate.int_engagement__user_days
    where {where}
    group by product, tenant_id, user_id
"""


@dataclass(frozen=True)
class Table:
    """A mart, the SQL by hand with a place for a condition, and its indexes."""

    mart: str
    query: str
    day_column: str
    indexes: tuple[str, ...]
    compared: str = "*"


TABLES = {
    "fact_events": Table("core.fact_events", EVENTS, "event_date", ("date_key, tenant_id",)),
    "int_engagement__user_days": Table(
        "intermediate.int_engagement__user_days",
        USER_DAYS,
        "date_key",
        ("date_key, tenant_id", "tenant_id, user_id"),
    ),
    "fact_sessions": Table(
        "core.fact_sessions",
        SESSIONS.replace("{started}", "extract(epoch from s.started_at)::text"),
        "date_key",
        ("date_key, tenant_id", "is_long, ended_at", "session_id, tenant_id"),
    ),
    "int_engagement__user_action_days": Table(
        "intermediate.int_engagement__user_action_days",
        ACTION_DAYS,
        "date_key",
        ("date_key, tenant_id", "tenant_id, user_id"),
    ),
    "metrics_hourly_engagement": Table(
        "engagement.metrics_hourly_engagement",
        HOURS,
        "event_date",
        ("event_date, tenant_id",),
    ),
    "int_engagement__users": Table(
        "intermediate.int_engagement__users",
        USERS,
        "first_date",
        ("tenant_id, user_id", "first_date, tenant_id"),
    ),
}
DAILY = (
    "fact_events",
    "int_engagement__user_days",
)  # a day of sessions is no plain delete and insert


def create(store: Store, name: str) -> None:
    """The whole table with its indexes."""
    table = TABLES[name]
    with store.warehouse.connect() as connection:
        connection.execute("create schema if not exists hand")
        connection.execute(f"drop table if exists hand.{name}")
        connection.execute(f"create table hand.{name} as {table.query.format(where='true')}")
        for columns in table.indexes:
            connection.execute(f"create index on hand.{name} ({columns})")
        connection.execute(f"analyze hand.{name}")


def create_all(store: Store) -> None:
    for name in DAILY:
        create(store, name)


def replace_day(store: Store, name: str, day: date) -> None:
    """One day's rows anew."""
    table = TABLES[name]
    condition = f"{table.day_column} = date '{day}'"
    query = table.query.format(where=condition)
    with store.warehouse.connect() as connection:
        connection.execute(f"delete from hand.{name} where {condition}")
        connection.execute(f"insert into hand.{name} {query}")


def differing_rows(store: Store, name: str, day: date | None = None) -> int:
    """How many rows only one of the two tables holds."""
    table = TABLES[name]
    condition = f"{table.day_column} = date '{day}'" if day else "true"
    mart, hand = (
        f"select {table.compared} from {place} where {condition}"
        for place in (table.mart, f"hand.{name}")
    )
    return int(
        store.value(
            f"select count(*) from (({mart} except {hand}) union all ({hand} except {mart})) as d"
        )
    )
