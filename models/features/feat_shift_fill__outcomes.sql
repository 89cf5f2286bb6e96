-- Apart from the features, because an outcome may be corrected by what arrives later and a feature may not.
-- A shift that was called off, deleted or moved has no outcome at the start that was judged.
with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

facts as (

    select * from {{ ref('fact_shifts') }}

),

judged as (

    select
        shifts.tenant_id,
        shifts.shift_id,
        shifts.as_of_at,
        facts.is_filled and facts.filled_at <= facts.starts_at as is_filled_at_start,
        -- a day's grace, so that the last answers have arrived
        case
            when facts.status <> 'cancelled' then {{ add_interval('shifts.starts_at', 24, 'hour') }}
        end as label_known_at
    from shifts
    left join facts
        on
            shifts.tenant_id = facts.tenant_id
            and shifts.shift_id = facts.shift_id
            and shifts.starts_at = facts.starts_at

),

final as (

    select
        tenant_id,
        shift_id,
        as_of_at,
        case
            when label_known_at > {{ as_of() }} or label_known_at is null then null
            when is_filled_at_start then 1
            else 0
        end as label,
        label_known_at
    from judged

)

select * from final
