{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'user_id']}],
    meta={'affected': {'key': ['tenant_id', 'user_id']}},
) }}

-- a user of two products has two rows of a day
with days as (

    select
        tenant_id,
        user_id,

        min(product) as product,
        min(country_code) as country_code,

        bool_and(is_anonymous) as is_anonymous,

        min(first_event_at) as first_event_at,
        min(first_date_key) as first_date_key,
        event_date
    from {{ ref('int_core__user_days') }} as user_days
    where {{ is_affected('user_days.tenant_id', 'user_days.user_id') }}
    group by tenant_id, user_id, event_date

),

final as (

    select
        tenant_id,
        user_id,

        min(product) as product,
        {{ latest_by('country_code', 'event_date') }} as country_code,

        bool_and(is_anonymous) as is_anonymous,

        min(first_event_at) as first_event_at,
        min(first_date_key) as first_date_key,
        min(event_date) as first_event_date,
        max(event_date) as last_event_date
    from days
    group by tenant_id, user_id

)

select * from final
