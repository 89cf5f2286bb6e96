with registered as (

    select * from {{ ref('int_core__registered_tenants') }}

),

statements as (

    select * from {{ ref('stg_ops__tenant_statements') }}

),

-- a person comes before the product's staging models, and these before its database as it was loaded
stated as (

    select
        tenant_id,
        timezone,
        1 as precedence
    from statements
    where origin = 'person'

    union all

    select
        tenant_id,
        timezone,
        2 as precedence
    from registered

    union all

    select
        tenant_id,
        timezone,
        3 as precedence
    from statements
    where origin = 'database'

),

ranked as (

    select
        tenant_id,
        trim(timezone) as stated_timezone,
        row_number() over (
            partition by tenant_id
            order by precedence asc, timezone asc
        ) as rank_number
    from stated
    where tenant_id is not null and nullif(trim(timezone), '') is not null

),

final as (

    select
        tenant_id,
        stated_timezone
    from ranked
    where rank_number = 1

)

select * from final
