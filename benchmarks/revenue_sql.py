"""MRR of every tenant and day as somebody would write it for Postgres by hand, from the webhooks.

It knows the `standard` policy, one currency, UTC and one item a subscription, which is all that
`billing` tells. Belongs here: that SQL, and the proof that its rows are the mart's. Does not belong
here: clocks.
"""

from benchmarks.stores import Store

COMPARED = (
    "metric_date, product, tenant_id, opening_mrr_cents, new_mrr_cents, expansion_mrr_cents,"
    " contraction_mrr_cents, churn_mrr_cents, reactivation_mrr_cents, net_mrr_cents, paying_customers"
)
DAILY_MRR = """
    create table hand.daily_mrr as
    with versions as (
        select product, created_at, payload #>> '{data,object,id}' as subscription,
            payload #>> '{data,object,customer}' as customer,
            (payload #>> '{data,object,metadata,tenant_id}')::uuid as tenant_id,
            case when payload #>> '{data,object,status}' = 'active' then
                (payload #>> '{data,object,items,data,0,quantity}')::bigint
                * (payload #>> '{data,object,items,data,0,price,unit_amount}')::bigint
                / case payload #>> '{data,object,items,data,0,price,recurring,interval}'
                    when 'year' then 12 else 1 end
            else 0 end as mrr
        from raw_stripe.events
        where event_type like 'customer.subscription.%' and livemode
    ),
    changes as (
        select product, tenant_id, customer, created_at,
            mrr - coalesce(lag(mrr) over (
                partition by product, subscription order by created_at), 0) as change
        from versions
    ),
    moments as (
        select product, tenant_id, customer, created_at, sum(change) as change
        from changes where change <> 0
        group by product, tenant_id, customer, created_at
    ),
    balances as (
        select *,
            sum(change) over customer_moments as after,
            row_number() over customer_moments as number
        from moments
        window customer_moments as (partition by product, tenant_id, customer order by created_at)
    ),
    named as (
        select product, tenant_id, (created_at at time zone 'UTC')::date as metric_date, change,
            case when after = change and number = 1 then 'new' when after = change then 'reactivation'
                when after = 0 then 'churn' when change > 0 then 'expansion' else 'contraction'
            end as kind
        from balances
    ),
    days as (
        select product, tenant_id, metric_date, sum(change) as change,
            coalesce(sum(change) filter (where kind = 'new'), 0) as new_mrr_cents,
            coalesce(sum(change) filter (where kind = 'expansion'), 0) as expansion_mrr_cents,
            coalesce(-sum(change) filter (where kind = 'contraction'), 0) as contraction_mrr_cents,
            coalesce(-sum(change) filter (where kind = 'churn'), 0) as churn_mrr_cents,
            coalesce(sum(change) filter (where kind = 'reactivation'), 0) as reactivation_mrr_cents,
            count(*) filter (where kind in ('new', 'reactivation'))
                - count(*) filter (where kind = 'churn') as customers
        from named group by product, tenant_id, metric_date
    ),
    tenants as (
        select product, tenant_id, min(metric_date) as first_date from days group by product, tenant_id
    ),
    spine as (
        select product, tenant_id, generate_series(first_date, (
            select (max(received_at) at time zone 'UTC')::date from raw_stripe.events
        ), interval '1 day')::date as metric_date
        from tenants
    )
    select s.metric_date, s.product, s.tenant_id,
        (sum(coalesce(d.change, 0)) over tenant_days - coalesce(d.change, 0))::bigint as opening_mrr_cents,
        coalesce(d.new_mrr_cents, 0)::bigint as new_mrr_cents,
        coalesce(d.expansion_mrr_cents, 0)::bigint as expansion_mrr_cents,
        coalesce(d.contraction_mrr_cents, 0)::bigint as contraction_mrr_cents,
        coalesce(d.churn_mrr_cents, 0)::bigint as churn_mrr_cents,
        coalesce(d.reactivation_mrr_cents, 0)::bigint as reactivation_mrr_cents,
        (sum(coalesce(d.change, 0)) over tenant_days)::bigint as net_mrr_cents,
        (sum(coalesce(d.customers, 0)) over tenant_days)::bigint as paying_customers
    from spine as s left join days as d using (product, tenant_id, metric_date)
    window tenant_days as (partition by s.product, s.tenant_id order by s.metric_date)
"""


def create(store: Store) -> None:
    """The table, its index and its statistics."""
    with store.warehouse.connect() as connection:
        connection.execute("create schema if not exists hand")
        connection.execute("drop table if exists hand.daily_mrr")
        connection.execute(DAILY_MRR)
        connection.execute("create index on hand.daily_mrr (metric_date, tenant_id)")
        connection.execute("analyze hand.daily_mrr")


def differing_rows(store: Store) -> int:
    """How many rows only one of mart and hand holds."""
    mart = f"select {COMPARED} from revenue.metrics_daily_tenant_mrr where policy = 'standard'"
    hand = f"select {COMPARED} from hand.daily_mrr"
    return int(
        store.value(
            f"select count(*) from (({mart} except {hand}) union all ({hand} except {mart})) as d"
        )
    )
