with requests as (

    select * from {{ ref('stg_ops__erasure_requests') }}

),

final as (

    select
        request_id,
        tenant_id,

        product,
        subject_kind,
        subject_digest,
        case
            when certified_at is not null then 'certified'
            when raw_erased_at is not null then 'erased'
            else 'entered'
        end as status,

        requested_at,
        raw_erased_at,
        certified_at
    from requests

)

select * from final
