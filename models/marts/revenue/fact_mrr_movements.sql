{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'customer_id']}],
    meta={'affected': {'key': ['tenant_id', 'customer_id'], 'vars': ['reporting_currency']}},
) }}

with movements as (

    select * from {{ ref('int_revenue__mrr_movements') }}
    where {{ is_affected('tenant_id', 'customer_id') }} and {{ is_published_policy() }}

),

fx_movements as (

    select * from {{ ref('int_revenue__fx_movements') }}
    where {{ is_affected('tenant_id', 'customer_id') }} and {{ is_published_policy() }}

),

unioned as (

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        movement_type,
        mrr_change_cents,
        mrr_before_cents,
        mrr_after_cents,
        occurred_at,
        date_key
    from movements

    union all

    select
        policy,
        provider,
        product,
        tenant_id,
        customer_id,
        movement_type,
        mrr_change_cents,
        mrr_before_cents,
        mrr_after_cents,
        occurred_at,
        date_key
    from fx_movements

),

final as (

    select
        {{ hash_uuid([
            'policy',
            'provider',
            'product',
            'tenant_id',
            'customer_id',
            'movement_type',
            epoch_seconds('occurred_at'),
        ]) }} as mrr_movement_id,
        customer_id,
        tenant_id,

        product,
        provider,
        policy,
        movement_type,
        '{{ var("reporting_currency") }}' as currency,

        {{ published_money('mrr_change_cents') }} as mrr_change_cents,
        {{ published_money('mrr_before_cents') }} as mrr_before_cents,
        {{ published_money('mrr_after_cents') }} as mrr_after_cents,

        occurred_at,
        date_key
    from unioned

)

select * from final
