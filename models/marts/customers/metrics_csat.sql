with months as (

    select * from {{ ref('int_customers__survey_months') }}
    where survey_type = 'CSAT'

),

answers as (

    select * from {{ ref('int_customers__survey_answers') }}
    where survey_type = 'CSAT'

),

counted as (

    select
        months.month_start,
        months.product,
        months.tenant_id,
        months.is_complete,
        {{ count_if('answers.is_counted') }} as responses,
        {{ count_if('answers.is_counted and answers.score >= 4') }} as satisfied,
        coalesce({{ sum_if('answers.is_counted', 'answers.score') }}, 0) as score_sum,
        {{ count_if('not answers.is_valid') }} as off_scale_answers
    from months
    left join answers
        on
            months.product = answers.product
            and months.tenant_id = answers.tenant_id
            and months.month_start = answers.month_start
    group by months.month_start, months.product, months.tenant_id, months.is_complete

),

final as (

    select
        month_start,
        product,
        tenant_id,

        responses,
        satisfied,
        off_scale_answers,
        score_sum,
        case when is_complete then {{ rate('score_sum', 'responses') }} end as csat_avg,
        case when is_complete then {{ rate('satisfied', 'responses') }} end as csat_rate,

        is_complete
    from counted

)

select * from final
