with shifts as (

    select * from {{ ref('int_workforce__shifts') }}

)

select * from shifts
