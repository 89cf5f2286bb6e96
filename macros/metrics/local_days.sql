{#- A query of the calendar days on which stretches of time lie: the columns of `stretches` (a CTE with from_at, to_at
    and timezone, from_at before to_at), date_key, and part_from_at and part_to_at, where the stretch is cut at the
    local midnights. A day is as long as it is there, 23 or 25 hours where clocks change. -#}
{% macro parts_by_local_day(stretches) -%}
    select
        spread.*,
        greatest(spread.from_at, {{ day_start('spread.date_key', 'spread.timezone') }}) as part_from_at,
        least(spread.to_at, {{ day_start(add_days('spread.date_key', 1), 'spread.timezone') }}) as part_to_at
    from (
        select
            dated.*,
            {{ add_days('dated.first_date', 'offsets.day_offset') }} as date_key
        from (
            select
                stretches.*,
                {{ local_date('stretches.from_at', 'stretches.timezone') }} as first_date,
                {{ local_date('stretches.to_at', 'stretches.timezone') }} as last_date
            from {{ stretches }} as stretches
            where stretches.from_at < stretches.to_at
        ) as dated
        -- few offsets (a shift lies on two days), so that nothing is compared with a whole calendar
        inner join (
            select numbered.day_offset
            from (
                select row_number() over (order by dates.date_key) - 1 as day_offset
                from {{ ref('dim_date') }} as dates
            ) as numbered
            where
                numbered.day_offset <= (
                    select
                        max({{ days_between(
                            local_date('longest.from_at', 'longest.timezone'),
                            local_date('longest.to_at', 'longest.timezone')
                        ) }})
                    from {{ stretches }} as longest
                )
        ) as offsets
            on {{ days_between('dated.first_date', 'dated.last_date') }} >= offsets.day_offset
    ) as spread
    where spread.to_at > {{ day_start('spread.date_key', 'spread.timezone') }}
{%- endmacro %}
