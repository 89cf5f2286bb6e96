{{ config(
    materialized='incremental',
    meta={'affected': {'key': ['tenant_id'], 'whole': true}},
) }}

with

users as (

    select * from {{ ref('int_engagement__users') }}

),

messages as (

    select * from {{ ref('int_engagement__daily_messages') }}

),

tenants as (

    select * from {{ ref('int_core__tenant_timezones') }}

),

days as (

    select
        product,
        tenant_id,
        first_date
    from users

    union all

    select
        product,
        tenant_id,
        date_key as first_date
    from messages

),

started as (

    select
        product,
        tenant_id,
        min(first_date) as first_date
    from days
    group by product, tenant_id

),

final as (

    select
        started.product,
        started.tenant_id,
        started.first_date,
        {{ as_of_date('tenants.timezone') }} as running_date,
        {{ add_days(as_of_date('tenants.timezone'), -1) }} as last_complete_date
    from started
    inner join tenants on started.tenant_id = tenants.tenant_id

)

select * from final
