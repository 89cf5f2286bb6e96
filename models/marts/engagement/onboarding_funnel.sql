with

horizons as (

    select * from {{ ref('int_engagement__tenant_horizons') }}

),

onboarding_steps as (

    select * from {{ ref('onboarding_steps') }}

),

first_actions as (

    select first_actions.*
    from {{ ref('int_engagement__first_actions') }} as first_actions
    inner join horizons
        on
            first_actions.product = horizons.product
            and first_actions.tenant_id = horizons.tenant_id
    where first_actions.first_date <= horizons.running_date

),

kinds as (

    {{ kinds_of_actions('first_actions', 'onboarding_steps', ['step_number']) }}

),

done as (

    select
        first_actions.product,
        first_actions.tenant_id,
        first_actions.user_id,
        kinds.step_number,
        min(first_actions.first_event_at) as done_at
    from first_actions
    inner join kinds
        on
            first_actions.product = kinds.product
            and first_actions.event_name = kinds.event_name
            and first_actions.event_detail = kinds.event_detail
    group by first_actions.product, first_actions.tenant_id, first_actions.user_id, kinds.step_number

),

-- the opening may go untold: whoever did a step has come in with the first of them
entered as (

    select
        product,
        tenant_id,
        user_id,
        min(done_at) as started_at
    from done
    group by product, tenant_id, user_id

),

-- steps may be done in any order; one is reached when it and all before it are done
ordered as (

    select
        product,
        tenant_id,
        user_id,
        step_number,
        count(*) over (
            partition by product, tenant_id, user_id
            order by step_number
        ) as steps_done,
        max(done_at) over (
            partition by product, tenant_id, user_id
            order by step_number
        ) as reached_at
    from done
    where step_number > 0

),

reached as (

    select
        product,
        tenant_id,
        user_id,
        0 as step_number,
        started_at,
        started_at as reached_at
    from entered

    union all

    select
        ordered.product,
        ordered.tenant_id,
        ordered.user_id,
        ordered.step_number,
        entered.started_at,
        ordered.reached_at
    from ordered
    inner join entered
        on
            ordered.product = entered.product
            and ordered.tenant_id = entered.tenant_id
            and ordered.user_id = entered.user_id
    where ordered.steps_done = ordered.step_number

),

funnel as (

    {{ funnel_counts('reached', 'onboarding_steps', is_by_product=true) }}

),

final as (

    select * from funnel
    where step_number > 0

)

select * from final
