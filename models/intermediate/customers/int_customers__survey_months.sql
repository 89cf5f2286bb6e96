-- Every month from a tenant's first answer of a kind to the running one, so that a month without answers shows.
with answers as (

    select * from {{ ref('int_customers__survey_answers') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

dates as (

    select distinct month_start from {{ ref('dim_date') }}

),

asked as (

    select
        answers.product,
        answers.tenant_id,
        answers.survey_type,
        min(answers.month_start) as first_month,
        {{ month_start(as_of_date("coalesce(min(tenants.timezone), 'UTC')")) }} as running_month
    from answers
    left join tenants on answers.tenant_id = tenants.tenant_id
    group by answers.product, answers.tenant_id, answers.survey_type

),

final as (

    select
        asked.product,
        asked.tenant_id,

        asked.survey_type,

        dates.month_start < asked.running_month as is_complete,

        dates.month_start
    from asked
    inner join dates on asked.first_month <= dates.month_start and asked.running_month >= dates.month_start

)

select * from final
