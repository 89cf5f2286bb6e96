{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['charge_key'],
        'within': 'account',
        'notes': {'entity_key': 'entity_key'},
        'whole': true,
    }},
) }}

-- Stripe's refunds, whose events name their charge and nobody: each is its charge's customer's. One whose charge nobody
-- told of is left out.
with refund_events as (

    select * from {{ ref('stg_stripe__refund_events') }}
    where is_live and charge_source_id is not null

),

charges as (

    select * from {{ ref('int_revenue__stripe_charges') }}

),

objects as (

    select
        account,
        refund_source_id,
        min(charge_source_id) as charge_source_id,
        min(amount_source_cents) as amount_source_cents,
        min(refunded_at) as refunded_at,
        min(created_at) as told_at,
        max(reason) as reason,
        max(case when status in ('failed', 'canceled') then 1 else 0 end) = 1 as has_failed
    from refund_events
    group by account, refund_source_id

),

keyed as (

    select
        *,
        {{ stripe_key('account', 'charge_source_id') }} as charge_key
    from objects

),

owners as (

    select
        charge_key,
        min(entity_key) as entity_key
    from charges
    where charge_key in (select keyed.charge_key from keyed)
    group by charge_key

),

final as (

    select
        keyed.charge_key,
        owners.entity_key,
        keyed.account,
        keyed.refund_source_id,
        keyed.charge_source_id,
        keyed.amount_source_cents,
        keyed.reason,
        keyed.has_failed,
        keyed.refunded_at,
        keyed.told_at
    from keyed
    inner join owners on keyed.charge_key = owners.charge_key

)

select * from final
