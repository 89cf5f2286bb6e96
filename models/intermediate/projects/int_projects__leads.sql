-- Each person once, by the first time it asked (rule 110); a lead without an address is a person of its own.
with leads as (

    select * from {{ ref('stg_projectflo__leads') }}

),

tenants as (

    select * from {{ ref('int_projects__tenants') }}

),

ranked as (

    select
        leads.*,
        {{ local_date('leads.created_at', 'tenants.timezone') }} as created_on,
        max(case when leads.client_id is not null or leads.converted_at is not null then 1 else 0 end) over (
            partition by
                leads.tenant_id,
                coalesce(leads.email_token, cast(leads.lead_id as {{ type_string() }}))
        ) as has_become_client,
        row_number() over (
            partition by
                leads.tenant_id,
                coalesce(leads.email_token, cast(leads.lead_id as {{ type_string() }}))
            order by leads.created_at, leads.lead_id
        ) as lead_number
    from leads
    inner join tenants on leads.tenant_id = tenants.tenant_id

),

final as (

    select
        lead_id,
        tenant_id,

        channel,

        has_become_client = 1 as has_become_client,

        created_on
    from ranked
    where lead_number = 1

)

select * from final
