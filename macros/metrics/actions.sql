{#- What somebody did: the name of an event and, where the name says too little, what it was about. -#}

{#- What an event is about: the property that var event_details names for it, empty where it names none. -#}
{% macro event_detail(event_name, properties) -%}
    {%- if var('event_details') -%}
    coalesce(
        case {{ event_name }}
            {%- for name, property in var('event_details').items() %}
            when '{{ name }}' then {{ json_text(properties, property) }}
            {%- endfor %}
        end,
        ''
    )
    {%- else -%}
    ''
    {%- endif -%}
{%- endmacro %}

{#- A query that finds the rows of a seed of events (product, event_name, event_detail) behind each kind of action in a
    CTE: product, event_name and event_detail as they are there, and `columns` of the seed. Kinds are few, so that the
    comparison of names does not meet every action. -#}
{% macro kinds_of_actions(actions, seed, columns) -%}
    select distinct
        kinds.product,
        kinds.event_name,
        kinds.event_detail,
        {{ seed }}.{{ columns | join(', ' ~ seed ~ '.') }}
    from (select distinct product, event_name, event_detail from {{ actions }}) as kinds
    inner join {{ seed }}
        on
            kinds.product = {{ seed }}.product
            and (
                kinds.event_name = {{ seed }}.event_name
                -- a name that ends with * stands for all that begin so
                or (
                    {{ seed }}.event_name like '%*'
                    and substr(kinds.event_name, 1, length({{ seed }}.event_name) - 1) || '*' = {{ seed }}.event_name
                )
            )
            and ({{ seed }}.event_detail is null or kinds.event_detail = {{ seed }}.event_detail)
{%- endmacro %}
