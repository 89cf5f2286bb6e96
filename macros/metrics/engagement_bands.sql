{#- A query of the bands of engagement with the active days at which each ends (null for the highest): a number of days
    lies in exactly one. Reads a CTE of the seed. -#}
{% macro bounded_bands(bands) -%}
    select
        engagement_band,
        min_active_days,
        min_power_uses,
        lead(min_active_days) over (order by min_active_days) as end_active_days
    from {{ bands }}
{%- endmacro %}

{#- Whether a number of active days lies in a band of that query. -#}
{% macro is_in_band(active_days, bands) -%}
    {{ active_days }} >= {{ bands }}.min_active_days
    and ({{ bands }}.end_active_days is null or {{ active_days }} < {{ bands }}.end_active_days)
{%- endmacro %}

{#- Points from 0 to 100: the share of a product's features that is used, by weight; null where it has none. -#}
{% macro adoption_score(used_weight, total_weight) -%}
    round(100 * coalesce({{ used_weight }}, 0) / nullif({{ total_weight }}, 0), 1)
{%- endmacro %}
