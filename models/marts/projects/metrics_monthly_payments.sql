with invoices as (

    select * from {{ ref('int_revenue__projects_invoices') }}
    where kind = 'invoice' and paid_at is not null and status = 'paid'

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

paid as (

    select
        invoices.tenant_id,
        {{ month_start(local_date('invoices.paid_at', 'tenants.timezone')) }} as month_start,
        {{ days_between(
            local_date('invoices.issued_at', 'tenants.timezone'), local_date('invoices.paid_at', 'tenants.timezone')
        ) }} as payment_days
    from invoices
    inner join tenants on invoices.tenant_id = tenants.tenant_id

),

counted as (

    select
        tenant_id,
        month_start,
        count(*) as invoices_paid,
        cast({{ median('payment_days') }} as {{ type_numeric() }}) as payment_days_p50,
        cast({{ percentile('payment_days', 0.9) }} as {{ type_numeric() }}) as payment_days_p90
    from paid
    group by tenant_id, month_start

),

flagged as (

    select
        counted.*,
        {{ add_months('counted.month_start', 1) }} <= tenants.running_date as is_complete
    from counted
    inner join tenants on counted.tenant_id = tenants.tenant_id

),

final as (

    select
        tenant_id,

        month_start,

        invoices_paid,
        case when is_complete then payment_days_p50 end as invoice_to_payment_days_p50,
        case when is_complete then payment_days_p90 end as invoice_to_payment_days_p90,

        is_complete
    from flagged

)

select * from final
