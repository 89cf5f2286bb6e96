{#- Whether a policy is one of the seed's: those in between, which the ledger computes for the bridge alone
    (int_revenue__policies), are not published. -#}
{% macro is_published_policy(policy='policy') -%}
    {{ policy }} in (select policies.policy from {{ ref('mrr_policies') }} as policies)
{%- endmacro %}
