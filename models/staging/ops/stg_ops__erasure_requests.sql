with source as (

    select * from {{ source('ops', 'erasure_requests') }}

),

renamed as (

    select
        request_id,
        tenant_id,

        subject_digest,
        product,
        subject_kind,

        requested_at,
        raw_erased_at,
        certified_at
    from source

)

select * from renamed
