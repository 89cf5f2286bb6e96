{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'anonymous_id']}],
    meta={'affected': {'key': ['tenant_id', 'anonymous_id']}},
) }}

-- Two users of one device: the first to be identified owns the anonymous events, whatever arrives later.
with identifications as (

    select * from {{ ref('int_core__identifications_daily') }}

),

ranked as (

    select
        product,
        tenant_id,
        anonymous_id,
        user_id,

        event_date as identified_date,
        row_number() over (
            partition by product, tenant_id, anonymous_id
            order by first_occurred_at asc, user_id asc
        ) as rank_number
    from identifications
    where {{ is_affected('identifications.tenant_id', 'identifications.anonymous_id') }}

),

final as (

    select
        product,
        tenant_id,
        anonymous_id,
        user_id,

        identified_date
    from ranked
    where rank_number = 1

)

select * from final
