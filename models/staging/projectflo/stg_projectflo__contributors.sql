with source as (

    select * from {{ source('raw_cdc_projectflo', 'contributors') }}

),

renamed as (

    select
        'projectflo' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('projectflo', 'contributor', 'id') }} as contributor_id,
        _user_id as user_id,

        full_name as full_name_token,
        email as email_token,
        role,
        status,

        weekly_capacity_hours,
        hourly_cost as hourly_cost_amount,

        cost_effective_on,
        hired_on,
        left_on,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
