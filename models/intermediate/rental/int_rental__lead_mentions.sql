-- Every time that somebody is told of as a lead: by the CRM's database, a form of a marketing site, a change of stage
-- in the CRM's export. One e-mail address is one person, and so is one phone number; a lead with neither is one by
-- itself.
with leads as (

    select * from {{ ref('stg_rentguy__leads') }}

),

lead_events as (

    select * from {{ ref('int_rental__lead_events') }}

),

stages as (

    select * from {{ ref('lead_stages') }}

),

mentions as (

    select
        tenant_id,
        lead_id,
        lead_id as registered_lead_id,
        customer_id,
        raw_channel,
        email_token,
        phone_token,
        created_at as mentioned_at,
        qualified_at
    from leads

    union all

    select
        lead_events.tenant_id,
        lead_events.event_id as lead_id,
        cast(null as {{ type_uuid() }}) as registered_lead_id,
        cast(null as {{ type_uuid() }}) as customer_id,
        lead_events.raw_channel,
        lead_events.email_token,
        lead_events.phone_token,
        lead_events.occurred_at as mentioned_at,
        case when stages.is_qualified then lead_events.occurred_at end as qualified_at
    from lead_events
    left join stages on lead_events.stage = stages.stage

),

known as (

    select * from mentions
    where mentioned_at <= {{ as_of() }}

),

-- who once said both is known by the phone number alone, too
phone_owners as (

    select
        tenant_id,
        phone_token,
        min(email_token) as email_token
    from known
    where phone_token is not null and email_token is not null
    group by tenant_id, phone_token

),

final as (

    select
        known.tenant_id,
        known.lead_id,
        known.registered_lead_id,
        known.customer_id,
        coalesce(
            known.email_token,
            phone_owners.email_token,
            known.phone_token,
            cast(known.lead_id as {{ type_string() }})
        ) as person_key,

        nullif(lower(trim(known.raw_channel)), '') as raw_channel,
        known.email_token,
        known.phone_token,

        known.mentioned_at,
        known.qualified_at
    from known
    left join phone_owners
        on known.tenant_id = phone_owners.tenant_id and known.phone_token = phone_owners.phone_token

)

select * from final
