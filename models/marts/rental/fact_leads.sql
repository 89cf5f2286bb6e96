with mentions as (

    select * from {{ ref('int_rental__lead_mentions') }}

),

lead_customers as (

    select * from {{ ref('int_rental__lead_customers') }}

),

channels as (

    select * from {{ ref('lead_channels') }}

),

tenants as (

    select * from {{ ref('dim_tenant') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by tenant_id, person_key order by mentioned_at, lead_id
        ) as version_number
    from mentions

),

-- the same person twice is one lead, of the channel that was first named
people as (

    select
        tenant_id,
        person_key,
        {{ earliest_by('lead_id', 'version_number') }} as lead_id,
        {{ first_named('raw_channel') }} as raw_channel,
        count(*) as mention_count,
        min(mentioned_at) as created_at,
        min(qualified_at) as qualified_at
    from numbered
    group by tenant_id, person_key

),

-- who was a customer before is not won by a lead; who is won was worth pursuing, at the latest then
won as (

    select
        people.*,
        lead_customers.customer_id,
        case
            when lead_customers.converted_at >= people.created_at then lead_customers.converted_at
        end as converted_at
    from people
    left join lead_customers
        on people.tenant_id = lead_customers.tenant_id and people.person_key = lead_customers.person_key

),

final as (

    select
        won.lead_id,
        won.tenant_id,
        won.customer_id,

        case
            when won.raw_channel is null then 'unknown'
            else coalesce(channels.channel, 'other')
        end as channel,

        won.mention_count,

        {{ local_date('won.created_at', "coalesce(tenants.timezone, 'UTC')") }} as date_key,
        won.created_at,
        least(won.qualified_at, won.converted_at) as qualified_at,
        won.converted_at
    from won
    left join channels on won.raw_channel = channels.raw_channel
    left join tenants on won.tenant_id = tenants.tenant_id

)

select * from final
