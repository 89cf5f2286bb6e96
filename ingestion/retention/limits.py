"""Until when each tenant's events may go, by the rule of a dataset and the holds that stand: pg_temp.retention_limits.

The day of an event is its tenant's own. Belongs here: that table. Does not belong here: what goes by it (`events`,
`facts`).
"""

from datetime import datetime
from typing import Any

import psycopg

from ingestion.retention.rules import LENGTH, WORDS

# Until when each tenant's events may go. What a hold touches of a day of UTC it keeps as a whole, since models
# count a day together.
# Whoever holds raw events holds what is made of each of them, too.
# A midnight that the clock shows twice is the first of both, as in models (macro day_start).
_LIMITS = f"""
create temporary table retention_limits on commit preserve rows as
with tenants as (
    select distinct days.product, days.tenant_id, zones.timezone
    from intermediate.int_core__tenant_days as days
    inner join intermediate.int_core__tenant_timezones as zones on days.tenant_id = zones.tenant_id
),
kept as (
    select
        tenants.product, tenants.tenant_id, tenants.timezone,
        {WORDS} as rule,
        cast(
            cast(%(as_of)s::timestamptz at time zone tenants.timezone as date) - {LENGTH} as date
        ) as kept_from
    from tenants
    inner join governance.retention_policies as rules
        on tenants.product = rules.product and rules.dataset = %(dataset)s and rules.bound = 'at_most'
),
held as (
    select kept.product, kept.tenant_id, range_agg(daterange(
        cast(cast(holds.first_day as timestamp) at time zone kept.timezone at time zone 'UTC' as date),
        cast(
            cast(holds.last_day + 1 as timestamp) at time zone kept.timezone at time zone 'UTC'
            - interval '1 microsecond' as date
        ),
        '[]'
    )) as days
    from kept
    inner join ops.legal_holds as holds
        on
            holds.lifted_at is null and holds.dataset in ('*', 'raw_events', %(dataset)s)
            and holds.product in ('*', kept.product)
            and (holds.tenant_id is null or kept.tenant_id = holds.tenant_id)
    group by kept.product, kept.tenant_id
)
select
    kept.*,
    begun.kept_from_at as gone_before,
    cast(
        begun.kept_from_at at time zone 'UTC' + interval '1 day' - interval '1 microsecond' as date
    ) as closed_before,
    coalesce(held.days, '{{}}'::datemultirange) as held_days,
    closed.days as closed_days,
    coalesce(closed.held_days, '{{}}'::datemultirange) as left_days,
    closed.gone_before as former_gone_before
from kept
cross join lateral (
    select least(
        cast(kept.kept_from as timestamp) at time zone kept.timezone,
        (cast(kept.kept_from as timestamp) - interval '1 hour') at time zone kept.timezone + interval '1 hour'
    ) as kept_from_at
) as begun
left join held on kept.product = held.product and kept.tenant_id = held.tenant_id
left join ops.closed_days as closed on kept.product = closed.product and kept.tenant_id = closed.tenant_id
"""


def set_limits(conn: psycopg.Connection[Any], as_of: datetime, dataset: str) -> None:
    """What may go of a dataset, in the open transaction: until its end nobody places or lifts a hold, and whoever
    waits for that with a new one finds it in the next limits."""
    conn.execute("lock table ops.legal_holds in share mode")
    conn.execute("drop table if exists pg_temp.retention_limits")
    conn.execute(_LIMITS.encode(), {"as_of": as_of, "dataset": dataset})
    conn.execute("analyze retention_limits")
