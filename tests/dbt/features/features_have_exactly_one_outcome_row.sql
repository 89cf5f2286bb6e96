with feature_keys as (

    select
        'customer_churn' as model,
        tenant_id,
        customer_id as entity_id,
        as_of_at
    from {{ ref('feat_customer_churn__customers') }}

    union all

    select
        'shift_fill' as model,
        tenant_id,
        shift_id as entity_id,
        as_of_at
    from {{ ref('feat_shift_fill__shifts') }}

),

outcome_keys as (

    select
        'customer_churn' as model,
        tenant_id,
        customer_id as entity_id,
        as_of_at,
        label,
        label_known_at
    from {{ ref('feat_customer_churn__outcomes') }}

    union all

    select
        'shift_fill' as model,
        tenant_id,
        shift_id as entity_id,
        as_of_at,
        label,
        label_known_at
    from {{ ref('feat_shift_fill__outcomes') }}

)

select
    coalesce(feature_keys.model, outcome_keys.model) as model,
    coalesce(feature_keys.entity_id, outcome_keys.entity_id) as entity_id
from feature_keys
full outer join outcome_keys
    on
        feature_keys.model = outcome_keys.model
        and feature_keys.tenant_id = outcome_keys.tenant_id
        and feature_keys.entity_id = outcome_keys.entity_id
        and feature_keys.as_of_at = outcome_keys.as_of_at
where
    feature_keys.model is null
    or outcome_keys.model is null
    -- rule 81: no answer before the window is over
    or (outcome_keys.label is not null and coalesce(outcome_keys.label_known_at > {{ as_of() }}, true))
