-- The one id of everybody whom RevenueCat had named by each Monday: an alias that was told later joins nobody yet.
with told as (

    select * from {{ ref('int_customers__store_events_as_of') }}

),

payers as (

    {{ store_payers('told') }}

),

projects as (

    select distinct
        as_of_at,
        account,
        project
    from told

),

final as (

    select
        projects.as_of_at,
        projects.account,
        payers.project,
        payers.source_id,
        payers.payer_source_id
    from payers
    inner join projects on payers.project = projects.project

)

select * from final
