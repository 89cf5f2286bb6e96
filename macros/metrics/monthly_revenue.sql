{#- A month of revenue, for a product or for a tenant of it: what both marts do alike. The model brings `daily` (a
    bridge of MRR by day), `customer_months`, `cash`, `collections`, `policies`, `rates` and `tenants`; what keys the
    month beside month and policy is `keys`. Cash and invoices know no policy: each policy's row repeats them. -#}
{% macro monthly_revenue_steps(keys) -%}
{%- set by_key = keys | join(', ') -%}
horizons as (

    select
        {{ by_key }},
        min({{ as_of_date('timezone') }}) as running_date
    from tenants
    group by {{ by_key }}

),

bridged as (

    select
        policy,
        {{ by_key }},
        {{ month_start('metric_date') }} as month_start,
        {{ earliest_by('opening_mrr_cents', 'metric_date') }} as opening_mrr_cents,
        {%- for type in mrr_movement_signs() %}
        sum({{ type }}_mrr_cents) as {{ type }}_mrr_cents,
        {%- endfor %}
        {{ latest_by('net_mrr_cents', 'metric_date') }} as net_mrr_cents,
        {{ latest_by('at_risk_mrr_cents', 'metric_date') }} as at_risk_mrr_cents,
        {{ latest_by('paying_customers', 'metric_date') }} as paying_customers
    from daily
    group by policy, {{ by_key }}, {{ month_start('metric_date') }}

),

retained as (

    select
        policy,
        {{ by_key }},
        month_start,
        {{ count_if('was_paying') }} as opening_customers,
        {{ count_if('was_paying and not is_paying') }} as lost_customers,
        {{ sum_if('was_paying', 'opening_mrr_cents') }} as base_mrr_cents,
        {{ sum_if('was_paying', 'closing_at_opening_rates_cents') }} as retained_mrr_cents,
        {{ sum_if(
            'was_paying', 'least(opening_mrr_cents, closing_at_opening_rates_cents)'
        ) }} as gross_retained_mrr_cents
    from customer_months
    group by policy, {{ by_key }}, month_start

),

-- an amount that is not known on one day is not known for the month
paid as (

    select
        {{ by_key }},
        {{ month_start('metric_date') }} as month_start,
        {%- for amount in ['cash_collected_cents', 'refunds_cents', 'order_value_cents'] %}
        case when count({{ amount }}) = count(*) then sum({{ amount }}) end as {{ amount }},
        {%- endfor %}
        sum(orders) as orders
    from cash
    group by {{ by_key }}, {{ month_start('metric_date') }}

),

-- amounts of one currency need no rate to be divided
collected as (

    select
        {%- for key in keys %}
        collections.{{ key }},
        {%- endfor %}
        collections.month_start,
        case
            when count(distinct collections.currency) = 1
                then {{ rate('sum(collections.amount_collected_cents)', 'sum(collections.amount_due_cents)') }}
            when count({{ fx_rate('collections.currency', 'rates.rate') }}) = count(*)
                then {{ rate(
                    'sum(collections.amount_collected_cents * ' ~ fx_rate('collections.currency', 'rates.rate') ~ ')',
                    'sum(collections.amount_due_cents * ' ~ fx_rate('collections.currency', 'rates.rate') ~ ')'
                ) }}
        end as invoice_collection_rate,
        min(case when collections.is_complete then 1 else 0 end) = 1 as is_known
    from collections
    left join rates
        on
            collections.currency = rates.currency
            and {{ add_days(add_months('collections.month_start', 1), -1) }} = rates.rate_date
    group by {% for key in keys %}collections.{{ key }}, {% endfor %}collections.month_start

),

months as (

    select
        policy,
        {{ by_key }},
        month_start
    from bridged

    union distinct

    select
        policies.policy,
        {%- for key in keys %}
        paid.{{ key }},
        {%- endfor %}
        paid.month_start
    from paid
    cross join policies

    union distinct

    select
        policies.policy,
        {%- for key in keys %}
        collected.{{ key }},
        {%- endfor %}
        collected.month_start
    from collected
    cross join policies

),

