-- The places a tenant has to fill on the UTC day of a shift, as announced when that shift is judged.
with shifts as (

    select * from {{ ref('int_workforce__shifts_as_of') }}

),

versions as (

    select * from {{ ref('stg_rostracore__shift_versions') }}

),

announced as (

    select
        tenant_id,
        shift_id,
        {{ local_date('starts_at', "'UTC'") }} as start_date,
        {{ earliest_by('required_count', 'received_at, version_number') }} as required_count,
        min(received_at) as known_since
    from versions
    where starts_at is not null
    group by tenant_id, shift_id, {{ local_date('starts_at', "'UTC'") }}

),

final as (

    select
        shifts.tenant_id,
        shifts.shift_id,
        shifts.as_of_at,
        sum(announced.required_count) as place_count
    from shifts
    inner join announced
        on
            shifts.tenant_id = announced.tenant_id
            and {{ local_date('shifts.starts_at', "'UTC'") }} = announced.start_date
            and shifts.as_of_at >= announced.known_since
    group by shifts.tenant_id, shifts.shift_id, shifts.as_of_at

)

select * from final
