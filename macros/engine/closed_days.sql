{#- Whether a day of a tenant is among the closed ones, which are ranges of days: of `days` (raw events are gone),
    fact_days (rows of fact_events too) or fact_local_days (the same in the tenant's calendar). -#}
{% macro is_closed_day(product, tenant_id, day, days='days') -%}
    exists (
            select 1 from ops.closed_days as closed
            where
                closed.product = {{ product }} and closed.tenant_id = {{ tenant_id }}
                and closed.{{ days }} @> {{ day }}
        )
{%- endmacro %}

{#- Whether a time from an instant to another touches a closed day of UTC. -#}
{% macro touches_closed_day(product, tenant_id, from_at, until_at, days) -%}
    exists (
            select 1 from ops.closed_days as closed
            where
                closed.product = {{ product }} and closed.tenant_id = {{ tenant_id }}
                and closed.{{ days }} && daterange(
                    {{ local_date(from_at, "'UTC'") }}, {{ local_date(until_at, "'UTC'") }}, '[]'
                )
        )
{%- endmacro %}

{#- A query of the newest closed day of each kind as text, empty where no day is closed. -#}
{% macro newest_closed_days(kinds) -%}
    select
        {%- for days in kinds %}
        coalesce(cast(max(upper({{ days }})) - 1 as text), '') as {{ days }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ops.closed_days
{%- endmacro %}