measured as (

    select
        months.policy,
        {%- for key in keys %}
        months.{{ key }},
        {%- endfor %}
        months.month_start,
        {{ add_days(add_months('months.month_start', 1), -1) }} as last_date,
        coalesce(bridged.opening_mrr_cents, 0) as opening_mrr_cents,
        {%- for type in mrr_movement_signs() %}
        coalesce(bridged.{{ type }}_mrr_cents, 0) as {{ type }}_mrr_cents,
        {%- endfor %}
        coalesce(bridged.net_mrr_cents, 0) as net_mrr_cents,
        coalesce(bridged.at_risk_mrr_cents, 0) as at_risk_mrr_cents,
        coalesce(bridged.paying_customers, 0) as paying_customers,
        coalesce(retained.opening_customers, 0) as opening_customers,
        coalesce(retained.lost_customers, 0) as lost_customers,
        coalesce(retained.base_mrr_cents, 0) as base_mrr_cents,
        coalesce(retained.retained_mrr_cents, 0) as retained_mrr_cents,
        coalesce(retained.gross_retained_mrr_cents, 0) as gross_retained_mrr_cents,
        {%- for amount in ['cash_collected_cents', 'refunds_cents', 'order_value_cents'] %}
        case when paid.month_start is null then 0 else paid.{{ amount }} end as {{ amount }},
        {%- endfor %}
        coalesce(paid.orders, 0) as orders,
        case when collected.is_known then collected.invoice_collection_rate end as invoice_collection_rate,
        {{ add_months('months.month_start', 1) }} <= horizons.running_date as is_complete
    from months
    inner join horizons
        on
            {%- for key in keys %}
            months.{{ key }} = horizons.{{ key }}
            and
            {%- endfor %} months.month_start <= horizons.running_date
    {%- for step in ['bridged', 'retained'] %}
    left join {{ step }}
        on
            months.policy = {{ step }}.policy
            {%- for key in keys %}
            and months.{{ key }} = {{ step }}.{{ key }}
            {%- endfor %}
            and months.month_start = {{ step }}.month_start
    {%- endfor %}
    {%- for step in ['paid', 'collected'] %}
    left join {{ step }}
        on
            {%- for key in keys %}
            months.{{ key }} = {{ step }}.{{ key }}
            and
            {%- endfor %} months.month_start = {{ step }}.month_start
    {%- endfor %}

)
{%- endmacro %}

{#- The measures of such a month, from a step with its columns; rates are null until the month is over. -#}
{% macro monthly_revenue_columns() -%}
    cast(opening_mrr_cents as bigint) as opening_mrr_cents,
    {%- for type in mrr_movement_signs() %}
        cast({{ type }}_mrr_cents as bigint) as {{ type }}_mrr_cents,
    {%- endfor %}
        cast(net_mrr_cents as bigint) as net_mrr_cents,
        cast(12 * net_mrr_cents as bigint) as arr_cents,
        cast(at_risk_mrr_cents as bigint) as at_risk_mrr_cents,
        cast(opening_customers as bigint) as opening_customers,
        cast(lost_customers as bigint) as lost_customers,
        cast(paying_customers as bigint) as paying_customers,
        cast(round({{ rate('net_mrr_cents', 'paying_customers') }}) as bigint) as arpu_cents,
        {{ published_money('base_mrr_cents') }} as base_mrr_cents,
        {{ published_money('retained_mrr_cents') }} as retained_mrr_cents,
        {{ published_money('gross_retained_mrr_cents') }} as gross_retained_mrr_cents,
        cast(orders as bigint) as orders,
        cast(round(order_value_cents) as bigint) as order_value_cents,
        cast(round(cash_collected_cents) as bigint) as cash_collected_cents,
        cast(round(refunds_cents) as bigint) as refunds_cents,

        case
            when is_complete
                then {{ rate('(contraction_mrr_cents + churn_mrr_cents)', 'opening_mrr_cents') }}
        end as gross_revenue_churn_rate,
        case when is_complete then {{ rate('retained_mrr_cents', 'base_mrr_cents') }} end as net_revenue_retention,
        case
            when is_complete then {{ rate('gross_retained_mrr_cents', 'base_mrr_cents') }}
        end as gross_revenue_retention,
        case when is_complete then {{ rate('lost_customers', 'opening_customers') }} end as logo_churn_rate,
        case
            when is_complete
                then {{ rate(
                    '(new_mrr_cents + expansion_mrr_cents + reactivation_mrr_cents)',
                    '(contraction_mrr_cents + churn_mrr_cents)'
                ) }}
        end as quick_ratio,
        case
            when is_complete then cast(round({{ rate('order_value_cents', 'orders') }}) as bigint)
        end as average_order_value_cents,
        invoice_collection_rate
{%- endmacro %}
