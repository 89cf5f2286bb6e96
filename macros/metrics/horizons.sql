{#- Affected keys of a calendar: the days by which the calendars of changed tenants grew, shrank or became complete. -#}
{% macro days_of_moved_horizons(changes) -%}
    {{ calendar_days_that_moved(changes, ref('int_engagement__tenant_horizons')) }}
{%- endmacro %}

{% macro days_of_moved_fulfilment_horizons(changes) -%}
    {{ calendar_days_that_moved(changes, ref('int_fulfilment__tenant_horizons')) }}
{%- endmacro %}

{% macro days_of_moved_rental_horizons(changes) -%}
    {{ calendar_days_that_moved(changes, ref('int_rental__tenant_horizons')) }}
{%- endmacro %}

{% macro calendar_days_that_moved(changes, horizons) -%}
    with tenants as (
        select distinct tenant_id from ({{ changes }}) as changed
    ),

    held as (
        select
            product,
            tenant_id,
            min(metric_date) as first_date,
            max(metric_date) as last_date
        from {{ this }}
        where tenant_id in (select tenant_id from tenants)
        group by product, tenant_id
    ),

    found as (
        select
            product,
            tenant_id,
            first_date,
            running_date as last_date
        from {{ horizons }}
        where first_date <= running_date and tenant_id in (select tenant_id from tenants)
    )

    select
        coalesce(held.tenant_id, found.tenant_id) as tenant_id,
        dates.date_key as day
    from held
    full join found on held.product = found.product and held.tenant_id = found.tenant_id
    inner join {{ ref('dim_date') }} as dates
        on
            dates.date_key >= least(held.first_date, found.first_date)
            and dates.date_key <= greatest(held.last_date, found.last_date)
    where
        held.tenant_id is null
        or found.tenant_id is null
        or dates.date_key < greatest(held.first_date, found.first_date)
        or dates.date_key >= least(held.last_date, found.last_date)
{%- endmacro %}
