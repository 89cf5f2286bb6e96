{#- By how much a change of recurring revenue (rows with change_source_cents, currency, occurred_at) changes the number
    of those who pay: 1 with the change at which what `key` names rises above nothing, -1 where it falls to it. Changes
    of one instant, in whatever currencies and of whichever users (a column, `user`), are one: the first of them says
    it. -#}
{% macro paying_customers_change(key, user) -%}
{%- set by_key = key | join(', ') -%}
{%- set after -%}
sum(change_source_cents) over (
                partition by {{ by_key }}
                order by occurred_at
                range between unbounded preceding and current row
            )
{%- endset -%}
case
            when row_number() over (
                partition by {{ by_key }}, occurred_at
                order by currency, change_source_cents, {{ user }}
            ) > 1 then 0
            else case when {{ after }} > 0 then 1 else 0 end
            - case
                when {{ after }} - sum(change_source_cents) over (partition by {{ by_key }}, occurred_at) > 0 then 1
                else 0
            end
        end
{%- endmacro %}
