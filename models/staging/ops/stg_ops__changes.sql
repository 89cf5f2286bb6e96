with source as (

    select * from {{ source('raw_cdc', 'changes') }}

),

renamed as (

    select
        product,
        table_name,

        received_at,
        load_id
    from source

)

select * from renamed
