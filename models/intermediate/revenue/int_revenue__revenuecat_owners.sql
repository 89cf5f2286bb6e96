{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'whole': true,
    }},
) }}

-- A payer is the source's user. Its tenant: the user's own, else the first that its subscriber attributes
-- named, else the project stands for it.
with events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION' and user_source_id is not null

),

payers as (

    select * from {{ ref('int_revenue__revenuecat_payers') }}

),

transfer_events as (

    select * from {{ ref('stg_revenuecat__events') }}
    where environment = 'PRODUCTION' and event_type = 'TRANSFER'

),

users as (

    select
        product,
        user_id,
        tenant_id
    from {{ ref('int_core__registered_users') }}

),

known as (

    select
        events.project,
        events.product,
        coalesce(payers.payer_source_id, events.user_source_id) as payer_source_id,
        events.tenant_source_id,
        row_number() over (
            partition by events.project, coalesce(payers.payer_source_id, events.user_source_id)
            order by events.occurred_at, events.event_id
        ) as version_number
    from events
    left join payers on events.project = payers.project and events.user_source_id = payers.source_id

    union all

    -- who only ever received a transfer
    select
        transfer_events.project,
        transfer_events.product,
        coalesce(
            payers.payer_source_id, {{ json_text('transfer_events.transferred_to', [0]) }}
        ) as payer_source_id,
        null as tenant_source_id,
        900000000 as version_number
    from transfer_events
    left join payers
        on
            transfer_events.project = payers.project
            and {{ json_text('transfer_events.transferred_to', [0]) }} = payers.source_id

),

owners as (

    select
        project,
        payer_source_id,
        min(product) as product,
        {{ first_named('tenant_source_id') }} as tenant_source_id
    from known
    where payer_source_id is not null
    group by project, payer_source_id

),

identified as (

    select
        *,
        {{ entity_uuid('product', 'user', 'payer_source_id', true) }} as user_id
    from owners

),

final as (

    select
        identified.project,
        identified.product,
        identified.payer_source_id,
        {{ billing_entity('revenuecat', 'identified.project', 'identified.payer_source_id') }} as entity_key,
        identified.user_id,
        coalesce(
            users.tenant_id,
            {{ entity_uuid(
                'identified.product',
                'tenant',
                'coalesce(identified.tenant_source_id, identified.project)',
                true
            ) }}
        ) as tenant_id
    from identified
    left join users on identified.product = users.product and identified.user_id = users.user_id

)

select * from final
