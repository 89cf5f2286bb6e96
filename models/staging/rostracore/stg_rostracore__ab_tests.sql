with source as (

    select * from {{ source('raw_cdc_rostracore', 'ab_tests') }}

),

renamed as (

    select
        'rostracore' as product,
        _tenant_id as tenant_id,
        {{ entity_uuid('rostracore', 'ab_test', 'test_id') }} as test_id,

        test_name,
        description,
        variant_a_config,
        variant_b_config,
        status,
        primary_metric,
        winner as stated_winner,

        planned_users_per_variant,
        traffic_share_b,
        variant_a_conversions as stated_conversions_a,
        variant_a_exposures as stated_exposures_a,
        variant_b_conversions as stated_conversions_b,
        variant_b_exposures as stated_exposures_b,

        start_date as started_on,
        end_date as ended_on,
        _committed_at as committed_at,
        _received_at as received_at,
        _load_id as load_id
    from source

)

select * from renamed
