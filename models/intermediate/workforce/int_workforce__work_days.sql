-- What guards work of a shift on each local day: a night shift belongs to two of them. Planned time counts in
-- work_seconds alone; what as_of has seen of it, in the others.
{%- set night_ends_at = day_start(
    add_interval('cast(parts.date_key as ' ~ type_local_timestamp() ~ ')', 'parts.night_ends_hour', 'hour'),
    'parts.timezone'
) %}
{%- set night_starts_at = day_start(
    add_interval('cast(parts.date_key as ' ~ type_local_timestamp() ~ ')', 'parts.night_starts_hour', 'hour'),
    'parts.timezone'
) %}

with offers as (

    select * from {{ ref('int_workforce__offers') }}

),

tenants as (

    select * from {{ ref('int_workforce__tenants') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

stretches as (

    select
        offers.tenant_id,
        offers.shift_id,
        offers.employee_id,
        offers.timezone,
        tenants.night_starts_hour,
        tenants.night_ends_hour,
        offers.works_from_at as from_at,
        offers.works_to_at as to_at,
        {{ add_interval('offers.works_from_at', 'cast(3600 * offers.shift_hours as integer)', 'second') }}
            as overtime_from_at
    from offers
    inner join tenants on offers.tenant_id = tenants.tenant_id
    where offers.is_taken

),

cut as (

    {{ parts_by_local_day('stretches') }}

),

parts as (

    select
        *,
        greatest(part_from_at, least(part_to_at, {{ as_of() }})) as done_at
    from cut

),

measured as (

    select
        parts.tenant_id,
        parts.shift_id,
        parts.employee_id,
        parts.date_key,
        {{ seconds_between('parts.part_from_at', 'parts.part_to_at') }} as work_seconds,
        {{ seconds_between('parts.part_from_at', 'parts.done_at') }} as worked_seconds,
        greatest(
            {{ seconds_between('greatest(parts.part_from_at, parts.overtime_from_at)', 'parts.done_at') }}, 0
        ) as overtime_seconds,
        greatest({{ seconds_between('parts.part_from_at', 'least(parts.done_at, ' ~ night_ends_at ~ ')') }}, 0)
        + greatest(
            {{ seconds_between('greatest(parts.part_from_at, ' ~ night_starts_at ~ ')', 'parts.done_at') }}, 0
        ) as night_seconds
    from parts

),

final as (

    select
        measured.tenant_id,
        measured.shift_id,
        measured.employee_id,
        measured.date_key,
        {{ week_start('measured.date_key') }} as week_start,
        measured.work_seconds,
        measured.worked_seconds,
        measured.overtime_seconds,
        measured.night_seconds,
        case when dates.is_weekend then measured.worked_seconds else 0 end as weekend_seconds
    from measured
    left join dates on measured.date_key = dates.date_key

)

select * from final
