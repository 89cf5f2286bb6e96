with risks as (

    select * from {{ ref('customer_churn_risks') }}

),

final as (

    select
        tenant_id,
        product,

        count(*) as scored_customers,
        {{ count_if("risk_band = 'high'") }} as high_risk_customers,
        {{ count_if("risk_band = 'medium'") }} as medium_risk_customers,
        {{ rate(count_if("risk_band = 'high'"), 'count(*)') }} as high_risk_rate,
        avg(churn_probability) as churn_probability_avg,
        sum(churn_probability) as expected_churned_customers,
        cast(round(sum(mrr_cents)) as bigint) as mrr_cents,
        cast(
            round(coalesce({{ sum_if("risk_band = 'high'", 'mrr_cents') }}, 0)) as bigint
        ) as high_risk_mrr_cents,
        cast(round(sum(churn_probability * mrr_cents)) as bigint) as expected_churn_mrr_cents,

        as_of_at
    from risks
    group by tenant_id, product, as_of_at

)

select * from final
