{#- An MRR bridge in whole cents, from exact columns of the same names. Opening, closing and each movement are rounded
    once; where the rounded ones then miss the closing by a cent or two, the movements with the largest remainder in
    that direction take a cent each (largest remainder method). So opening + new + reactivation + expansion -
    contraction - churn + fx = closing holds to the cent, no movement is off by a cent or more, and one that is a whole
    number of cents is never touched. Two steps: mrr_bridge_remainders() in one CTE, mrr_bridge() on top of it. -#}
{% macro mrr_movement_signs() -%}
    {{ return({'new': 1, 'expansion': 1, 'contraction': -1, 'churn': -1, 'reactivation': 1, 'fx': 1}) }}
{%- endmacro %}

{% macro mrr_bridge_remainders() -%}
    {%- set missed -%}
        (round(net_mrr_cents) - round(opening_mrr_cents)
        {%- for type, sign in mrr_movement_signs().items() %}
            {{- ' - ' if sign > 0 else ' + ' }}round({{ type }}_mrr_cents)
        {%- endfor %})
    {%- endset -%}
    {%- for type, sign in mrr_movement_signs().items() %}
    sign({{ missed }}) * {{ sign }} * ({{ type }}_mrr_cents - round({{ type }}_mrr_cents)) as {{ type }}_remainder,
    {%- endfor %}
    {{ missed }} as missed_cents
{%- endmacro %}

{% macro mrr_bridge() -%}
    {%- set signs = mrr_movement_signs() -%}
    {%- set types = signs.keys() | list -%}
    cast(round(opening_mrr_cents) as bigint) as opening_mrr_cents,
    {%- for type, sign in signs.items() %}
    {%- set place = loop.index0 %}
    cast(round({{ type }}_mrr_cents) + {{ sign }} * case
        when
            {%- for other in types if other != type %}
            {%- set comes_first = '>=' if loop.index0 < place else '>' %}
            case when {{ other }}_remainder {{ comes_first }} {{ type }}_remainder then 1 else 0 end
            {{- ' +' if not loop.last }}
            {%- endfor %}
            < abs(missed_cents) then sign(missed_cents)
        else 0
    end as bigint) as {{ type }}_mrr_cents,
    {%- endfor %}
    cast(round(net_mrr_cents) as bigint) as net_mrr_cents,
    cast(round(12 * net_mrr_cents) as bigint) as arr_cents,
    cast(round(at_risk_mrr_cents) as bigint) as at_risk_mrr_cents,
    cast(round(net_mrr_cents / nullif(paying_customers, 0)) as bigint) as arpu_cents,
    cast(paying_customers as bigint) as paying_customers
{%- endmacro %}
