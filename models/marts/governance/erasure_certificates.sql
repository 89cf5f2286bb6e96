with certificates as (

    select * from {{ ref('stg_ops__erasure_certificates') }}

),

requests as (

    select * from {{ ref('stg_ops__erasure_requests') }}

),

final as (

    select
        certificates.certificate_id,
        certificates.request_id,
        requests.tenant_id,

        requests.product,
        requests.subject_kind,
        requests.subject_digest,
        certificates.rows_found,
        certificates.rows_removed,
        certificates.landed_files,
        certificates.models_to_retrain,

        certificates.searched_relations,
        certificates.searched_rows,
        certificates.searched_lake_files,
        certificates.ids_searched,
        certificates.rows_left_over,

        certificates.issued_at
    from certificates
    inner join requests on certificates.request_id = requests.request_id

)

select * from final
