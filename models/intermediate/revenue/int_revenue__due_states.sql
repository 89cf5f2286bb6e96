{{ config(
    materialized='incremental',
    indexes=[{'columns': ['entity_key']}],
    meta={'affected': {
        'key': ['entity_key'],
        'within': 'account',
        'whole': true,
    }},
) }}

-- What was foretold of subscriptions and has come by as_of: a state that began by itself, access that ran out. A
-- customer of whom something came due has other periods, though nobody told anything new.
with states as (

    select * from {{ ref('int_revenue__subscription_states') }}
    where is_by_itself or access_until_at is not null

),

final as (

    select
        entity_key,
        policy,
        product,
        subscription_id,
        state_number,
        'began' as what_came
    from states
    where is_by_itself and effective_at <= {{ as_of() }}

    union all

    select
        entity_key,
        policy,
        product,
        subscription_id,
        state_number,
        'ran_out' as what_came
    from states
    where access_until_at <= {{ as_of() }}

)

select * from final
