{{ config(
    materialized='incremental',
    indexes=[{'columns': ['tenant_id', 'anonymous_id']}, {'columns': ['changed_load_id']}],
    meta={'affected': {'by': 'affected_anonymous_ids', 'columns': ['product', 'tenant_id', 'anonymous_id']}},
) }}

-- Two users of one device: the first to be identified owns the anonymous events, whatever arrives later.
with identifications as (

    select * from {{ ref('int_core__identifications_daily') }}

),

ranked as (

    select
        product,
        tenant_id,
        anonymous_id,
        user_id,

        event_date as identified_date,
        row_number() over (
            partition by product, tenant_id, anonymous_id
            order by first_occurred_at asc, user_id asc
        ) as rank_number
    from identifications
    where {{ is_affected('identifications.product', 'identifications.tenant_id', 'identifications.anonymous_id') }}

),

first_identified as (

    select * from ranked
    where rank_number = 1

),
{% if is_incremental() %}

known as (

    select * from {{ this }} as known
    where {{ is_affected('known.product', 'known.tenant_id', 'known.anonymous_id') }}

),

-- an identification that a correction took back leaves an empty alias, so that its days are rebuilt
final as (

    select
        coalesce(found.product, known.product) as product,
        coalesce(found.tenant_id, known.tenant_id) as tenant_id,
        coalesce(found.anonymous_id, known.anonymous_id) as anonymous_id,
        found.user_id,

        found.identified_date,
        case
            when found.user_id = known.user_id or coalesce(found.user_id, known.user_id) is null
                then known.changed_load_id
            else cast({{ load_bound() }} as bigint)
        end as changed_load_id
    from first_identified as found
    full join known
        on
            found.product = known.product
            and found.tenant_id = known.tenant_id
            and found.anonymous_id = known.anonymous_id

)
{% else %}

final as (

    select
        product,
        tenant_id,
        anonymous_id,
        user_id,

        identified_date,
        cast({{ load_bound() }} as bigint) as changed_load_id
    from first_identified

)
{% endif %}

select * from final
