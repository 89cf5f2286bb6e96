with months as (

    select * from {{ ref('int_customers__survey_months') }}
    where survey_type = 'NPS'

),

answers as (

    select * from {{ ref('int_customers__survey_answers') }}
    where survey_type = 'NPS'

),

counted as (

    select
        months.month_start,
        months.product,
        months.tenant_id,
        months.is_complete,
        {{ count_if('answers.is_counted') }} as responses,
        {{ count_if('answers.is_counted and answers.score >= 9') }} as promoters,
        {{ count_if('answers.is_counted and answers.score between 7 and 8') }} as passives,
        {{ count_if('answers.is_counted and answers.score <= 6') }} as detractors,
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
        promoters,
        passives,
        detractors,
        off_scale_answers,
        case when is_complete then 100 * {{ rate('promoters - detractors', 'responses') }} end as nps,

        is_complete
    from counted

)

select * from final
