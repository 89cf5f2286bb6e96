{#- Stripe's refunds as what was told of each comes to: a row per refund, of the staged events of refunds. -#}
{% macro refund_objects(events) -%}
    select
        account,
        refund_source_id,
        min(charge_source_id) as charge_source_id,
        min(amount_source_cents) as amount_source_cents,
        min(refunded_at) as refunded_at,
        min(created_at) as told_at,
        max(reason) as reason,
        max(case when status in ('failed', 'canceled') then 1 else 0 end) = 1 as has_failed
    from {{ events }}
    group by account, refund_source_id
{%- endmacro %}
