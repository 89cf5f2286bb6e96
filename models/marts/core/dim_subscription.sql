with states as (

    select * from {{ ref('int_revenue__subscription_states') }}
    where policy = 'standard'

),

periods as (

    select * from {{ ref('int_revenue__subscription_periods') }}
    where policy = 'standard'

),

attributes as (

    select * from {{ ref('int_revenue__subscription_attributes') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

rates as (

    select * from {{ ref('int_revenue__fx_daily') }}

),

newest as (

    select
        *,
        row_number() over (
            partition by subscription_id, product, provider
            order by state_number desc
        ) as age_rank
    from states

),

running as (

    select
        product,
        provider,
        subscription_id,
        max(case when valid_to is null then mrr_source_cents end) as mrr_source_cents,
        max(valid_to) as last_valid_to
    from periods
    group by product, provider, subscription_id

),

ended as (

    select
        newest.*,
        running.mrr_source_cents as running_source_cents,
        -- no state that goes on: it is over, whether or not an event said so
        running.mrr_source_cents is null as has_ended,
        coalesce(running.last_valid_to, newest.effective_at) as last_valid_to
    from newest
    left join running
        on
            newest.product = running.product
            and newest.provider = running.provider
            and newest.subscription_id = running.subscription_id
    where newest.age_rank = 1

),

final as (

    select
        ended.subscription_id,
        ended.tenant_id,
        ended.user_id,
        ended.customer_id,

        ended.product,
        ended.provider,
        ended.plan,
        case when ended.has_ended and not ended.is_over then 'canceled' else ended.status end as status,
        ended.currency,
        ended.billing_interval,

        cast(ended.quantity as bigint) as quantity,
        cast(
            round(coalesce(ended.running_source_cents, 0) * {{ fx_rate('ended.currency', 'rates.rate') }})
            as bigint
        ) as mrr_cents,

        attributes.started_at,
        attributes.trial_ends_at,
        attributes.cancel_requested_at,
        case when ended.has_ended then coalesce(attributes.ended_at, ended.last_valid_to) end as ended_at
    from ended
    inner join attributes
        on ended.subscription_id = attributes.subscription_id and ended.product = attributes.product
    left join tenants on ended.tenant_id = tenants.tenant_id
    left join rates
        on
            ended.currency = rates.currency
            and {{ as_of_date("coalesce(tenants.timezone, 'UTC')") }} = rates.rate_date

)

select * from final
