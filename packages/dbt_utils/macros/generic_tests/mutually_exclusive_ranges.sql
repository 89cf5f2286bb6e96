{# gaps: allowed | not_allowed | required, between one range and the next of its partition. #}
{% test mutually_exclusive_ranges(
    model, lower_bound_column, upper_bound_column,
    partition_by=none, gaps='allowed', zero_length_range_allowed=false
) %}
    {%- set operators = {'allowed': '<=', 'not_allowed': '=', 'required': '<'} -%}
    {%- if gaps not in operators -%}
        {{ exceptions.raise_compiler_error("gaps must be one of allowed, not_allowed, required") }}
    {%- endif -%}
    {%- set partition = 'partition by ' ~ partition_by if partition_by else '' -%}
    with ranges as (
        select
            {{ lower_bound_column }} as lower_bound,
            {{ upper_bound_column }} as upper_bound,
            lead({{ lower_bound_column }}) over (
                {{ partition }} order by {{ lower_bound_column }}, {{ upper_bound_column }}
            ) as next_lower_bound,
            row_number() over (
                {{ partition }}
                order by {{ lower_bound_column }} desc, {{ upper_bound_column }} desc
            ) = 1 as is_last_record
        from {{ model }}
    )

    select *
    from ranges
    where not (
        -- an open end fails too, that of the last range as well: bounds are meant to be there
        coalesce(lower_bound {{ '<=' if zero_length_range_allowed else '<' }} upper_bound, false)
        and coalesce(upper_bound {{ operators[gaps] }} next_lower_bound, is_last_record, false)
    )
{% endtest %}
