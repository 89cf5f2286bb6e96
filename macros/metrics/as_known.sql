{#- Rows of a provider as they were known in each edition of int_revenue__known_records: each edition is told as an
    `account` of its own, which the column of that name holds. -#}
{% macro as_known(records, provider, account, relation, columns) -%}
    select
        records.known_account as {{ account }}
        {%- for column in columns %},
        told.{{ column }}
        {%- endfor %}
    from {{ records }} as records
    inner join {{ relation }} as told
        on
            records.provider = '{{ provider }}'
            and records.event_key = '{{ provider }}|' || told.{{ account }} || '|' || told.event_id
{%- endmacro %}
